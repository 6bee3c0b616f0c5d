#include "http/accept.h"
#include "tests/unit/assert_slice.h"
#include "tests/unit/request.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

#define CHROME                                                                                     \
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"      \
    "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"

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

static void assert_quality(const char *fields, const char *type, unsigned quality, bool by_name)
{
    struct head head = request_parse(&guard, "GET", fields);
    bool got_by_name = !by_name;
    unsigned got = accept_quality(&head, slice_from_string(type), &got_by_name);
    if (got != quality || got_by_name != by_name)
        fail_msg("%.200s: %s is %u (by name: %d), expected %u", fields, type, got, got_by_name,
                 quality);
    assert_int_equal(accept_quality(&head, slice_from_string(type), NULL), quality);
}

struct row {
    const char *accept;
    const char *type;
    unsigned quality;
    bool by_name;
};

static void check_rows(const struct row *rows, size_t row_count)
{
    for (size_t i = 0; i < row_count; i++) {
        char fields[512];
        (void)snprintf(fields, sizeof(fields), "Host: a\r\nAccept: %s\r\n", rows[i].accept);
        assert_quality(fields, rows[i].type, rows[i].quality, rows[i].by_name);
    }
}

static void accept_without_a_preference_welcomes_everything(void **state)
{
    (void)state;
    assert_quality("Host: a\r\n", "text/html", 1000, false);
    assert_quality("Accept:\r\n", "text/html", 1000, false);
    assert_quality("Accept: ,, ,\r\n", "text/html", 1000, false);
    assert_quality("Accept: text\r\n", "text/html", 1000, false);
}

static void accept_most_specific_range_decides(void **state)
{
    static const struct row rows[] = {
        {"text/html", "text/html", 1000, true},
        {"TEXT/Html", "text/html", 1000, true},
        {"text/html", "text/plain", 0, false},
        {"text/html", "application/html", 0, false},
        {"text/htm", "text/html", 0, false},
        {"text/htmlx", "text/html", 0, false},
        {"text/*", "text/html", 1000, false},
        {"text/*", "application/json", 0, false},
        {"*/*", "application/json", 1000, false},
        {"*/*;q=0.1", "application/json", 100, false},
        {"text/*;q=0.3, text/html;q=0.7", "text/html", 700, true},
        {"text/html;q=0.7, text/*;q=0.9", "text/html", 700, true},
        {"*/*, text/*;q=0.2", "text/html", 200, false},
        {"*/*, text/html;q=0", "text/html", 0, true},
        {"text/*;q=0, */*", "text/html", 0, false},
        {"text/html;q=0.5, text/html;q=0.8", "text/html", 800, true},
        {"text/html;q=0.8, text/html;q=0.5", "text/html", 800, true},
        {CHROME, "text/html", 1000, true},
        {CHROME, "application/json", 800, false},
        {CHROME, "application/xml", 900, true},
        /* The example of RFC 9110 section 12.5.1. */
        {"audio/*; q=0.2, audio/basic", "audio/basic", 1000, true},
        {"audio/*; q=0.2, audio/basic", "audio/ogg", 200, false},
    };
    (void)state;
    check_rows(rows, ROWS(rows));
}

/* The second example of RFC 9110 section 12.5.1, and more. */
static void accept_parameters_make_a_range_more_specific(void **state)
{
    static const char list[] = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, "
                               "text/plain;format=fixed;q=0.4, */*;q=0.5";
    static const struct row rows[] = {
        {list, "text/plain;format=flowed", 1000, true},
        {list, "text/plain", 700, true},
        {list, "text/html", 300, false},
        {list, "image/jpeg", 500, false},
        {list, "text/plain;format=fixed", 400, true},
        {list, "text/html;level=3", 300, false},
        {"text/html;level=1", "text/html", 0, false},
        {"text/html;level=1, */*;q=0.1", "text/html", 100, false},
        {"a/b;x=1;q=0.2, a/b;x=1;y=2;q=0.4, a/b;y=2;q=0.3", "a/b;x=1;y=2", 400, true},
        {"*/*;x=1;q=0.2, a/*;q=0.4", "a/b;x=1", 400, false},
        {"*/*;x=1;q=0.2", "a/b", 0, false},
        {"application/json;charset=utf-8", "application/json;charset=utf-8", 1000, true},
        {"application/json ; Charset=\"UTF-8\"", "application/json; charset=utf-8", 1000, true},
        {"application/json;charset=latin1", "application/json;charset=utf-8", 0, false},
        {"application/json;charset=utf-8", "application/json", 0, false},
        {"application/json", "application/json;charset=utf-8", 1000, true},
        {"a/b;x=\"1,2;q=0\"", "a/b;x=\"1,2;q=0\"", 1000, true},
        {"a/b;x=\"\\\",\";q=0.5, c/d", "c/d", 1000, true},
    };
    (void)state;
    check_rows(rows, ROWS(rows));
}

static void accept_weight_is_read_to_three_places(void **state)
{
    static const struct row rows[] = {
        {"a/b;q=1", "a/b", 1000, true},
        {"a/b;q=1.", "a/b", 1000, true},
        {"a/b;q=1.0", "a/b", 1000, true},
        {"a/b;q=1.000", "a/b", 1000, true},
        {"a/b;q=0", "a/b", 0, true},
        {"a/b;q=0.", "a/b", 0, true},
        {"a/b;q=0.000", "a/b", 0, true},
        {"a/b;q=0.001", "a/b", 1, true},
        {"a/b;q=0.01", "a/b", 10, true},
        {"a/b;q=0.12", "a/b", 120, true},
        {"a/b;q=0.999", "a/b", 999, true},
        {"a/b;Q=0.5", "a/b", 500, true},
        {"a/b ;\tq=0.5", "a/b", 500, true},
        {"a/b;;q=0.5;", "a/b", 500, true},
        {"a/b;q=0.5;x=1", "a/b;x=1", 500, true}, /* in any place */
        {"a/b;q=0.5;q=0.6", "a/b", 600, true},
    };
    (void)state;
    check_rows(rows, ROWS(rows));
}

/* Beside a well-formed member, so that the field says something. */
static void accept_malformed_members_are_skipped(void **state)
{
    static const char *const members[] = {
        "a",
        "a/",
        "/b",
        "/",
        "*",
        "*/b",
        "*; q=.2",
        "a /b",
        "a/ b",
        "a/b c",
        "a/b/c",
        "a/b;q",
        "a/b;q=",
        "a/b;q=.5",
        "a/b;q=-0.5",
        "a/b;q=+0.5",
        "a/b;q=1.001",
        "a/b;q=1.1",
        "a/b;q=2",
        "a/b;q=10",
        "a/b;q=0.1234",
        "a/b;q=1.0000",

        "a/b;q=0.5x",
        "a/b;q=0x1",
        "a/b;q=\"1\"",
        "a/b;q = 0.5",
        "a/b;q= 0.5",
        "a/b;q =0.5",
        "a/b;x",
        "a/b;=1",
        "a/b;x=",
        "a/b;x=1 y=2",
        "a/b;x=\"1",
        "a/b;x=\"1\"2",
        "a/b q=0.5",
        "a/b;q=00",
        "a/b;q=01",
        "a/b;q=0-1",
        "a/b;q=0..",
        "a/b;q=NaN",
        "a/b;q=1e0",
        "a\\b",
        "(a)/b",
        "a/\"b\"",
        "a/b;x=\"1\\",
        "a/b;q=0.1a",
        "a/b;x=\"1\\\"",
    };
    (void)state;
    for (size_t i = 0; i < ROWS(members); i++) {
        char fields[256];
        (void)snprintf(fields, sizeof(fields), "Accept: c/d;q=0.5, %s\r\n", members[i]);
        assert_quality(fields, "a/b", 0, false);
        assert_quality(fields, "c/d", 500, true);
    }
}

static void accept_all_lines_make_one_list(void **state)
{
    static const char fields[] = "Accept: text/*;q=0.2\r\nHost: a\r\naccept: text/html;q=0.9\r\n"
                                 "ACCEPT: */*;q=0.1\r\nAccept-Encoding: text/plain\r\n";
    (void)state;
    assert_quality(fields, "text/html", 900, true);
    assert_quality(fields, "text/plain", 200, false);
    assert_quality(fields, "image/png", 100, false);
}

static void accept_long_lists_are_read_to_their_end(void **state)
{
    static const struct {
        const char *prefix;
        char byte;
        const char *suffix;
        unsigned quality;
        bool by_name;
    } rows[] = {
        {"Accept: ", ',', "a/b;q=0.5\r\n", 500, true},
        {"Accept: a/b", ';', "q=0.5\r\n", 500, true},
        {"Accept: a/b;q=0.5, ", '"', "\r\n", 500, true},
        {"Accept: a/b;q=0.5;x=\"", '\\', "\r\n", 1000, false},
        {"Accept: */*, ", 'a', "/b\r\n", 1000, false},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        static char fields[16500];
        request_fill(fields, sizeof(fields), rows[i].prefix, rows[i].byte, 16384, rows[i].suffix);
        assert_quality(fields, "a/b", rows[i].quality, rows[i].by_name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_without_a_preference_welcomes_everything),
        cmocka_unit_test(accept_most_specific_range_decides),
        cmocka_unit_test(accept_parameters_make_a_range_more_specific),
        cmocka_unit_test(accept_weight_is_read_to_three_places),
        cmocka_unit_test(accept_malformed_members_are_skipped),
        cmocka_unit_test(accept_all_lines_make_one_list),
        cmocka_unit_test(accept_long_lists_are_read_to_their_end),
    };
    return cmocka_run_group_tests(tests, create_guard, destroy_guard);
}
