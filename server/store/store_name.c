#include "server/store/store_name.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* With four digits, 65,536 names a second: one try in 13 meets a name that is taken when 5,000
 * documents came in that second, eight tries once in 10^9 times.
 */
#define ATTEMPTS_PER_WIDTH 8
#define DIGITS_STEP        4

#define DIGITS_SIZE        (2 * sizeof(uint64_t) + 1)

static const char temporary_prefix[] = "tmp_";

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

int store_name_make(time_t when, unsigned attempt, char out[STORE_NAME_SIZE])
{
    struct tm utc;
    char digits[DIGITS_SIZE];
    if (gmtime_r(&when, &utc) == NULL || make_digits(digits) != 0)
        return -1;
    int width = DIGITS_STEP * (int)(1 + attempt / ATTEMPTS_PER_WIDTH);
    snprintf(out, STORE_NAME_SIZE, "upload_%04d%02d%02d_%02d%02d%02d_%.*s.json", utc.tm_year + 1900,
             utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, width, digits);
    return 0;
}

int store_name_make_temporary(char out[STORE_TEMPORARY_SIZE])
{
    char digits[DIGITS_SIZE];
    if (make_digits(digits) != 0)
        return -1;
    snprintf(out, STORE_TEMPORARY_SIZE, "%s%s", temporary_prefix, digits);
    return 0;
}

bool store_name_is_temporary(const char *name)
{
    return strncmp(name, temporary_prefix, sizeof temporary_prefix - 1) == 0;
}

bool store_name_is_visible(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
}
