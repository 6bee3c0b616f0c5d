/* Goal: each kind of string is taken or refused as the reference says. */
#include "server/config/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

struct row {
    const char *text;
    bool right;
};

static void assert_rows(bool (*check)(const char *), const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (check(rows[i].text) != rows[i].right)
            fail_msg("row: \"%s\"", rows[i].text);
    }
}

#define ASSERT_ROWS(check, rows) assert_rows(check, rows, sizeof(rows) / sizeof((rows)[0]))

/* Whether a string of `len` times 'a' is taken. */
static bool takes_length(bool (*check)(const char *), size_t len)
{
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, 'a', len);
    text[len] = '\0';
    bool right = check(text);
    free(text);
    return right;
}

static void check_address_takes_numbers_localhost_and_any(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"127.0.0.1", true},   {"0.0.0.0", true},      {"::", true},
        {"::1", true},         {"localhost", true},    {"*", true},
        {"", false},           {"127.1", false},       {"127.0.0.256", false},
        {"0127.0.0.1", false}, {"[::1]", false},       {"127.0.0.1:80", false},
        {"LOCALHOST", false},  {"example.org", false}, {" 127.0.0.1", false},
    };
    ASSERT_ROWS(check_address, rows);
}

static void check_formats_take_what_their_compilers_take(void **state)
{
    (void)state;
    static const struct row access_rows[] = {
        {"combined", true},   {"common", true}, {"json", true}, {"%h %{Referer}i", true},
        {"combined ", false}, {"", false},      {"%M", false},  {"%{Referer", false},
    };
    static const struct row error_rows[] = {
        {"[%t] %M", true}, {"%M", true}, {"combined", false}, {"[%t]", false}, {"%h %M", false},
    };
    ASSERT_ROWS(check_access_format, access_rows);
    ASSERT_ROWS(check_error_format, error_rows);
}

/* Runs an explaining function; the text is valid until the next call. */
static const char *explanation(void (*explain)(const char *, FILE *), const char *text)
{
    static char buffer[128];
    memset(buffer, 0, sizeof(buffer));
    FILE *out = fmemopen(buffer, sizeof(buffer), "w");
    assert_non_null(out);
    explain(text, out);
    assert_int_equal(fclose(out), 0);
    return buffer;
}

static void check_explains_where_a_format_is_wrong(void **state)
{
    (void)state;
    assert_string_equal(explanation(check_explain_access_format, "%h %y"),
                        " (unknown directive, byte 4)");
    assert_string_equal(explanation(check_explain_error_format, "[%t]"), " (no %M, byte 1)");
    assert_string_equal(explanation(check_explain_access_format, "%h"), "");
    assert_string_equal(explanation(check_explain_error_format, "%M"), "");
}

static void check_authority_takes_names_with_and_without_port(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a", true},         {"files.example.org", true},
        {"a:8080", true},    {"[::1]:80", true},
        {"", false},         {"a b", false},
        {"a:65536", false},  {"u@a", false},
        {"http://a", false}, {"*.example.org", false},
        {"a/b", false},
    };
    ASSERT_ROWS(check_authority, rows);
}

static void check_extension_takes_lower_case_without_a_dot(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"txt", true},  {"7z", true},   {"", false},    {".txt", false},
        {"TXT", false}, {"a.b", false}, {"a/b", false}, {"\xc3\xa9", false},
    };
    ASSERT_ROWS(check_extension, rows);
    assert_true(takes_length(check_extension, 15));
    assert_true(takes_length(check_extension, 16));
    assert_false(takes_length(check_extension, 17));
}

static void check_field_value_takes_visible_ascii(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", true},          {"no-cache", true}, {"max-age=3600, public", true}, {"~", true},
        {" a", false},       {"a ", false},      {"a\r\nX: b", false},           {"a\x7f", false},
        {"\xc3\xa9", false}, {"a\tb", false},
    };
    ASSERT_ROWS(check_field_value, rows);
    assert_true(takes_length(check_field_value, 1023));
    assert_true(takes_length(check_field_value, 1024));
    assert_false(takes_length(check_field_value, 1025));
}

static void check_file_name_takes_one_visible_segment(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"index.html", true}, {"a b", true}, {"", false},    {".", false},
        {"..", false},        {".a", false}, {"a/b", false}, {"/", false},
    };
    ASSERT_ROWS(check_file_name, rows);
    assert_true(takes_length(check_file_name, 254));
    assert_true(takes_length(check_file_name, 255));
    assert_false(takes_length(check_file_name, 256));
}

static void check_path_takes_what_the_kernel_takes(void **state)
{
    (void)state;
    static const struct row rows[] = {{"/", true}, {"a", true}, {"", false}};
    ASSERT_ROWS(check_path, rows);
    assert_true(takes_length(check_path, 4094));
    assert_true(takes_length(check_path, 4095));
    assert_false(takes_length(check_path, 4096));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_address_takes_numbers_localhost_and_any),
        cmocka_unit_test(check_formats_take_what_their_compilers_take),
        cmocka_unit_test(check_explains_where_a_format_is_wrong),
        cmocka_unit_test(check_authority_takes_names_with_and_without_port),
        cmocka_unit_test(check_extension_takes_lower_case_without_a_dot),
        cmocka_unit_test(check_field_value_takes_visible_ascii),
        cmocka_unit_test(check_file_name_takes_one_visible_segment),
        cmocka_unit_test(check_path_takes_what_the_kernel_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
