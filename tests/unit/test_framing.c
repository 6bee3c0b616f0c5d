#include "http/framing.h"
#include "http/parser.h"
#include "tests/unit/fill.h"
#include "tests/unit/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static struct guard guard;

static int create_guard(void **state)
{
    (void)state;
    guard = guard_create(8192);
    return 0;
}

static int destroy_guard(void **state)
{
    (void)state;
    guard_destroy(&guard);
    return 0;
}

/* Parses a POST with these field lines and reads its framing. */
static enum http_status read_framing(const char *version, const char *fields, struct framing *out)
{
    static char input[8192];
    struct head head;
    struct parser parser;
    const struct parser_limits limits = {sizeof(input), HEAD_FIELDS_MAX};
    int len = snprintf(input, sizeof(input), "POST / %s\r\n%s\r\n", version, fields);
    const char *bytes = guard_place(&guard, input, (size_t)len);
    parser_init(&parser, &head);
    if (parser_run(&parser, &head, &limits, bytes, (size_t)len) != PARSE_DONE)
        fail_msg("the parser refuses: %s", fields);
    return framing_read(&head, out);
}

static void assert_refused(const char *version, const char *fields, enum http_status expected)
{
    struct framing framing = {.length = 42, .persistent = true};
    enum http_status status = read_framing(version, fields, &framing);
    if (status != expected)
        fail_msg("%s: got %d, expected %d", fields, (int)status, (int)expected);
    assert_int_equal(framing.length, 42);
    assert_true(framing.persistent);
}

static struct framing assert_accepted(const char *version, const char *fields)
{
    struct framing framing = {0};
    enum http_status status = read_framing(version, fields, &framing);
    if (status != HTTP_GO_ON)
        fail_msg("%s: got %d", fields, (int)status);
    return framing;
}

static void framing_without_fields_is_none(void **state)
{
    (void)state;
    struct framing framing = assert_accepted("HTTP/1.1", "Host: a\r\n");
    assert_int_equal(framing.kind, FRAMING_NONE);
    assert_int_equal(framing.length, 0);
    assert_false(framing.expect_continue);
}

static void framing_content_length_is_decimal(void **state)
{
    static const struct {
        const char *fields;
        uint64_t length;
    } rows[] = {
        {"Content-Length: 0\r\n", 0},
        {"content-LENGTH:5\r\n", 5},
        {"Content-Length:\t 10 \t\r\n", 10},
        {"Content-Length: 4294967296\r\n", 4294967296},
        {"Content-Length: 9223372036854775806\r\n", INT64_MAX - 1},
        {"Content-Length: 9223372036854775807\r\n", INT64_MAX},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct framing framing = assert_accepted("HTTP/1.1", rows[i].fields);
        assert_int_equal(framing.kind, FRAMING_LENGTH);
        assert_true(framing.length == rows[i].length);
    }
}

static void framing_wrong_content_length_is_400(void **state)
{
    static const char *const rows[] = {
        "Content-Length: +5\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: -0\r\n",
        "Content-Length: -268435455700\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5_0\r\n",
        "Content-Length: 1 0\r\n",
        "Content-Length: 5abc\r\n",
        "Content-Length: 5;\r\n",
        "Content-Length: 5.0\r\n",
        "Content-Length: \"5\"\r\n",
        "Content-Length:\r\n",
        "Content-Length: \r\n",
        "Content-Length: \2405\r\n",
        "Content-Length: 0200\r\n",
        "Content-Length: 00\r\n",
        "Content-Length: 010\r\n",
        "Content-Length: 9223372036854775808\r\n",
        "Content-Length: 18446744073709551615\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Content-Length: 9999999999999999999999999999999999999999\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: 5,\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 1\r\nContent-Length: 0\r\n",
        "Content-Length: 5\r\nHost: a\r\ncontent-length: 5\r\n",
        "Content-Length:\r\nContent-Length: 5\r\n",
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_refused("HTTP/1.1", rows[i], HTTP_BAD_REQUEST);
}

static void framing_chunked_is_recognised_in_any_case(void **state)
{
    static const char *const rows[] = {
        "Transfer-Encoding: chunked\r\n",
        "TRANSFER-ENCODING: cHuNkEd\r\n",
        "transfer-encoding:\tchunked \r\n",
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_int_equal(assert_accepted("HTTP/1.1", rows[i]).kind, FRAMING_CHUNKED);
}

static void framing_wrong_transfer_encoding_is_refused(void **state)
{
    static const struct {
        const char *fields;
        enum http_status status;
    } rows[] = {
        {"Transfer-Encoding: xchunked\r\n", HTTP_NOT_IMPLEMENTED},
        {"Transfer-Encoding: chunkedx\r\n", HTTP_NOT_IMPLEMENTED},
        {"Transfer-Encoding: chunke\r\n", HTTP_NOT_IMPLEMENTED},
        {"Transfer-Encoding: identity\r\n", HTTP_NOT_IMPLEMENTED},
        {"Transfer-Encoding: gzip\r\n", HTTP_NOT_IMPLEMENTED},
        {"Transfer-Encoding: gzip, chunked\r\n", HTTP_NOT_IMPLEMENTED},
        {"Transfer-Encoding: chunked, identity\r\n", HTTP_NOT_IMPLEMENTED},
        {"Transfer-Encoding: chunked, chunked\r\n", HTTP_BAD_REQUEST},
        {"Transfer-Encoding: chunked;q=1\r\n", HTTP_BAD_REQUEST},
        {"Transfer-Encoding: \"chunked\"\r\n", HTTP_BAD_REQUEST},
        {"Transfer-Encoding: chunked chunked\r\n", HTTP_BAD_REQUEST},
        {"Transfer-Encoding: ,chunked\r\n", HTTP_BAD_REQUEST},
        {"Transfer-Encoding: chunked,\r\n", HTTP_BAD_REQUEST},
        {"Transfer-Encoding: ,\r\n", HTTP_BAD_REQUEST},
        {"Transfer-Encoding:\r\n", HTTP_BAD_REQUEST},
        {"Transfer-Encoding: \240chunked\240\r\n", HTTP_BAD_REQUEST},
        {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", HTTP_BAD_REQUEST},
        {"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", HTTP_BAD_REQUEST},
        {"Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n", HTTP_BAD_REQUEST},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_refused("HTTP/1.1", rows[i].fields, rows[i].status);
}

static void framing_length_with_transfer_encoding_is_400(void **state)
{
    static const char *const rows[] = {
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n",
        "Transfer-Encoding: gzip\r\nContent-Length: 6\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: x\r\n",
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_refused("HTTP/1.1", rows[i], HTTP_BAD_REQUEST);
}

static void framing_transfer_encoding_in_http_10_is_400(void **state)
{
    (void)state;
    assert_refused("HTTP/1.0", "Transfer-Encoding: chunked\r\n", HTTP_BAD_REQUEST);
    assert_refused("HTTP/1.0", "Transfer-Encoding: gzip\r\n", HTTP_BAD_REQUEST);
}

static void framing_similar_names_are_other_fields(void **state)
{
    (void)state;
    struct framing framing = assert_accepted("HTTP/1.1", "Content_Length: 5\r\n"
                                                         "Transfer_Encoding: chunked\r\n"
                                                         "Content-Lengths: 5\r\n"
                                                         "XContent-Length: 5\r\n"
                                                         "Expecx: foo\r\n"
                                                         "Connectiom: close\r\n");
    assert_int_equal(framing.kind, FRAMING_NONE);
    assert_true(framing.persistent);
}

static void framing_persistence_follows_version_and_connection(void **state)
{
    static const struct {
        const char *version;
        const char *fields;
        bool persistent;
    } rows[] = {
        {"HTTP/1.1", "", true},
        {"HTTP/1.1", "Connection: close\r\n", false},
        {"HTTP/1.1", "Connection: CLOSE\r\n", false},
        {"HTTP/1.1", "Connection: keep-alive\r\n", true},
        {"HTTP/1.1", "Connection: close, keep-alive\r\n", false},
        {"HTTP/1.1", "Connection: keep-alive, close\r\n", false},
        {"HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n", false},
        {"HTTP/1.1", "Connection: close\r\nConnection: keep-alive\r\n", false},
        {"HTTP/1.1", "Connection: TE,,close\r\n", false},
        {"HTTP/1.1", "Connection: Upgrade, HTTP2-Settings\r\n", true},
        {"HTTP/1.1", "Connection: closed\r\n", true},
        {"HTTP/1.1", "Connection: \"close\"\r\n", true},
        {"HTTP/1.1", "Connection:\r\n", true},
        {"HTTP/1.1", "Connection: ,, ,\r\n", true},
        {"HTTP/1.2", "", true},
        {"HTTP/1.0", "", false},
        {"HTTP/1.0", "Connection: keep-alive\r\n", true},
        {"HTTP/1.0", "Connection: TE,,Keep-Alive\r\n", true},
        {"HTTP/1.0", "Connection: close, keep-alive\r\n", false},
        {"HTTP/1.0", "Connection: keep-alive\r\nConnection: close\r\n", false},
        {"HTTP/1.0", "Connection: x\r\n", false},
        {"HTTP/1.0", "Keep-Alive: timeout=5\r\n", false},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct framing framing = assert_accepted(rows[i].version, rows[i].fields);
        if (framing.persistent != rows[i].persistent)
            fail_msg("%s %s", rows[i].version, rows[i].fields);
    }
}

static void framing_long_connection_list_is_read_to_its_end(void **state)
{
    char fields[4200];
    (void)state;
    (void)fill(fields, sizeof(fields), "Connection: ", ',', 4096, "close\r\n");
    fields[sizeof("Connection: close\r\n") - 1 + 4096] = '\0';
    assert_false(assert_accepted("HTTP/1.1", fields).persistent);
}

static void framing_expectations_are_read(void **state)
{
    static const struct {
        const char *version;
        const char *fields;
        bool expect_continue;
        bool expect_other;
    } rows[] = {
        {"HTTP/1.1", "", false, false},
        {"HTTP/1.1", "Expect: 100-continue\r\n", true, false},
        {"HTTP/1.1", "expect: 100-CONTINUE\r\n", true, false},
        {"HTTP/1.1", "Expect: 100-continue, 100-continue\r\n", true, false},
        {"HTTP/1.1", "Expect:\r\n", false, false},
        {"HTTP/1.1", "Expect: ,\r\n", false, false},
        {"HTTP/1.1", "Expect: foo\r\n", false, true},
        {"HTTP/1.1", "Expect: 100-continue;x=y\r\n", false, true},
        {"HTTP/1.1", "Expect: \"100-continue\"\r\n", false, true},
        {"HTTP/1.1", "Expect: 100-continue, foo\r\n", true, true},
        {"HTTP/1.1", "Expect: foo\r\nExpect: 100-continue\r\n", true, true},
        {"HTTP/1.1", "Expect: 100-continue\r\nExpect: foo\r\n", true, true},
        {"HTTP/1.0", "Expect: 100-continue\r\n", false, false},
        {"HTTP/1.0", "Expect: foo\r\n", false, false},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct framing framing = assert_accepted(rows[i].version, rows[i].fields);
        if (framing.expect_continue != rows[i].expect_continue ||
            framing.expect_other != rows[i].expect_other)
            fail_msg("%s %s", rows[i].version, rows[i].fields);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(framing_without_fields_is_none),
        cmocka_unit_test(framing_content_length_is_decimal),
        cmocka_unit_test(framing_wrong_content_length_is_400),
        cmocka_unit_test(framing_chunked_is_recognised_in_any_case),
        cmocka_unit_test(framing_wrong_transfer_encoding_is_refused),
        cmocka_unit_test(framing_length_with_transfer_encoding_is_400),
        cmocka_unit_test(framing_transfer_encoding_in_http_10_is_400),
        cmocka_unit_test(framing_similar_names_are_other_fields),
        cmocka_unit_test(framing_persistence_follows_version_and_connection),
        cmocka_unit_test(framing_long_connection_list_is_read_to_its_end),
        cmocka_unit_test(framing_expectations_are_read),
    };
    return cmocka_run_group_tests(tests, create_guard, destroy_guard);
}
