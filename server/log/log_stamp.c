#include "server/log/log_stamp.h"

#include "http/octet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Conversions of strftime() that give one line: all of C17 but %n and %t, and %s. */
#define CONVERSIONS   "aAbBcCdDeFgGhHIjmMprRsSTuUVwWxXyYzZ%"

#define LONGEST_NAMES 1758700000 /* a Wednesday in September */

static const char month_names[12][4] = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
};

static bool is_current(const struct log_stamp *stamp, time_t when)
{
    return stamp->len > 0 && stamp->time == when;
}

static struct slice text_of(const struct log_stamp *stamp)
{
    return (struct slice){stamp->text, stamp->len};
}

/* A time that the calendar does not reach is shown as the epoch. */
static struct tm local_time(time_t when)
{
    struct tm local;
    if (localtime_r(&when, &local) == NULL)
        local = (struct tm){.tm_year = 70, .tm_mday = 1};
    return local;
}

static struct slice renew(struct log_stamp *stamp, time_t when, int len)
{
    stamp->time = when;
    stamp->len = len > 0 ? (size_t)len : 0;
    return text_of(stamp);
}

struct slice log_stamp_common(struct log_stamp *stamp, time_t when)
{
    if (is_current(stamp, when))
        return text_of(stamp);
    struct tm local = local_time(when);
    long offset_minutes = local.tm_gmtoff / 60;
    int len =
        snprintf(stamp->text, sizeof stamp->text, "[%02d/%s/%04d:%02d:%02d:%02d %c%02ld%02ld]",
                 local.tm_mday, month_names[local.tm_mon], local.tm_year + 1900, local.tm_hour,
                 local.tm_min, local.tm_sec, offset_minutes < 0 ? '-' : '+',
                 labs(offset_minutes) / 60, labs(offset_minutes) % 60);
    return renew(stamp, when, len);
}

struct slice log_stamp_utc(struct log_stamp *stamp, time_t when)
{
    if (is_current(stamp, when))
        return text_of(stamp);
    struct tm utc;
    if (gmtime_r(&when, &utc) == NULL)
        utc = (struct tm){.tm_year = 70, .tm_mday = 1};
    int len = snprintf(stamp->text, sizeof stamp->text, "%04d-%02d-%02dT%02d:%02d:%02d",
                       utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                       utc.tm_sec);
    return renew(stamp, when, len);
}

/* The format has been checked, but the compiler cannot know that. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static size_t convert(char *out, size_t size, const char *format, const struct tm *time)
{
    return strftime(out, size, format, time);
}
#pragma GCC diagnostic pop

struct slice log_stamp_custom(struct log_stamp *stamp, time_t when, const char *format)
{
    if (is_current(stamp, when))
        return text_of(stamp);
    struct tm local = local_time(when);
    return renew(stamp, when, (int)convert(stamp->text, sizeof stamp->text, format, &local));
}

static bool is_conversion(char letter)
{
    return memchr(CONVERSIONS, letter, sizeof(CONVERSIONS) - 1) != NULL;
}

bool log_stamp_accepts(struct slice format)
{
    char copy[LOG_STAMP_LEN_MAX + 1];
    struct log_stamp stamp = {0};
    if (format.len == 0 || format.len > LOG_STAMP_LEN_MAX)
        return false;
    for (size_t i = 0; i < format.len; i++) {
        if (octet_is(format.data[i], OCTET_CONTROL))
            return false;
        if (format.data[i] == '%' && (++i == format.len || !is_conversion(format.data[i])))
            return false;
    }
    memcpy(copy, format.data, format.len);
    copy[format.len] = '\0';
    return log_stamp_custom(&stamp, LONGEST_NAMES, copy).len > 0;
}
