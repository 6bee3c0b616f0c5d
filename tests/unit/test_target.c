#include "http/target.h"
#include "tests/unit/assert_slice.h"
#include "tests/unit/guard.h"

#include <stdio.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define TEXT(literal)                                                                              \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

static struct guard guard;

static int create_guard(void **state)
{
    (void)state;
    guard = guard_create(16384);
    return 0;
}

static int destroy_guard(void **state)
{
    (void)state;
    guard_destroy(&guard);
    return 0;
}

static struct slice place(struct slice text)
{
    return (struct slice){guard_place(&guard, text.data, text.len), text.len};
}

static void target_split_takes_the_parts(void **state)
{
    static const struct {
        const char *raw;
        enum method method;
        enum target_form form;
        const char *authority;
        const char *path;
        const char *query; /* NULL if there is none */
    } rows[] = {
        {"/", METHOD_GET, TARGET_ORIGIN, "", "/", NULL},
        {"/a/b.txt", METHOD_GET, TARGET_ORIGIN, "", "/a/b.txt", NULL},
        {"/a?", METHOD_GET, TARGET_ORIGIN, "", "/a", ""},
        {"/a?b=c&d", METHOD_POST, TARGET_ORIGIN, "", "/a", "b=c&d"},
        {"/a?b?/c", METHOD_GET, TARGET_ORIGIN, "", "/a", "b?/c"},
        {"/?a", METHOD_UNKNOWN, TARGET_ORIGIN, "", "/", "a"},
        {"//evil.com/", METHOD_GET, TARGET_ORIGIN, "", "//evil.com/", NULL},
        {"/http://a/", METHOD_GET, TARGET_ORIGIN, "", "/http://a/", NULL},
        {"/%zz", METHOD_GET, TARGET_ORIGIN, "", "/%zz", NULL},
        {"/a\\b", METHOD_GET, TARGET_ORIGIN, "", "/a\\b", NULL},
        {"/-._~!$&'()*+,;=:@|^[]", METHOD_GET, TARGET_ORIGIN, "", "/-._~!$&'()*+,;=:@|^[]", NULL},
        {"/?{|}`^[]\\%", METHOD_GET, TARGET_ORIGIN, "", "/", "{|}`^[]\\%"},
        {"*", METHOD_OPTIONS, TARGET_ASTERISK, "", "", NULL},
        {"/*", METHOD_GET, TARGET_ORIGIN, "", "/*", NULL},
        {"http://a", METHOD_GET, TARGET_ABSOLUTE, "a", "/", NULL},
        {"http://a/", METHOD_GET, TARGET_ABSOLUTE, "a", "/", NULL},
        {"HTTP://a:1/b?c", METHOD_GET, TARGET_ABSOLUTE, "a:1", "/b", "c"},
        {"http://a?b", METHOD_GET, TARGET_ABSOLUTE, "a", "/", "b"},
        {"http://a?", METHOD_GET, TARGET_ABSOLUTE, "a", "/", ""},
        {"http://[::1]:8080/x", METHOD_GET, TARGET_ABSOLUTE, "[::1]:8080", "/x", NULL},
        {"http://u@a/", METHOD_GET, TARGET_ABSOLUTE, "u@a", "/", NULL},
        {"http://a", METHOD_OPTIONS, TARGET_ABSOLUTE, "a", "/", NULL},
        {"a:443", METHOD_CONNECT, TARGET_AUTHORITY, "a:443", "", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct target target;
        if (target_split(place(slice_from_string(rows[i].raw)), rows[i].method, &target) !=
            HTTP_GO_ON)
            fail_msg("%s is refused", rows[i].raw);
        assert_int_equal(target.form, rows[i].form);
        assert_slice_is(target.authority, rows[i].authority);
        assert_slice_is(target.path, rows[i].path);
        assert_slice_is(target.query, rows[i].query ? rows[i].query : "");
        assert_int_equal(target.has_query, rows[i].query != NULL);
    }
}

static void target_split_refuses_what_does_not_fit(void **state)
{
    static const struct {
        struct slice raw;
        enum method method;
    } rows[] = {
        {TEXT(""), METHOD_GET},
        {TEXT("a/etc/passwd"), METHOD_GET},
        {TEXT("?a"), METHOD_GET},
        {TEXT("*"), METHOD_GET},
        {TEXT("*"), METHOD_UNKNOWN},
        {TEXT("*/"), METHOD_OPTIONS},
        {TEXT("**"), METHOD_OPTIONS},
        {TEXT("*?a"), METHOD_OPTIONS},
        {TEXT("a:443"), METHOD_GET},
        {TEXT("/"), METHOD_CONNECT},
        {TEXT("*"), METHOD_CONNECT},
        {TEXT("http:"), METHOD_GET},
        {TEXT("http://"), METHOD_GET},
        {TEXT("http:/a"), METHOD_GET},
        {TEXT("http:///x"), METHOD_GET},
        {TEXT("http://?x"), METHOD_GET},
        {TEXT("https://a/"), METHOD_GET},
        {TEXT("ftp://localhost:8080/"), METHOD_GET},
        {TEXT("file:///etc/passwd"), METHOD_GET},
        {TEXT("javascript:1"), METHOD_GET},
        {TEXT("/#x"), METHOD_GET},
        {TEXT("/a?b#c"), METHOD_GET},
        {TEXT("http://a/#b"), METHOD_GET},
        {TEXT("/a b"), METHOD_GET},
        {TEXT("/\xc3\xa9"), METHOD_GET},
        {TEXT("/a?\xc3\xa9"), METHOD_GET},
        {TEXT("/\x00"), METHOD_GET},
        {TEXT("/?\x00"), METHOD_GET},
        {TEXT("/\x7f"), METHOD_GET},
        {TEXT("/\""), METHOD_GET},
        {TEXT("/?\""), METHOD_GET},
        {TEXT("/<a>"), METHOD_GET},
        {TEXT("/?<a>"), METHOD_GET},
        {TEXT("/{a}"), METHOD_GET},
        {TEXT("/`"), METHOD_GET},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct target target = {.has_query = true};
        if (target_split(place(rows[i].raw), rows[i].method, &target) != HTTP_BAD_REQUEST)
            fail_msg("\"%s\" is accepted", rows[i].raw.data);
        assert_true(target.has_query);
    }
}

/* Gives the result its place in a heap block of just the promised size, so that a sanitizer sees
 * what is written beyond it.
 */
static enum http_status canonicalize(struct slice raw, char *out, size_t *out_len)
{
    char *exact = malloc(raw.len + 1);
    assert_non_null(exact);
    enum http_status status = target_canonicalize(place(raw), exact, raw.len + 1, out_len);
    if (status == HTTP_GO_ON)
        memcpy(out, exact, *out_len + 1);
    free(exact);
    return status;
}

static void target_canonicalize_decodes_and_collapses(void **state)
{
    static const struct {
        const char *raw;
        const char *path;
    } rows[] = {
        {"/", "/"},
        {"//", "/"},
        {"/////", "/"},
        {"/a", "/a"},
        {"/a/", "/a/"},
        {"/a//", "/a/"},
        {"//a", "/a"},
        {"//a//b///c", "/a/b/c"},
        {"//evil.com/x", "/evil.com/x"},
        {"/%41%62%2d", "/Ab-"},
        {"/%c3%A9", "/\xc3\xa9"},
        {"/%f0%9f%98%80/x", "/\xf0\x9f\x98\x80/x"},
        {"/a%20b", "/a b"},
        {"/a+b", "/a+b"},
        {"/%25", "/%"},
        {"/%252e%252e/", "/%2e%2e/"},
        {"/%252f", "/%2f"},
        {"/%3f%23", "/?#"},
        {"/...", "/..."},
        {"/..a", "/..a"},
        {"/a..", "/a.."},
        {"/.a/b.", "/.a/b."},
        {"/a.b/..c/d..", "/a.b/..c/d.."},
        {"/%2ea", "/.a"},
        {"/~u/[x]|^", "/~u/[x]|^"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char out[256];
        size_t len = 0;
        enum http_status status = canonicalize(slice_from_string(rows[i].raw), out, &len);
        if (status != HTTP_GO_ON)
            fail_msg("%s: %d", rows[i].raw, (int)status);
        assert_string_equal(out, rows[i].path);
        assert_int_equal(len, strlen(rows[i].path));
    }
}

static void target_canonicalize_refuses_hostile_paths(void **state)
{
    static const struct {
        struct slice raw;
        enum http_status status;
    } rows[] = {
        /* Dot segments, in any encoding. */
        {TEXT("/."), HTTP_FORBIDDEN},
        {TEXT("/./"), HTTP_FORBIDDEN},
        {TEXT("/.."), HTTP_FORBIDDEN},
        {TEXT("/../x"), HTTP_FORBIDDEN},
        {TEXT("/a/../../x"), HTTP_FORBIDDEN},
        {TEXT("/a/.."), HTTP_FORBIDDEN},
        {TEXT("/a/."), HTTP_FORBIDDEN},
        {TEXT("/a//../b"), HTTP_FORBIDDEN},
        {TEXT("//.."), HTTP_FORBIDDEN},
        {TEXT("/%2e"), HTTP_FORBIDDEN},
        {TEXT("/%2e%2e/"), HTTP_FORBIDDEN},
        {TEXT("/.%2e/"), HTTP_FORBIDDEN},
        {TEXT("/%2E./"), HTTP_FORBIDDEN},
        {TEXT("/%2E/"), HTTP_FORBIDDEN},
        /* Separators that are none in a URI. */
        {TEXT("/..%2f..%2f"), HTTP_FORBIDDEN},
        {TEXT("/a%2fb"), HTTP_FORBIDDEN},
        {TEXT("/a%2Fb"), HTTP_FORBIDDEN},
        {TEXT("/%5c..%5c"), HTTP_FORBIDDEN},
        {TEXT("/a%5Cb"), HTTP_FORBIDDEN},
        {TEXT("/a\\b"), HTTP_FORBIDDEN},
        /* Bad escapes. */
        {TEXT("/%"), HTTP_BAD_REQUEST},
        {TEXT("/%4"), HTTP_BAD_REQUEST},
        {TEXT("/%zz"), HTTP_BAD_REQUEST},
        {TEXT("/%4z"), HTTP_BAD_REQUEST},
        {TEXT("/%z4"), HTTP_BAD_REQUEST},
        {TEXT("/%u002e"), HTTP_BAD_REQUEST},
        {TEXT("/% 41"), HTTP_BAD_REQUEST},
        {TEXT("/%+4"), HTTP_BAD_REQUEST},
        {TEXT("/%%32%65%%32%65/"), HTTP_BAD_REQUEST},
        {TEXT("/a%%3"), HTTP_BAD_REQUEST},
        /* NUL and control bytes. */
        {TEXT("/a.html%00.txt"), HTTP_BAD_REQUEST},
        {TEXT("/a\x00"), HTTP_BAD_REQUEST},
        {TEXT("/.%0d./.%0d./bin/sh"), HTTP_BAD_REQUEST},
        {TEXT("/%0a"), HTTP_BAD_REQUEST},
        {TEXT("/%09"), HTTP_BAD_REQUEST},
        {TEXT("/%1b"), HTTP_BAD_REQUEST},
        {TEXT("/%7f"), HTTP_BAD_REQUEST},
        /* Not UTF-8. */
        {TEXT("/%c0%ae%c0%ae/"), HTTP_BAD_REQUEST},
        {TEXT("/%c0%af"), HTTP_BAD_REQUEST},
        {TEXT("/%e0%80%af"), HTTP_BAD_REQUEST},
        {TEXT("/%ff"), HTTP_BAD_REQUEST},
        {TEXT("/%80"), HTTP_BAD_REQUEST},
        {TEXT("/%ed%a0%80"), HTTP_BAD_REQUEST},
        {TEXT("/%f4%90%80%80"), HTTP_BAD_REQUEST},
        {TEXT("/%c3"), HTTP_BAD_REQUEST},
        {TEXT("/%c3/%a9"), HTTP_BAD_REQUEST},
        /* Guilty of both. */
        {TEXT("/../%zz"), HTTP_BAD_REQUEST},
        {TEXT("/%2f%ff"), HTTP_BAD_REQUEST},
        {TEXT("/../a%00"), HTTP_BAD_REQUEST},
        /* No path at all. */
        {TEXT(""), HTTP_BAD_REQUEST},
        {TEXT("a"), HTTP_BAD_REQUEST},
        {TEXT("%2fa"), HTTP_BAD_REQUEST},
        {TEXT("../a"), HTTP_BAD_REQUEST},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char out[256];
        size_t len = 42;
        enum http_status status = canonicalize(rows[i].raw, out, &len);
        if (status != rows[i].status)
            fail_msg("%s: %d, expected %d", rows[i].raw.data, (int)status, (int)rows[i].status);
        assert_int_equal(len, 42);
    }
}

static void target_canonicalize_refuses_each_encoded_control_byte(void **state)
{
    (void)state;
    for (unsigned octet = 0; octet < 128; octet++) {
        char raw[16];
        char out[16];
        size_t len = 0;
        (void)snprintf(raw, sizeof(raw), "/x%%%02xy", octet);
        enum http_status expected = octet < 32 || octet == 127      ? HTTP_BAD_REQUEST
                                    : octet == '/' || octet == '\\' ? HTTP_FORBIDDEN
                                                                    : HTTP_GO_ON;
        assert_int_equal(canonicalize(slice_from_string(raw), out, &len), expected);
    }
}

static void target_canonicalize_in_too_little_room_is_414(void **state)
{
    char out[8] = "xxxxxxx";
    size_t len = 42;
    (void)state;
    assert_int_equal(target_canonicalize(SLICE("/abc"), out, 4, &len), HTTP_URI_TOO_LONG);
    assert_int_equal(target_canonicalize(SLICE("/"), out, 1, &len), HTTP_URI_TOO_LONG);
    assert_int_equal(target_canonicalize(SLICE("/"), out, 0, &len), HTTP_URI_TOO_LONG);
    assert_int_equal(len, 42);
    assert_int_equal(out[4], 'x');
    assert_int_equal(target_canonicalize(SLICE("/abc"), out, 5, &len), HTTP_GO_ON);
    assert_string_equal(out, "/abc");
    assert_int_equal(target_canonicalize(SLICE("/%61b"), out, 4, &len), HTTP_GO_ON);
    assert_string_equal(out, "/ab");
}

static void target_canonicalize_long_and_deep_paths_pass(void **state)
{
    static char raw[8001];
    static char out[8001];
    size_t len = 0;
    (void)state;
    for (size_t i = 0; i < 8000; i++)
        raw[i] = i % 2 == 0 ? '/' : 'a';
    assert_int_equal(canonicalize(slice_from_string(raw), out, &len), HTTP_GO_ON);
    assert_string_equal(out, raw);
    assert_int_equal(len, 8000);
    memset(raw, '/', 8000);
    assert_int_equal(canonicalize(slice_from_string(raw), out, &len), HTTP_GO_ON);
    assert_string_equal(out, "/");
}

static void target_is_hidden_sees_dots_at_the_begin_of_a_segment(void **state)
{
    static const struct {
        const char *path;
        bool hidden;
    } rows[] = {
        {"/", false},
        {"/a", false},
        {"/a.b", false},
        {"/a./b.", false},
        {"/.git/config", true},
        {"/.a", true},
        {"/a/.b", true},
        {"/a/.b/c", true},
        {"/a/...", true},
        {"/.well-known/", false},
        {"/.well-known", false},
        {"/.well-known/acme/x", false},
        {"/.well-known/.git", true},
        {"/.well-known/a/.b", true},
        {"/.well-knownx", true},
        {"/.well-know", true},
        {"/.Well-Known/", true},
        {"/a/.well-known/", true},
        {"/.well-known/.well-known/", true},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        if (target_is_hidden(place(slice_from_string(rows[i].path))) != rows[i].hidden)
            fail_msg("%s", rows[i].path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(target_split_takes_the_parts),
        cmocka_unit_test(target_split_refuses_what_does_not_fit),
        cmocka_unit_test(target_canonicalize_decodes_and_collapses),
        cmocka_unit_test(target_canonicalize_refuses_hostile_paths),
        cmocka_unit_test(target_canonicalize_refuses_each_encoded_control_byte),
        cmocka_unit_test(target_canonicalize_in_too_little_room_is_414),
        cmocka_unit_test(target_canonicalize_long_and_deep_paths_pass),
        cmocka_unit_test(target_is_hidden_sees_dots_at_the_begin_of_a_segment),
    };
    return cmocka_run_group_tests(tests, create_guard, destroy_guard);
}
