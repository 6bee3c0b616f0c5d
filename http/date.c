#include "http/date.h"

#include "http/octet.h"

#include <string.h>

/* gmtime_r() and timegm() would do, but they take the C library's lock for the time zone. */

#define SECONDS_PER_DAY 86400
#define YEAR_MAX        9999

static const char day_names[] = "SunMonTueWedThuFriSat";
static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const struct slice long_day_names[] = {
    {"Sunday", 6},   {"Monday", 6}, {"Tuesday", 7},  {"Wednesday", 9},
    {"Thursday", 8}, {"Friday", 6}, {"Saturday", 8},
};

/* A moment in UTC by the calendar. */
struct civil {
    unsigned year;  /* 0 to 9999 */
    unsigned month; /* 0 to 11 */
    unsigned day;   /* 1 to 31 */
    unsigned hour;
    unsigned minute;
    unsigned second; /* 60 for a leap second */
};

static bool is_leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned days_of_month(unsigned year, unsigned month)
{
    static const unsigned char days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 1 && is_leap(year) ? 29 : days[month];
}

/* From 1970-01-01 to the first of January; negative for earlier years. */
static int64_t days_before_year(unsigned year)
{
    int64_t leap_days = (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
    return (int64_t)year * 365 + leap_days - 719528;
}

static int64_t civil_to_seconds(const struct civil *civil)
{
    int64_t days = days_before_year(civil->year) + civil->day - 1;
    for (unsigned month = 0; month < civil->month; month++)
        days += days_of_month(civil->year, month);
    return days * SECONDS_PER_DAY + civil->hour * 3600 + civil->minute * 60 + civil->second;
}

/* The inverse, for 1970 to 9999. */
static struct civil civil_from_seconds(int64_t seconds)
{
    int64_t days = seconds / SECONDS_PER_DAY;
    unsigned of_day = (unsigned)(seconds % SECONDS_PER_DAY);
    /* 400 years have 146097 days; the estimate is the right year or the one before it. */
    unsigned year = 1970 + (unsigned)(days * 400 / 146097);
    if (days_before_year(year) > days)
        year--;
    else if (days_before_year(year + 1) <= days)
        year++;
    unsigned day = (unsigned)(days - days_before_year(year));
    unsigned month = 0;
    for (; day >= days_of_month(year, month); month++)
        day -= days_of_month(year, month);
    return (struct civil){year, month, day + 1, of_day / 3600, of_day / 60 % 60, of_day % 60};
}

static void put_number(char *out, unsigned number, size_t digits)
{
    for (size_t i = digits; i-- > 0; number /= 10)
        out[i] = (char)('0' + number % 10);
}

/* Into the years 1970 to 9999. */
static int64_t clamp(time_t when)
{
    int64_t last = days_before_year(YEAR_MAX + 1) * SECONDS_PER_DAY - 1;
    return when < 0 ? 0 : when > last ? last : when;
}

void date_format(time_t when, char out[DATE_LEN + 1])
{
    int64_t seconds = clamp(when);
    struct civil civil = civil_from_seconds(seconds);
    size_t weekday = (size_t)((seconds / SECONDS_PER_DAY + 4) % 7); /* 1970 began on a Thursday */

    memcpy(out, "ddd, DD mmm YYYY HH:MM:SS GMT", DATE_LEN + 1);
    memcpy(out, day_names + weekday * 3, 3);
    put_number(out + 5, civil.day, 2);
    memcpy(out + 8, month_names + (size_t)civil.month * 3, 3);
    put_number(out + 12, civil.year, 4);
    put_number(out + 17, civil.hour, 2);
    put_number(out + 20, civil.minute, 2);
    put_number(out + 23, civil.second, 2);
}

/* The readers take what they name off the text, and return whether it was there. */

static bool skip(struct slice *text, struct slice expected)
{
    if (!slice_starts_with(*text, expected))
        return false;
    text->data += expected.len;
    text->len -= expected.len;
    return true;
}

static bool read_number(struct slice *text, size_t digits, unsigned *out)
{
    uint64_t number;
    if (text->len < digits || slice_to_u64((struct slice){text->data, digits}, &number) != 0)
        return false;
    *out = (unsigned)number;
    text->data += digits;
    text->len -= digits;
    return true;
}

/* A name out of `count` names of three letters in a row. */
static bool read_name(struct slice *text, const char *names, unsigned count, unsigned *out)
{
    for (unsigned i = 0; i < count; i++) {
        if (skip(text, (struct slice){names + (size_t)i * 3, 3})) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool read_month(struct slice *text, struct civil *civil)
{
    return read_name(text, month_names, 12, &civil->month);
}

/* The day of the week is read and not compared with the date: it tells nothing new. */
static bool skip_day_name(struct slice *text)
{
    unsigned ignored;
    return read_name(text, day_names, 7, &ignored);
}

static bool skip_long_day_name(struct slice *text)
{
    for (size_t i = 0; i < 7; i++)
        if (skip(text, long_day_names[i]))
            return true;
    return false;
}

static bool read_time(struct slice *text, struct civil *civil)
{
    return read_number(text, 2, &civil->hour) && skip(text, SLICE(":")) &&
           read_number(text, 2, &civil->minute) && skip(text, SLICE(":")) &&
           read_number(text, 2, &civil->second);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool read_imf_fixdate(struct slice text, struct civil *civil)
{
    return skip_day_name(&text) && skip(&text, SLICE(", ")) && read_number(&text, 2, &civil->day) &&
           skip(&text, SLICE(" ")) && read_month(&text, civil) && skip(&text, SLICE(" ")) &&
           read_number(&text, 4, &civil->year) && skip(&text, SLICE(" ")) &&
           read_time(&text, civil) && slice_equal(text, SLICE(" GMT"));
}

/* "Sunday, 06-Nov-94 08:49:37 GMT"; leaves the year at two digits. */
static bool read_rfc850(struct slice text, struct civil *civil)
{
    return skip_long_day_name(&text) && skip(&text, SLICE(", ")) &&
           read_number(&text, 2, &civil->day) && skip(&text, SLICE("-")) &&
           read_month(&text, civil) && skip(&text, SLICE("-")) &&
           read_number(&text, 2, &civil->year) && skip(&text, SLICE(" ")) &&
           read_time(&text, civil) && slice_equal(text, SLICE(" GMT"));
}

/* "Sun Nov  6 08:49:37 1994" */
static bool read_asctime(struct slice text, struct civil *civil)
{
    return skip_day_name(&text) && skip(&text, SLICE(" ")) && read_month(&text, civil) &&
           skip(&text, SLICE(" ")) &&
           (skip(&text, SLICE(" ")) ? read_number(&text, 1, &civil->day)
                                    : read_number(&text, 2, &civil->day)) &&
           skip(&text, SLICE(" ")) && read_time(&text, civil) && skip(&text, SLICE(" ")) &&
           read_number(&text, 4, &civil->year) && text.len == 0;
}

/* The latest year with these two digits that is not more than 50 years in the future. */
static void complete_year(struct civil *civil, time_t now)
{
    int64_t present = clamp(now);
    civil->year += civil_from_seconds(present).year / 100 * 100 + 100;
    for (;;) {
        struct civil earlier = *civil;
        earlier.year -= 50;
        if (civil_to_seconds(&earlier) <= present)
            return;
        civil->year -= 100;
    }
}

static bool is_valid(const struct civil *civil)
{
    return civil->day >= 1 && civil->day <= days_of_month(civil->year, civil->month) &&
           civil->hour <= 23 && civil->minute <= 59 && civil->second <= 60;
}

int date_parse(struct slice text, time_t now, time_t *out)
{
    struct civil civil = {0};
    if (read_rfc850(text, &civil))
        complete_year(&civil, now);
    else if (!read_imf_fixdate(text, &civil) && !read_asctime(text, &civil))
        return -1;
    if (!is_valid(&civil))
        return -1;
    *out = civil_to_seconds(&civil);
    return 0;
}
