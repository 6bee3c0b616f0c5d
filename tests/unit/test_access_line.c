/* Lines of the access log: what each directive shows, what is absent, hostile bytes, JSON. */
#include "server/log/access_line.h"

#include "server/json/json_check.h"
#include "tests/support/crafted_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(rows)  (sizeof(rows) / sizeof(rows)[0])
#define WHEN         971186136 /* 10 October 2000, 13:55:36 UTC */

#define FUZZED_LINES 100000

static struct crafted_head crafted;
static struct log_format format;
static char buffer[1 << 20];

static void set_zone(const char *zone)
{
    assert_int_equal(setenv("TZ", zone, 1), 0);
    tzset();
}

static int setup(void **state)
{
    (void)state;
    set_zone("UTC0");
    return 0;
}

static struct access_entry usual_entry(void)
{
    crafted_head_begin(&crafted, SLICE("GET"), SLICE("/a/b?x=1&y"), SLICE("HTTP/1.1"));
    crafted_head_add(&crafted, SLICE("Host"), SLICE("example.org:8080"));
    crafted_head_add(&crafted, SLICE("referer"), SLICE("http://localhost:8080/"));
    crafted_head_add(&crafted, SLICE("User-Agent"), SLICE("curl/7.88.1"));
    crafted_head_add(&crafted, SLICE("Cookie"), SLICE("a=b; session=\"s 1\""));
    return (struct access_entry){
        .head = &crafted.head,
        .client = SLICE("192.0.2.7"),
        .local = SLICE("192.0.2.1"),
        .port = 8080,
        .time = WHEN,
        .microsecond = 7008,
        .status = 200,
        .body_bytes = 1234,
        .duration_us = 2345678,
        .queue_wait_us = 1000999,
        .request_number = 3,
        .ending = '+',
    };
}

/* A request of which nothing was understood. */
static struct access_entry empty_entry(void)
{
    crafted_head_begin(&crafted, SLICE(""), SLICE(""), SLICE(""));
    return (struct access_entry){
        .head = &crafted.head, .client = SLICE("::1"), .time = WHEN, .status = 408, .ending = '-'};
}

static struct slice append_line(const struct access_entry *entry)
{
    struct access_stamps stamps = {0};
    struct text out = text_over(buffer, sizeof buffer - 1);
    access_line_append(&out, &format, &stamps, entry);
    assert_false(out.truncated);
    buffer[out.len] = '\0';
    return text_slice(&out);
}

/* The line in that format, without its newline, which must be the only one. */
static const char *line_of(const char *text, const struct access_entry *entry)
{
    struct log_fault fault;
    if (access_format_compile(text, &format, &fault) != 0)
        fail_msg("%s: %s", text, fault.what);
    struct slice line = append_line(entry);
    assert_ptr_equal(memchr(line.data, '\n', line.len), line.data + line.len - 1);
    buffer[line.len - 1] = '\0';
    return buffer;
}

static void assert_line(const char *text, const struct access_entry *entry, const char *expected)
{
    const char *line = line_of(text, entry);
    if (strcmp(line, expected) != 0)
        fail_msg("%s gives \"%s\" and not \"%s\"", text, line, expected);
}

static void access_line_shows_what_the_format_asks_for(void **state)
{
    static const struct {
        const char *format;
        const char *line;
    } rows[] = {
        {"%h %a %A %l %u", "192.0.2.7 192.0.2.7 192.0.2.1 - -"},
        {"%r", "GET /a/b?x=1&y HTTP/1.1"},
        {"%m %U%q %H", "GET /a/b?x=1&y HTTP/1.1"},
        {"%s %>s %b %B", "200 200 1234 1234"},
        {"%D %{us}T %{ms}T %{s}T %T", "2345678 2345678 2345 2 2"},
        {"%Q %{us}Q %{ms}Q %{s}Q", "1000999 1000999 1000 1"},
        {"%{Referer}i|%{USER-AGENT}i|%{Accept}i", "http://localhost:8080/|curl/7.88.1|-"},
        {"%{session}C %{a}C %{Session}C", "s 1 b -"},
        {"%v %p %k %X", "example.org 8080 2 +"},
        {"%t", "[10/Oct/2000:13:55:36 +0000]"},
        {"%{sec}t %{msec}t %{usec}t", "971186136 971186136007 971186136007008"},
        {"%{%H:%M:%S}t.%{msec_frac}t %{usec_frac}t", "13:55:36.007 007008"},
        {"%{rfc3339}t", "2000-10-10T13:55:36.007Z"},
        {"%{%d %b}t %{%A}t", "10 Oct Tuesday"},
        {"common",
         "192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] \"GET /a/b?x=1&y HTTP/1.1\" 200 1234"},
        {"combined", "192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] \"GET /a/b?x=1&y HTTP/1.1\" 200 "
                     "1234 \"http://localhost:8080/\" \"curl/7.88.1\""},
        {"%a %t %m %U %H %>s %b %{Referer}i %{User-Agent}i",
         "192.0.2.7 [10/Oct/2000:13:55:36 +0000] GET /a/b HTTP/1.1 200 1234 "
         "http://localhost:8080/ curl/7.88.1"},
        {"json", "{\"time\":\"2000-10-10T13:55:36.007Z\",\"client\":\"192.0.2.7\","
                 "\"request\":\"GET /a/b?x=1&y HTTP/1.1\",\"method\":\"GET\",\"path\":\"/a/b\","
                 "\"query\":\"x=1&y\",\"version\":\"HTTP/1.1\",\"host\":\"example.org:8080\","
                 "\"status\":200,\"bytes\":1234,\"referer\":\"http://localhost:8080/\","
                 "\"user_agent\":\"curl/7.88.1\",\"duration_us\":2345678,\"queue_wait_us\":1000999,"
                 "\"request_number\":3}"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct access_entry entry = usual_entry();
        assert_line(rows[i].format, &entry, rows[i].line);
    }
}

static void access_line_process_and_thread_are_the_kernels(void **state)
{
    struct access_entry entry = usual_entry();
    char expected[64];
    (void)state;
    snprintf(expected, sizeof expected, "%d %d %d", (int)getpid(), (int)getpid(), (int)gettid());
    assert_line("%P %{pid}P %{tid}P", &entry, expected);
}

static void access_line_what_is_absent_is_a_dash(void **state)
{
    static const struct {
        const char *format;
        const char *line;
    } rows[] = {
        {"combined", "::1 - - [10/Oct/2000:13:55:36 +0000] \"-\" 408 - \"-\" \"-\""},
        {"%m %U %H %v %A %{a}C %{Host}i", "- - - - - - -"},
        {"<%q> %B %k %D %Q", "<> 0 0 0 0"},
        {"json", "{\"time\":\"2000-10-10T13:55:36.000Z\",\"client\":\"::1\",\"request\":null,"
                 "\"method\":null,\"path\":null,\"query\":null,\"version\":null,\"host\":null,"
                 "\"status\":408,\"bytes\":0,\"referer\":null,\"user_agent\":null,"
                 "\"duration_us\":0,\"queue_wait_us\":0,\"request_number\":0}"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct access_entry entry = empty_entry();
        assert_line(rows[i].format, &entry, rows[i].line);
    }
}

/* In JSON there is a difference. */
static void access_line_what_is_empty_is_not_absent(void **state)
{
    struct access_entry entry = usual_entry();
    (void)state;
    crafted_head_begin(&crafted, SLICE("GET"), SLICE("/?"), SLICE("HTTP/1.0"));
    crafted_head_add(&crafted, SLICE("Referer"), SLICE(""));
    assert_line("%{Referer}i %q", &entry, "- ?");
    const char *line = line_of("json", &entry);
    assert_non_null(strstr(line, "\"query\":\"\","));
    assert_non_null(strstr(line, "\"referer\":\"\","));
    assert_non_null(strstr(line, "\"user_agent\":null,"));
}

static void access_line_takes_each_form_of_target_apart(void **state)
{
    static const struct {
        const char *method;
        const char *target;
        const char *line; /* path, query, host */
    } rows[] = {
        {"GET", "/", "/  h"},
        {"GET", "/a?b?c", "/a ?b?c h"},
        {"GET", "?", "- ? h"},
        {"GET", "http://example.org", "/  example.org"},
        {"GET", "http://example.org:80/x?y", "/x ?y example.org"},
        {"GET", "http://[::1]:80/", "/  [::1]"},
        {"GET", "http://[::1]/", "/  [::1]"},
        {"GET", "ftp://example.org/x?y", "ftp://example.org/x ?y h"},
        {"OPTIONS", "*", "*  h"},
        {"CONNECT", "example.org:443", "example.org:443  example.org"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct access_entry entry = usual_entry();
        crafted_head_begin(&crafted, slice_from_string(rows[i].method),
                           slice_from_string(rows[i].target), SLICE("HTTP/1.1"));
        crafted_head_add(&crafted, SLICE("Host"), SLICE("h:8080"));
        assert_line("%U %q %v", &entry, rows[i].line);
    }
}

static void access_line_broken_request_line_is_shown_as_it_came(void **state)
{
    static const struct {
        const char *bytes;
        const char *line;
    } rows[] = {
        {"GET  / HTTP/1.1\r\nHost: x\r\n", "GET  / HTTP/1.1 -"},
        {"GET /\nHost: x", "GET / -"},
        {"half a li", "half a li -"},
        {"\r\n", "- -"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct access_entry entry = empty_entry();
        struct head head = {.bytes = rows[i].bytes, .len = strlen(rows[i].bytes)};
        entry.head = &head;
        assert_line("%r %m", &entry, rows[i].line);
    }
}

static void access_line_times_follow_the_zone(void **state)
{
    static const struct {
        const char *zone;
        const char *line;
    } rows[] = {
        {"UTC0", "[10/Oct/2000:13:55:36 +0000] 13 2000-10-10T13:55:36.007Z"},
        {"INDIA-5:30", "[10/Oct/2000:19:25:36 +0530] 19 2000-10-10T13:55:36.007Z"},
        {"WEST3:30", "[10/Oct/2000:10:25:36 -0330] 10 2000-10-10T13:55:36.007Z"},
        {"FAR-14", "[11/Oct/2000:03:55:36 +1400] 03 2000-10-10T13:55:36.007Z"},
    };
    struct access_entry entry = usual_entry();
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        set_zone(rows[i].zone);
        assert_line("%t %{%H}t %{rfc3339}t", &entry, rows[i].line);
    }
    set_zone("UTC0");
}

/* The stamps keep the text of a second, each for its own directive. */
static void access_line_stamps_follow_the_time(void **state)
{
    static const time_t times[] = {WHEN, WHEN, WHEN + 1, WHEN - 3600};
    static const char *const lines[] = {
        "[10/Oct/2000:13:55:36 +0000] 36 13:55\n", "[10/Oct/2000:13:55:36 +0000] 36 13:55\n",
        "[10/Oct/2000:13:55:37 +0000] 37 13:55\n", "[10/Oct/2000:12:55:36 +0000] 36 12:55\n"};
    struct access_entry entry = usual_entry();
    struct access_stamps stamps = {0};
    (void)state;
    (void)line_of("%t %{%S}t %{%R}t", &entry);
    for (size_t i = 0; i < COUNT(times); i++) {
        struct text out = text_over(buffer, sizeof buffer - 1);
        entry.time = times[i];
        access_line_append(&out, &format, &stamps, &entry);
        buffer[out.len] = '\0';
        assert_string_equal(buffer, lines[i]);
    }
}

static void access_line_far_times_make_a_line(void **state)
{
    static const time_t times[] = {0, -1, INT64_C(253402300800), INT64_MAX, INT64_MIN};
    struct access_entry entry = usual_entry();
    (void)state;
    for (size_t i = 0; i < COUNT(times); i++) {
        entry.time = times[i];
        (void)line_of("combined", &entry);
        (void)line_of("%{%c}t %{rfc3339}t %{usec}t %{sec}t", &entry);
        (void)line_of("json", &entry);
    }
    entry.time = INT64_C(253402300800);
    assert_line("%t", &entry, "[01/Jan/10000:00:00:00 +0000]");
}

static void access_line_large_numbers_are_whole(void **state)
{
    struct access_entry entry = usual_entry();
    (void)state;
    entry.body_bytes = entry.duration_us = entry.queue_wait_us = UINT64_MAX;
    assert_line("%b %B %D %Q", &entry,
                "18446744073709551615 18446744073709551615 18446744073709551615 "
                "18446744073709551615");
}

static void access_line_hostile_bytes_are_escaped(void **state)
{
    struct access_entry entry = usual_entry();
    (void)state;
    entry.client = SLICE("a\nb");
    crafted_head_begin(&crafted, SLICE("GET"), SLICE("/\r\n\0\""), SLICE("HTTP/1.1"));
    crafted_head_add(&crafted, SLICE("Referer"), SLICE("\x1b]0;x\x07\\"));
    crafted_head_add(&crafted, SLICE("User-Agent"), SLICE("\x7f\x80\xff \"\n1.2.3.4 - - [x]"));
    crafted_head_add(&crafted, SLICE("Cookie"), SLICE("a=\x1b\x9b"));
    assert_line("combined", &entry,
                "a\\x0ab - - [10/Oct/2000:13:55:36 +0000] "
                "\"GET /\\x0d\\x0a\\x00\\x22 HTTP/1.1\" 200 1234 \"\\x1b]0;x\\x07\\x5c\" "
                "\"\\x7f\\x80\\xff \\x22\\x0a1.2.3.4 - - [x]\"");
    assert_line("%U %{a}C", &entry, "/\\x0d\\x0a\\x00\\x22 \\x1b\\x9b");
}

static void access_line_json_strings_are_escaped(void **state)
{
    const struct {
        const char *label;
        struct slice agent;
        const char *json;
    } rows[] = {
        {"plain", SLICE("curl/7.88.1"), "\"curl/7.88.1\""},
        {"quote and backslash", SLICE("a\"b\\c/"), "\"a\\\"b\\\\c/\""},
        {"controls", SLICE("\x01\t\x1b\x1f"), "\"\\u0001\\u0009\\u001b\\u001f\""},
        {"NUL", SLICE("a\0b"), "\"a\\u0000b\""},
        {"DEL", SLICE("\x7f"), "\"\\u007f\""},
        {"UTF-8", SLICE("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
         "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""},
        {"C1 controls", SLICE("\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0"),
         "\"\\u0080\\u009b\\u009f\xc2\xa0\""},
        {"line separators", SLICE("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa"),
         "\"\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa\""},
        {"Latin-1", SLICE("caf\xe9"), "\"caf\\u00e9\""},
        {"cut short", SLICE("\xe2\x82"), "\"\\u00e2\\u0082\""},
        {"overlong", SLICE("\xc0\xaf"), "\"\\u00c0\\u00af\""},
        {"a surrogate", SLICE("\xed\xa0\x80"), "\"\\u00ed\\u00a0\\u0080\""},
        {"0xff", SLICE("\xff\xfe"), "\"\\u00ff\\u00fe\""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct access_entry entry = usual_entry();
        char expected[128];
        crafted_head_begin(&crafted, SLICE("GET"), SLICE("/"), SLICE("HTTP/1.1"));
        crafted_head_add(&crafted, SLICE("User-Agent"), rows[i].agent);
        snprintf(expected, sizeof expected, "\"user_agent\":%s,\"duration_us\"", rows[i].json);
        if (!strstr(line_of("json", &entry), expected))
            fail_msg("%s: %s", rows[i].label, buffer);
    }
}

static void access_line_long_strings_are_cut(void **state)
{
    static char long_field[8193];
    (void)state;
    memset(long_field, 'x', sizeof long_field);
    for (size_t len = 8191; len <= 8193; len++) {
        struct access_entry entry = usual_entry();
        crafted_head_begin(&crafted, SLICE("GET"), SLICE("/"), SLICE("HTTP/1.1"));
        crafted_head_add(&crafted, SLICE("User-Agent"), (struct slice){long_field, len});
        assert_int_equal(strlen(line_of("%{User-Agent}i", &entry)), len < 8192 ? len : 8192);
    }
}

static void access_line_that_does_not_fit_is_a_beginning(void **state)
{
    static const char *const formats[] = {"combined", "json"};
    static char whole[4096];
    (void)state;
    for (size_t i = 0; i < COUNT(formats); i++) {
        struct access_entry entry = usual_entry();
        (void)line_of(formats[i], &entry);
        struct slice line = append_line(&entry);
        memcpy(whole, line.data, line.len);
        for (size_t room = 0; room < line.len; room++) {
            struct access_stamps stamps = {0};
            struct text out = text_over(buffer, room);
            access_line_append(&out, &format, &stamps, &entry);
            assert_true(out.truncated && out.len == room);
            assert_memory_equal(buffer, whole, room);
        }
    }
}

/* --- requests by chance ---------------------------------------------------------------------- */

static uint64_t chance = 20260301;

static size_t choose(size_t count)
{
    chance ^= chance >> 12;
    chance ^= chance << 25;
    chance ^= chance >> 27;
    return (size_t)((chance * UINT64_C(0x2545f4914f6cdd1d)) >> 32) % count;
}

/* Bytes of all kinds, with more of those that have a meaning somewhere. */
static struct slice some_bytes(char *out, size_t size)
{
    static const char marked[] = "\"\\\n\r\x1b\0{}%?: =;,/\xc2\x9b\xe2\x80\xa8\xed\xa0\x80\xff";
    size_t len = choose(4) == 0 ? 0 : choose(size);
    for (size_t i = 0; i < len; i++)
        out[i] = choose(2) ? (char)choose(256) : marked[choose(sizeof(marked) - 1)];
    return (struct slice){out, len};
}

static struct access_entry fuzzed_entry(void)
{
    static const char *const names[] = {"Host", "Referer", "User-Agent", "Cookie", "X"};
    static char parts[5][64];
    crafted_head_begin(&crafted, some_bytes(parts[0], 12), some_bytes(parts[1], 64),
                       some_bytes(parts[2], 12));
    for (size_t i = choose(6); i > 0; i--)
        crafted_head_add(&crafted, slice_from_string(names[choose(COUNT(names))]),
                         some_bytes(parts[3], 64));
    return (struct access_entry){
        .head = &crafted.head,
        .client = some_bytes(parts[4], 40),
        .time = (time_t)choose(UINT32_MAX),
        .microsecond = (unsigned)choose(1000000),
        .status = (unsigned)choose(600),
        .body_bytes = choose(SIZE_MAX),
        .duration_us = choose(SIZE_MAX),
        .request_number = (unsigned)choose(1000),
        .ending = '+',
    };
}

static void access_line_json_is_one_valid_object_whatever_the_bytes(void **state)
{
    struct log_fault fault;
    (void)state;
    assert_int_equal(access_format_compile("json", &format, &fault), 0);
    for (int i = 0; i < FUZZED_LINES; i++) {
        struct json_check check;
        struct access_entry entry = fuzzed_entry();
        struct slice line = append_line(&entry);
        json_check_init(&check, 1, UINT64_MAX);
        assert_ptr_equal(memchr(line.data, '\n', line.len), line.data + line.len - 1);
        assert_int_equal(line.data[0], '{');
        if (json_check_feed(&check, line.data, line.len) != PARSE_MORE ||
            json_check_finish(&check) != PARSE_DONE)
            fail_msg("line %d, column %llu: %s", i, (unsigned long long)check.column, line.data);
    }
}

static void access_line_is_one_line_of_ascii_whatever_the_bytes(void **state)
{
    struct log_fault fault;
    (void)state;
    assert_int_equal(
        access_format_compile("%h %r %m %U %q %H %v %{X}i %{a}C %{Cookie}i", &format, &fault), 0);
    for (int i = 0; i < FUZZED_LINES; i++) {
        struct access_entry entry = fuzzed_entry();
        struct slice line = append_line(&entry);
        for (size_t k = 0; k + 1 < line.len; k++)
            assert_true(line.data[k] >= 0x20 && line.data[k] < 0x7f && line.data[k] != '"');
        assert_int_equal(line.data[line.len - 1], '\n');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(access_line_shows_what_the_format_asks_for),
        cmocka_unit_test(access_line_process_and_thread_are_the_kernels),
        cmocka_unit_test(access_line_what_is_absent_is_a_dash),
        cmocka_unit_test(access_line_what_is_empty_is_not_absent),
        cmocka_unit_test(access_line_takes_each_form_of_target_apart),
        cmocka_unit_test(access_line_broken_request_line_is_shown_as_it_came),
        cmocka_unit_test(access_line_times_follow_the_zone),
        cmocka_unit_test(access_line_stamps_follow_the_time),
        cmocka_unit_test(access_line_far_times_make_a_line),
        cmocka_unit_test(access_line_large_numbers_are_whole),
        cmocka_unit_test(access_line_hostile_bytes_are_escaped),
        cmocka_unit_test(access_line_json_strings_are_escaped),
        cmocka_unit_test(access_line_long_strings_are_cut),
        cmocka_unit_test(access_line_that_does_not_fit_is_a_beginning),
        cmocka_unit_test(access_line_json_is_one_valid_object_whatever_the_bytes),
        cmocka_unit_test(access_line_is_one_line_of_ascii_whatever_the_bytes),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
