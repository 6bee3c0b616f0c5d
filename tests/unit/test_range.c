#include "http/range.h"
#include "tests/unit/assert_slice.h"
#include "tests/unit/request.h"

#include <inttypes.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

#define LENGTH      1000
#define MODIFIED    784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */
#define NOW         (MODIFIED + 1)
#define THEN        "Sun, 06 Nov 1994 08:49:37 GMT"
#define NINES_40    "9999999999999999999999999999999999999999"

static struct guard guard;

static int create_guard(void **state)
{
    (void)state;
    guard = guard_create(REQUEST_BYTES_MAX);
    return 0;
}

static int destroy_guard(void **state)
{
    (void)state;
    guard_destroy(&guard);
    return 0;
}

static struct validators validators_at(const char *etag, time_t last_modified)
{
    return (struct validators){
        .exists = true,
        .etag = slice_from_string(etag),
        .has_last_modified = true,
        .last_modified = last_modified,
    };
}

/* What becomes of a request, as text: "whole", "416", or its parts such as "0-4 10-19". */
static struct slice answer(const char *method, const char *fields, uint64_t length,
                           struct validators validators, struct text *out)
{
    struct head head = request_parse(&guard, method, fields);
    struct range_set set = {.count = 42};
    enum range_outcome outcome = range_select(&head, length, &validators, NOW, &set);
    if (outcome != RANGE_PARTS) {
        assert_int_equal(set.count, 42);
        return outcome == RANGE_WHOLE ? SLICE("whole") : SLICE("416");
    }
    assert_in_range(set.count, 1, RANGE_PARTS_MAX);
    for (unsigned i = 0; i < set.count; i++) {
        assert_true(set.parts[i].first <= set.parts[i].last && set.parts[i].last < length);
        text_append(out, i > 0 ? SLICE(" ") : SLICE(""));
        text_append_u64(out, set.parts[i].first);
        text_append_char(out, '-');
        text_append_u64(out, set.parts[i].last);
    }
    return text_slice(out);
}

static void assert_answer(const char *method, const char *fields, uint64_t length,
                          struct validators validators, const char *expected)
{
    char buffer[256];
    struct text out = text_over(buffer, sizeof(buffer));
    struct slice got = answer(method, fields, length, validators, &out);
    if (!slice_equal(got, slice_from_string(expected)))
        fail_msg("%s %.300s of %" PRIu64 ": got %.*s, expected %s", method, fields, length,
                 (int)got.len, got.data, expected);
}

/* The same for a GET with one Range field. */
static void assert_range(const char *value, uint64_t length, const char *expected)
{
    char fields[1024];
    (void)snprintf(fields, sizeof(fields), "Host: a\r\nRange: %s\r\n", value);
    assert_answer("GET", fields, length, validators_at("\"now\"", MODIFIED), expected);
}

struct row {
    const char *value;
    const char *expected;
};

static void range_single_selects_a_part(void **state)
{
    static const struct row rows[] = {
        {"bytes=0-0", "0-0"},
        {"bytes=0-499", "0-499"},
        {"bytes=500-999", "500-999"},
        {"bytes=999-999", "999-999"},
        {"bytes=0-", "0-999"},
        {"bytes=998-", "998-999"},
        {"bytes=999-", "999-999"},
        {"bytes=1000-", "416"},
        {"bytes=1001-", "416"},
        {"bytes=1000-2000", "416"},
        {"bytes=0-998", "0-998"},
        {"bytes=0-999", "0-999"},
        {"bytes=0-1000", "0-999"},
        {"bytes=-1", "999-999"},
        {"bytes=-999", "1-999"},
        {"bytes=-1000", "0-999"},
        {"bytes=-1001", "0-999"},
        {"bytes=-0", "416"},
        {"bytes=-000", "416"},
        {"bytes=0000-0009", "0-9"},
        {"BYTES=0-9", "0-9"},
        {"Bytes=0-9", "0-9"},
        /* Numbers that 64 bits do not hold, or just. */
        {"bytes=-9223372036854775808", "0-999"},
        {"bytes=-18446744073709551616", "0-999"},
        {"bytes=-" NINES_40, "0-999"},
        {"bytes=0-9223372036854775807", "0-999"},
        {"bytes=0-18446744073709551615", "0-999"},
        {"bytes=0-18446744073709551616", "0-999"},
        {"bytes=1-" NINES_40, "1-999"},
        {"bytes=9223372036854775808-", "416"},
        {"bytes=18446744073709551615-", "416"},
        {"bytes=18446744073709551616-", "416"},
        {"bytes=" NINES_40 "-", "416"},
        {"bytes=" NINES_40 "-" NINES_40, "416"},
        {"bytes=18446744073709551615-18446744073709551615", "416"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_range(rows[i].value, LENGTH, rows[i].expected);
}

static void range_wrong_syntax_is_ignored(void **state)
{
    static const char *const rows[] = {
        "",
        "abc",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes=,, ,",
        "bytes=-",
        "bytes=--",
        "bytes=--1",
        "bytes=abc",
        "bytes=9-5",
        "bytes=1-0",
        "bytes=" NINES_40 "-0",
        "bytes=5",
        "bytes=0-1-2",
        "bytes=+0-1",
        "bytes=0-+1",
        "bytes=0x0-0x9",
        "bytes=0-9a",
        "bytes=a-9",
        "bytes=-a",
        "bytes=0 - 9",
        "bytes=0- 9",
        "bytes=0 -9",
        "bytes=- 9",
        "bytes= 0-9",
        "bytes =0-9",
        "bytes:0-9",
        "bytes 0-9",
        "bytes 0-9/1000",
        "bytes==0-9",
        "=0-9",
        "0-9",
        "byte=0-9",
        "bytess=0-9",
        "octets=0-9",
        "lines=0-9",
        "\"bytes=0-9\"",
        "bytes=\"0-9\"",
        "bytes=0-9;",
        "bytes=0-9; a=b",
        "bytes=0.0-9",
        "bytes=0-9,x",
        "bytes=x,0-9",
        "bytes=0-9,9-5",
        "bytes=2000-,x",
        "bytes=0-9 20-29",
        "bytes=0-9;20-29",
        "bytes=\xd9\xa0-9",
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_range(rows[i], LENGTH, "whole");
}

static void range_set_selects_ordered_parts(void **state)
{
    static const struct row rows[] = {
        {"bytes=0-0,-1", "0-0 999-999"},
        {"bytes=0-9,20-29", "0-9 20-29"},
        {"bytes=0-9, 20-29", "0-9 20-29"},
        {"bytes=0-9\t,\t 20-29", "0-9 20-29"},
        {"bytes=,0-9,, ,20-29,", "0-9 20-29"},
        {"bytes=0-9,", "0-9"},
        {"bytes=0-9,10-19", "0-9 10-19"},
        {"bytes=0-9,9-19", "whole"},
        {"bytes=0-9,11-19", "0-9 11-19"},
        {"bytes=0-9,0-9", "whole"},
        {"bytes=20-29,0-9", "whole"},
        {"bytes=0-,5-9", "whole"},
        {"bytes=0-,-1", "whole"},
        {"bytes=-1,0-0", "whole"},
        {"bytes=0-999,999-", "whole"},
        /* Three, four, and one too many; also of those that cannot be satisfied. */
        {"bytes=0-0,2-2,4-4", "0-0 2-2 4-4"},
        {"bytes=0-0,2-2,4-4,6-6", "0-0 2-2 4-4 6-6"},
        {"bytes=0-0,2-2,4-4,6-6,8-8", "whole"},
        {"bytes=1000-,1000-,1000-,1000-", "416"},
        {"bytes=1000-,1000-,1000-,1000-,1000-", "whole"},
        {"bytes=0-0,1000-,1000-,1000-,1000-", "whole"},
        /* What cannot be satisfied is left out. */
        {"bytes=0-9,1000-", "0-9"},
        {"bytes=1000-,0-9", "0-9"},
        {"bytes=0-9,-0,20-29", "0-9 20-29"},
        {"bytes=1000-,2000-3000,-0", "416"},
        {"bytes=0-9," NINES_40 "-", "0-9"},
        {"bytes=0-0,5-" NINES_40, "0-0 5-999"},
        {"bytes=0-1,-18446744073709551615", "whole"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_range(rows[i].value, LENGTH, rows[i].expected);
}

static void range_of_an_empty_representation_is_unsatisfiable(void **state)
{
    static const struct row rows[] = {
        {"bytes=0-", "416"},    {"bytes=0-0", "416"},    {"bytes=-1", "416"},
        {"bytes=-0", "416"},    {"bytes=0-0,-1", "416"}, {"bytes=" NINES_40 "-", "416"},
        {"bytes=1-0", "whole"}, {"bytes=", "whole"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_range(rows[i].value, 0, rows[i].expected);
}

static void range_of_one_byte_and_of_very_many(void **state)
{
    (void)state;
    assert_range("bytes=0-0", 1, "0-0");
    assert_range("bytes=-1", 1, "0-0");
    assert_range("bytes=-2", 1, "0-0");
    assert_range("bytes=1-", 1, "416");
    assert_range("bytes=0-0,-1", 1, "whole");
    assert_range("bytes=0-", INT64_MAX, "0-9223372036854775806");
    assert_range("bytes=-1", INT64_MAX, "9223372036854775806-9223372036854775806");
    assert_range("bytes=9223372036854775806-", INT64_MAX,
                 "9223372036854775806-9223372036854775806");
    assert_range("bytes=9223372036854775807-", INT64_MAX, "416");
    assert_range("bytes=4294967296-4294967297", INT64_MAX, "4294967296-4294967297");
    assert_range("bytes=0-", UINT64_MAX, "0-18446744073709551614");
    assert_range("bytes=0-" NINES_40, UINT64_MAX, "0-18446744073709551614");
    assert_range("bytes=18446744073709551615-", UINT64_MAX, "416");
}

static void range_for_other_methods_is_ignored(void **state)
{
    static const char *const methods[] = {"HEAD", "POST", "PUT", "DELETE", "OPTIONS", "BREW"};
    struct validators validators = validators_at("\"now\"", MODIFIED);
    (void)state;
    for (size_t i = 0; i < ROWS(methods); i++) {
        assert_answer(methods[i], "Range: bytes=0-9\r\n", LENGTH, validators, "whole");
        assert_answer(methods[i], "Range: bytes=2000-\r\n", LENGTH, validators, "whole");
    }
}

static void range_without_or_with_two_fields_is_the_whole(void **state)
{
    struct validators validators = validators_at("\"now\"", MODIFIED);
    (void)state;
    assert_answer("GET", "Host: a\r\n", LENGTH, validators, "whole");
    assert_answer("GET", "If-Range: \"now\"\r\n", LENGTH, validators, "whole");
    assert_answer("GET", "range: bytes=0-9\r\n", LENGTH, validators, "0-9");
    assert_answer("GET", "Range: bytes=0-9\r\nRange: bytes=0-9\r\n", LENGTH, validators, "whole");
    assert_answer("GET", "Range: bytes=0-9\r\nHost: a\r\nrange: bytes=20-29\r\n", LENGTH,
                  validators, "whole");
}

static void range_with_if_range_needs_the_current_representation(void **state)
{
    static const struct {
        const char *label;
        const char *etag;
        time_t last_modified;
        const char *if_range;
        const char *expected;
    } rows[] = {
        {"tag", "\"now\"", MODIFIED, "\"now\"", "0-9"},
        {"another tag", "\"now\"", MODIFIED, "\"then\"", "whole"},
        {"weak tag", "\"now\"", MODIFIED, "W/\"now\"", "whole"},
        {"weak on both sides", "W/\"now\"", MODIFIED, "W/\"now\"", "whole"},
        {"weak on our side", "W/\"now\"", MODIFIED, "\"now\"", "whole"},
        {"no tag here", "", MODIFIED, "\"now\"", "whole"},
        {"any", "\"now\"", MODIFIED, "*", "whole"},
        {"unquoted", "\"now\"", MODIFIED, "now", "whole"},
        {"a list", "\"now\"", MODIFIED, "\"now\", \"now\"", "whole"},
        {"empty", "\"now\"", MODIFIED, "", "whole"},
        {"date", "\"now\"", MODIFIED, THEN, "0-9"},
        {"date, RFC 850", "\"now\"", MODIFIED, "Sunday, 06-Nov-94 08:49:37 GMT", "0-9"},
        {"date, asctime", "\"now\"", MODIFIED, "Sun Nov  6 08:49:37 1994", "0-9"},
        {"a second before", "\"now\"", MODIFIED, "Sun, 06 Nov 1994 08:49:36 GMT", "whole"},
        {"a second after", "\"now\"", MODIFIED, "Sun, 06 Nov 1994 08:49:38 GMT", "whole"},
        {"year 9999", "\"now\"", MODIFIED, "Fri, 31 Dec 9999 23:59:59 GMT", "whole"},
        {"bad date", "\"now\"", MODIFIED, "Sun, 06 Nov 1994 25:49:37 GMT", "whole"},
        {"this second", "\"now\"", NOW, "Sun, 06 Nov 1994 08:49:38 GMT", "whole"},
        {"in the future", "\"now\"", NOW + 1, "Sun, 06 Nov 1994 08:49:39 GMT", "whole"},
        {"two seconds old", "\"now\"", NOW - 2, "Sun, 06 Nov 1994 08:49:36 GMT", "0-9"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char fields[256];
        char buffer[64];
        struct validators validators = validators_at(rows[i].etag, rows[i].last_modified);
        (void)snprintf(fields, sizeof(fields), "Range: bytes=0-9\r\nIf-Range: %s\r\n",
                       rows[i].if_range);
        struct text out = text_over(buffer, sizeof(buffer));
        struct slice got = answer("GET", fields, LENGTH, validators, &out);
        if (!slice_equal(got, slice_from_string(rows[i].expected)))
            fail_msg("%s: got %.*s", rows[i].label, (int)got.len, got.data);
    }
}

static void range_with_if_range_and_nothing_to_compare_is_the_whole(void **state)
{
    struct validators validators = {.exists = true};
    (void)state;
    assert_answer("GET", "Range: bytes=0-9\r\n", LENGTH, validators, "0-9");
    assert_answer("GET", "Range: bytes=0-9\r\nIf-Range: \"\"\r\n", LENGTH, validators, "whole");
    assert_answer("GET", "Range: bytes=0-9\r\nIf-Range: Thu, 01 Jan 1970 00:00:00 GMT\r\n", LENGTH,
                  validators, "whole");
}

static void range_with_failed_if_range_is_never_unsatisfiable(void **state)
{
    struct validators validators = validators_at("\"now\"", MODIFIED);
    (void)state;
    assert_answer("GET", "If-Range: \"then\"\r\nRange: bytes=2000-\r\n", LENGTH, validators,
                  "whole");
    assert_answer("GET", "If-Range: \"now\"\r\nRange: bytes=2000-\r\n", LENGTH, validators, "416");
    assert_answer("GET", "If-Range: \"now\"\r\nRange: bytes=0-9\r\nIf-Range: \"now\"\r\n", LENGTH,
                  validators, "whole");
}

static void range_long_fields_are_the_whole(void **state)
{
    static char fields[20000];
    struct validators validators = validators_at("\"now\"", MODIFIED);
    (void)state;
    request_fill(fields, sizeof(fields), "Range: bytes=", ',', 16384, "\r\n");
    assert_answer("GET", fields, LENGTH, validators, "whole");
    request_fill(fields, sizeof(fields), "Range: bytes=", ',', 16384, "0-9\r\n");
    assert_answer("GET", fields, LENGTH, validators, "0-9");

    /* The set of 1,300 overlapping ranges that once stopped servers. */
    struct text text = text_over(fields, sizeof(fields) - 1);
    text_append(&text, SLICE("Range: bytes=0-"));
    for (unsigned i = 0; i < 1300; i++) {
        text_append(&text, SLICE(",5-"));
        text_append_u64(&text, i);
    }
    text_append(&text, SLICE("\r\n"));
    fields[text.len] = '\0';
    assert_false(text.truncated);
    assert_answer("GET", fields, LENGTH, validators, "whole");
}

static void range_content_range_values(void **state)
{
    char buffer[80];
    struct text text = text_over(buffer, sizeof(buffer));
    (void)state;
    range_append_part(&text, (struct range){0, 499}, 1234);
    assert_slice_is(text_slice(&text), "bytes 0-499/1234");
    text = text_over(buffer, sizeof(buffer));
    range_append_part(&text, (struct range){0, UINT64_MAX - 1}, UINT64_MAX);
    assert_slice_is(text_slice(&text), "bytes 0-18446744073709551614/18446744073709551615");
    text = text_over(buffer, sizeof(buffer));
    range_append_unsatisfied(&text, 0);
    assert_slice_is(text_slice(&text), "bytes */0");
}

static void range_bytes_counts_both_ends(void **state)
{
    (void)state;
    assert_true(range_bytes((struct range){7, 7}) == 1);
    assert_true(range_bytes((struct range){0, 499}) == 500);
    assert_true(range_bytes((struct range){0, UINT64_MAX - 1}) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(range_single_selects_a_part),
        cmocka_unit_test(range_wrong_syntax_is_ignored),
        cmocka_unit_test(range_set_selects_ordered_parts),
        cmocka_unit_test(range_of_an_empty_representation_is_unsatisfiable),
        cmocka_unit_test(range_of_one_byte_and_of_very_many),
        cmocka_unit_test(range_for_other_methods_is_ignored),
        cmocka_unit_test(range_without_or_with_two_fields_is_the_whole),
        cmocka_unit_test(range_with_if_range_needs_the_current_representation),
        cmocka_unit_test(range_with_if_range_and_nothing_to_compare_is_the_whole),
        cmocka_unit_test(range_with_failed_if_range_is_never_unsatisfiable),
        cmocka_unit_test(range_long_fields_are_the_whole),
        cmocka_unit_test(range_content_range_values),
        cmocka_unit_test(range_bytes_counts_both_ends),
    };
    return cmocka_run_group_tests(tests, create_guard, destroy_guard);
}
