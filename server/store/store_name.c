#include "server/store/store_name.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* With four digits, 65,536 names a second. A name that is taken is one of the same 15 us, so that
 * the next try, a little later, mostly finds another; more digits are random.
 */
#define ATTEMPTS_PER_WIDTH 8
#define DIGITS_STEP        4
#define FRACTIONS          65536 /* of a second: as many as four digits can tell */

#define DIGITS_SIZE        (2 * sizeof(uint64_t) + 1)

#define DOCUMENT_PREFIX    "upload_"
#define DOCUMENT_SUFFIX    ".json"
#define TEMPORARY_PREFIX   "tmp_"
#define BATCH_PREFIX       "batch_"
#define COMMIT_PREFIX      "commit_"

#define DECIMAL            "0123456789"

/* Sixteen random digits. */
static int make_digits(char out[DIGITS_SIZE])
{
    uint64_t number;
    ssize_t got;
    do {
        got = getrandom(&number, sizeof number, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return -1;
    snprintf(out, DIGITS_SIZE, "%016jx", (uintmax_t)number); /* so few bytes come all at once */
    return 0;
}

/* Puts the fraction of the second first, in units of 15 us, so that names of one second sort by
 * their time. Digits of a second that has long been over, or is to come, stay random.
 */
static void order_digits(time_t when, char digits[DIGITS_SIZE])
{
    struct timespec now;
    char fraction[DIGITS_STEP + 1];
    (void)clock_gettime(CLOCK_REALTIME, &now); /* fails for an unknown clock only */
    if (now.tv_sec != when && now.tv_sec != when + 1)
        return;
    bool is_just_over = now.tv_sec != when;
    uint64_t units = is_just_over ? FRACTIONS - 1 : (uint64_t)now.tv_nsec * FRACTIONS / 1000000000;
    (void)snprintf(fraction, sizeof fraction, "%04x", (unsigned)units);
    memcpy(digits, fraction, DIGITS_STEP);
}

int store_name_make(time_t when, unsigned attempt, char out[STORE_NAME_SIZE])
{
    struct tm utc;
    char digits[DIGITS_SIZE];
    if (gmtime_r(&when, &utc) == NULL || make_digits(digits) != 0)
        return -1;
    order_digits(when, digits);
    int width = DIGITS_STEP * (int)(1 + attempt / ATTEMPTS_PER_WIDTH);
    snprintf(out, STORE_NAME_SIZE, DOCUMENT_PREFIX "%04d%02d%02d_%02d%02d%02d_%.*s" DOCUMENT_SUFFIX,
             utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
             width, digits);
    return 0;
}

/* -- The time in a document's name -- */

static bool has_prefix(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Skips so many of the characters; returns NULL if there are fewer, or more. */
static const char *skip(const char *at, const char *set, size_t least, size_t most)
{
    size_t len = at != NULL ? strspn(at, set) : 0;
    return at != NULL && len >= least && len <= most ? at + len : NULL;
}

static const char *skip_text(const char *at, const char *text)
{
    return at != NULL && has_prefix(at, text) ? at + strlen(text) : NULL;
}

bool store_name_is_document(const char *name)
{
    const char *at = skip_text(name, DOCUMENT_PREFIX);
    at = skip(at, DECIMAL, 8, 16); /* a year may have more than four digits */
    at = skip_text(at, "_");
    at = skip(at, DECIMAL, 6, 6);
    at = skip_text(at, "_");
    at = skip(at, DECIMAL "abcdef", 4, DIGITS_SIZE - 1);
    at = skip_text(at, DOCUMENT_SUFFIX);
    return at != NULL && *at == '\0';
}

bool store_name_read_time(const char *name, time_t *out_time)
{
    struct tm utc = {0};
    if (!has_prefix(name, DOCUMENT_PREFIX) ||
        strptime(name + sizeof DOCUMENT_PREFIX - 1, "%Y%m%d_%H%M%S_", &utc) == NULL)
        return false;
    *out_time = timegm(&utc);
    return true;
}

/* -- Names for housekeeping -- */

enum store_name_kind store_name_kind(const char *name)
{
    if (has_prefix(name, TEMPORARY_PREFIX))
        return STORE_NAME_TEMPORARY;
    if (has_prefix(name, BATCH_PREFIX))
        return STORE_NAME_BATCH;
    return has_prefix(name, COMMIT_PREFIX) ? STORE_NAME_COMMIT : STORE_NAME_OTHER;
}

static int make_with_prefix(const char *prefix, char out[STORE_TEMPORARY_SIZE])
{
    char digits[DIGITS_SIZE];
    if (make_digits(digits) != 0)
        return -1;
    snprintf(out, STORE_TEMPORARY_SIZE, "%s%s", prefix, digits);
    return 0;
}

int store_name_make_temporary(char out[STORE_TEMPORARY_SIZE])
{
    return make_with_prefix(TEMPORARY_PREFIX, out);
}

int store_name_make_batch(char out[STORE_TEMPORARY_SIZE])
{
    return make_with_prefix(BATCH_PREFIX, out);
}

void store_name_convert(const char *name, enum store_name_kind kind, char out[STORE_TEMPORARY_SIZE])
{
    const char *digits = name + strcspn(name, "_") + 1;
    const char *prefix = kind == STORE_NAME_COMMIT ? COMMIT_PREFIX : BATCH_PREFIX;
    snprintf(out, STORE_TEMPORARY_SIZE, "%s%s", prefix, digits);
}

/* -- Names that clients ask for -- */

bool store_name_is_visible(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
}

static bool has_control(const char *name)
{
    for (const char *at = name; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == '\x7f')
            return true;
    return false;
}

int store_name_check(const char *name)
{
    if (!store_name_is_visible(name) || has_control(name)) {
        errno = EINVAL;
        return -1;
    }
    if (strlen(name) <= NAME_MAX)
        return 0;
    errno = ENAMETOOLONG;
    return -1;
}
