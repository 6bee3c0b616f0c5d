#include "http/date.h"
#include "tests/unit/assert_slice.h"
#include "tests/unit/guard.h"

#define ROWS(table)     (sizeof(table) / sizeof((table)[0]))
#define SECONDS_PER_DAY 86400
#define NOW             1792000000 /* in October 2026 */

static void date_format_writes_an_imf_fixdate(void **state)
{
    static const struct {
        time_t when;
        const char *text;
    } rows[] = {
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
        {951782399, "Mon, 28 Feb 2000 23:59:59 GMT"},
        {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
        {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"},
        {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char out[DATE_LEN + 1];
        date_format(rows[i].when, out);
        assert_string_equal(out, rows[i].text);
        assert_int_equal(strlen(out), DATE_LEN);
    }
}

static void date_format_clamps_to_four_digit_years(void **state)
{
    char out[DATE_LEN + 1];
    (void)state;
    date_format(-1, out);
    assert_string_equal(out, "Thu, 01 Jan 1970 00:00:00 GMT");
    date_format(INT64_MIN, out);
    assert_string_equal(out, "Thu, 01 Jan 1970 00:00:00 GMT");
    date_format(253402300800, out);
    assert_string_equal(out, "Fri, 31 Dec 9999 23:59:59 GMT");
    date_format(INT64_MAX, out);
    assert_string_equal(out, "Fri, 31 Dec 9999 23:59:59 GMT");
}

/* Both ways, for a moment of each day: against the C library, and back. */
static void date_format_and_parse_agree_with_the_c_library(void **state)
{
    (void)state;
    for (time_t when = 0; when <= 253402300799; when += SECONDS_PER_DAY + 3607) {
        char expected[DATE_LEN + 1];
        char out[DATE_LEN + 1];
        struct tm tm;
        time_t back = -1;
        assert_non_null(gmtime_r(&when, &tm));
        assert_int_equal(strftime(expected, sizeof(expected), "%a, %d %b %Y %H:%M:%S GMT", &tm),
                         DATE_LEN);
        date_format(when, out);
        assert_string_equal(out, expected);
        assert_int_equal(date_parse((struct slice){out, DATE_LEN}, NOW, &back), 0);
        assert_true(back == when);
    }
}

static void date_parse_reads_the_three_forms(void **state)
{
    static const struct {
        const char *text;
        time_t when;
    } rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"Wed Nov 16 08:49:37 1994", 784975777},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
        {"Mon, 01 Jan 1900 00:00:00 GMT", -2208988800},
        {"Sat, 01 Jan 0000 00:00:00 GMT", -62167219200},
        {"Tue, 29 Feb 2000 00:00:00 GMT", 951782400},
        {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
        {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
        /* The wrong day of the week tells nothing. */
        {"Mon, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Wednesday, 06-Nov-94 08:49:37 GMT", 784111777},
    };
    (void)state;
    struct guard guard = guard_create(64);
    for (size_t i = 0; i < ROWS(rows); i++) {
        time_t when = 42;
        size_t len = strlen(rows[i].text);
        struct slice text = {guard_place(&guard, rows[i].text, len), len};
        if (date_parse(text, NOW, &when) != 0 || when != rows[i].when)
            fail_msg("%s: %lld", rows[i].text, (long long)when);
        /* No beginning of a date is one. */
        for (len--; len > 0; len--) {
            text = (struct slice){guard_place(&guard, rows[i].text, len), len};
            assert_int_equal(date_parse(text, NOW, &when), -1);
        }
    }
    guard_destroy(&guard);
}

static void date_parse_refuses_all_else(void **state)
{
    static const char *const rows[] = {
        "",
        "0",
        "now",
        "784111777",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun 06 Nov 1994 08:49:37 GMT",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Son, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Okt 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun,  6 Nov 1994 08:49:37 GMT",
        "Sun, 006 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 19940 08:49:37 GMT",
        "Sun, 06 Nov -994 08:49:37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1994 08-49-37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 32 Dec 1994 08:49:37 GMT",
        "Tue, 29 Feb 1900 08:49:37 GMT",
        "Sun, 30 Feb 2000 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06 Nov 94 08:49:37 GMT",
        "Sunday, 32-Dec-94 08:49:37 GMT",
        "Sunday, 29-Feb-23 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 94",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun Nov  0 08:49:37 1994",
        "Sun Nov 006 08:49:37 1994",
        "Sun, 06 Nov 9999999999 08:49:37 GMT",
    };
    (void)state;
    struct guard guard = guard_create(64);
    for (size_t i = 0; i < ROWS(rows); i++) {
        time_t when = 42;
        size_t len = strlen(rows[i]);
        struct slice text = {guard_place(&guard, rows[i], len), len};
        if (date_parse(text, NOW, &when) != -1)
            fail_msg("%s is accepted", rows[i]);
        assert_int_equal(when, 42);
    }
    guard_destroy(&guard);
}

static time_t parse(const char *text, time_t now)
{
    time_t when = 42;
    if (date_parse(slice_from_string(text), now, &when) != 0)
        fail_msg("%s is refused", text);
    return when;
}

/* RFC 9110 section 5.6.7: more than 50 years in the future means the past. */
static void date_parse_two_digit_year_is_at_most_50_years_ahead(void **state)
{
    (void)state;
    time_t now = parse("Tue, 13 Oct 2026 12:00:00 GMT", NOW);
    assert_true(parse("Tuesday, 13-Oct-26 12:00:00 GMT", now) == now);
    assert_true(parse("Friday, 01-Jan-27 00:00:00 GMT", now) ==
                parse("Fri, 01 Jan 2027 00:00:00 GMT", now));
    assert_true(parse("Tuesday, 13-Oct-76 11:59:59 GMT", now) ==
                parse("Tue, 13 Oct 2076 11:59:59 GMT", now));
    assert_true(parse("Tuesday, 13-Oct-76 12:00:00 GMT", now) ==
                parse("Tue, 13 Oct 2076 12:00:00 GMT", now));
    assert_true(parse("Wednesday, 13-Oct-76 12:00:01 GMT", now) ==
                parse("Wed, 13 Oct 1976 12:00:01 GMT", now));
    assert_true(parse("Saturday, 01-Jan-77 00:00:00 GMT", now) ==
                parse("Sat, 01 Jan 1977 00:00:00 GMT", now));

    now = parse("Thu, 01 Jan 2099 00:00:00 GMT", NOW);
    assert_true(parse("Thursday, 01-Jan-05 00:00:00 GMT", now) ==
                parse("Thu, 01 Jan 2105 00:00:00 GMT", now));
    assert_true(parse("Thursday, 01-Jan-99 00:00:00 GMT", 0) ==
                parse("Fri, 01 Jan 1999 00:00:00 GMT", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(date_format_writes_an_imf_fixdate),
        cmocka_unit_test(date_format_clamps_to_four_digit_years),
        cmocka_unit_test(date_format_and_parse_agree_with_the_c_library),
        cmocka_unit_test(date_parse_reads_the_three_forms),
        cmocka_unit_test(date_parse_refuses_all_else),
        cmocka_unit_test(date_parse_two_digit_year_is_at_most_50_years_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
