/* Format strings: what they compile to, what is refused and where, the limits. */
#include "server/log/access_format.h"
#include "server/log/error_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static struct log_format format;
static struct log_fault fault;

static int compile(const char *text)
{
    fault = (struct log_fault){0};
    return access_format_compile(text, &format, &fault);
}

static void assert_step(unsigned number, enum access_token token, const char *text)
{
    assert_true(number < format.step_count);
    const struct log_step *step = &format.steps[number];
    struct slice actual = log_format_text(&format, step);
    assert_int_equal(step->token, token);
    assert_int_equal(actual.len, strlen(text));
    assert_memory_equal(actual.data, text, actual.len);
}

static void log_format_directive_is_one_step(void **state)
{
    static const struct {
        const char *text;
        enum access_token token;
        const char *argument;
    } rows[] = {
        {"%a", ACCESS_CLIENT, ""},
        {"%h", ACCESS_CLIENT, ""},
        {"%A", ACCESS_LOCAL, ""},
        {"%r", ACCESS_REQUEST_LINE, ""},
        {"%m", ACCESS_METHOD, ""},
        {"%U", ACCESS_PATH, ""},
        {"%q", ACCESS_MARKED_QUERY, ""},
        {"%H", ACCESS_VERSION, ""},
        {"%{Referer}i", ACCESS_FIELD, "Referer"},
        {"%{x-1}i", ACCESS_FIELD, "x-1"},
        {"%{session}C", ACCESS_COOKIE, "session"},
        {"%v", ACCESS_HOST, ""},
        {"%X", ACCESS_ENDING, ""},
        {"%s", ACCESS_STATUS, ""},
        {"%>s", ACCESS_STATUS, ""},
        {"%<s", ACCESS_STATUS, ""},
        {"%B", ACCESS_BYTES, ""},
        {"%b", ACCESS_BYTES_OR_DASH, ""},
        {"%D", ACCESS_DURATION_US, ""},
        {"%T", ACCESS_DURATION_S, ""},
        {"%{s}T", ACCESS_DURATION_S, "s"},
        {"%{ms}T", ACCESS_DURATION_MS, "ms"},
        {"%{us}T", ACCESS_DURATION_US, "us"},
        {"%Q", ACCESS_QUEUE_US, ""},
        {"%{s}Q", ACCESS_QUEUE_S, "s"},
        {"%{ms}Q", ACCESS_QUEUE_MS, "ms"},
        {"%{us}Q", ACCESS_QUEUE_US, "us"},
        {"%p", ACCESS_PORT, ""},
        {"%P", ACCESS_PROCESS, ""},
        {"%{pid}P", ACCESS_PROCESS, "pid"},
        {"%{tid}P", ACCESS_THREAD, "tid"},
        {"%k", ACCESS_KEPT_ALIVE, ""},
        {"%t", ACCESS_TIME, ""},
        {"%{sec}t", ACCESS_SECOND, "sec"},
        {"%{msec}t", ACCESS_MILLISECOND, "msec"},
        {"%{usec}t", ACCESS_MICROSECOND, "usec"},
        {"%{msec_frac}t", ACCESS_MILLISECOND_PART, "msec_frac"},
        {"%{usec_frac}t", ACCESS_MICROSECOND_PART, "usec_frac"},
        {"%{rfc3339}t", ACCESS_TIME_UTC, "rfc3339"},
        {"%{%Y-%m-%d %T}t", ACCESS_TIME_CUSTOM, "%Y-%m-%d %T"},
        {"%{at %H h}t", ACCESS_TIME_CUSTOM, "at %H h"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (compile(rows[i].text) != 0)
            fail_msg("%s: %s", rows[i].text, fault.what);
        assert_int_equal(format.step_count, 1);
        assert_step(0, rows[i].token, rows[i].argument);
        assert_int_equal(format.text[format.steps[0].offset + format.steps[0].len], '\0');
    }
}

static void log_format_literal_text_is_one_step(void **state)
{
    (void)state;
    assert_int_equal(compile("100%% of %l %u \"%m\"\t{x}%s<>"), 0);
    assert_int_equal(format.step_count, 5);
    assert_step(0, ACCESS_LITERAL, "100% of - - \"");
    assert_step(1, ACCESS_METHOD, "");
    assert_step(2, ACCESS_LITERAL, "\"\t{x}");
    assert_step(3, ACCESS_STATUS, "");
    assert_step(4, ACCESS_LITERAL, "<>");
}

static void log_format_names_stand_for_formats(void **state)
{
    (void)state;
    assert_int_equal(compile("common"), 0);
    assert_int_equal(format.step_count, 9);
    assert_step(0, ACCESS_CLIENT, "");
    assert_step(1, ACCESS_LITERAL, " - - ");
    assert_int_equal(compile("combined"), 0);
    assert_step(10, ACCESS_FIELD, "Referer");
    assert_step(12, ACCESS_FIELD, "User-Agent");
    assert_false(format.is_json);
    assert_int_equal(format.needs, 0);
    assert_int_equal(compile("json"), 0);
    assert_true(format.is_json);
}

static void log_format_faults_are_named_with_their_place(void **state)
{
    static const struct {
        const char *text;
        const char *what;
        size_t offset;
    } rows[] = {
        {"", "no directive", 0},
        {"combinde", "no directive", 0},
        {"JSON", "no directive", 0},
        {"100%%", "no directive", 0},
        {"%h %y", "unknown directive", 3},
        {"%", "'%' without a letter", 0},
        {"%h %", "'%' without a letter", 3},
        {"%h %>", "'%' without a letter", 3},
        {"%{Referer}", "'%' without a letter", 0},
        {"%h %{Referer i", "'{' without '}'", 3},
        {"%{", "'{' without '}'", 0},
        {"%{Referer}y", "unknown directive", 0},
        {"%{}i", "unknown directive", 0},
        {"%i", "unknown directive", 0},
        {"%C", "unknown directive", 0},
        {"%{a b}i", "unknown directive", 0},
        {"%{a;b}C", "unknown directive", 0},
        {"%{Location}o", "unknown directive", 0},
        {"%{x}m", "unknown directive", 0},
        {"%{min}T", "unknown directive", 0},
        {"%{host}P", "unknown directive", 0},
        {"%{}t", "unknown directive", 0},
        {"%{%Q}t", "unknown directive", 0},
        {"%{%}t", "unknown directive", 0},
        {"%{%n}t", "unknown directive", 0},
        {"%{\n}t", "unknown directive", 0},
        {"%{x}%", "unknown directive", 0},
        {"%\n", "unknown directive", 0},
        {"%h\n", "control character", 2},
        {"%h\x1b[0m", "control character", 2},
        {"\x7f%h", "control character", 0},
        {"%t%t%t%t%t", "too many times", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (compile(rows[i].text) == 0)
            fail_msg("accepted: %s", rows[i].text);
        if (strcmp(fault.what, rows[i].what) != 0 || fault.offset != rows[i].offset)
            fail_msg("%s: %s at %zu", rows[i].text, fault.what, fault.offset);
    }
}

static void log_format_times_may_be_four(void **state)
{
    (void)state;
    assert_int_equal(compile("%t%{%F}t%{%T}t%{rfc3339}t%{sec}t%{msec}t"), 0);
}

static void log_format_length_has_a_limit(void **state)
{
    char text[LOG_FORMAT_LEN_MAX + 2];
    (void)state;
    for (size_t len = LOG_FORMAT_LEN_MAX - 1; len <= LOG_FORMAT_LEN_MAX + 1; len++) {
        memset(text, 'x', len);
        memcpy(text, "%m", 2);
        text[len] = '\0';
        assert_int_equal(compile(text), len <= LOG_FORMAT_LEN_MAX ? 0 : -1);
        if (len > LOG_FORMAT_LEN_MAX)
            assert_string_equal(fault.what, "too long");
    }
}

static void log_format_number_of_directives_has_a_limit(void **state)
{
    char text[LOG_FORMAT_LEN_MAX];
    (void)state;
    for (size_t count = LOG_FORMAT_STEPS_MAX - 1; count <= LOG_FORMAT_STEPS_MAX + 1; count++) {
        for (size_t i = 0; i < count; i++)
            memcpy(text + 2 * i, "%m", 2);
        text[2 * count] = '\0';
        assert_int_equal(compile(text), count <= LOG_FORMAT_STEPS_MAX ? 0 : -1);
    }
    assert_string_equal(fault.what, "too many directives");
    memcpy(text + (size_t)2 * LOG_FORMAT_STEPS_MAX, "x", 2); /* a literal is one too many as well */
    assert_int_equal(compile(text), -1);
}

/* The longest argument with its NUL is still in the format's own text. */
static void log_format_may_be_moved(void **state)
{
    static struct log_format moved;
    (void)state;
    assert_int_equal(compile("%{Referer}i and %{Host}i"), 0);
    moved = format;
    memset(&format, 0xff, sizeof format);
    assert_string_equal(log_format_text(&moved, &moved.steps[2]).data, "Host");
}

static void error_format_has_its_own_directives(void **state)
{
    (void)state;
    assert_int_equal(error_format_compile(ERROR_FORMAT_DEFAULT, &format, &fault), 0);
    assert_int_equal(
        error_format_compile("[%t] [%m:%l] [pid %P:tid %T] [%a] [%M]", &format, &fault), 0);
    assert_int_equal(error_format_compile("%{%F %T}t %% %M", &format, &fault), 0);
    assert_int_equal(error_format_compile("%r %M", &format, &fault), -1);
    assert_string_equal(fault.what, "unknown directive");
    assert_int_equal(error_format_compile("[%t] %%M", &format, &fault), -1);
    assert_string_equal(fault.what, "no %M");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_format_directive_is_one_step),
        cmocka_unit_test(log_format_literal_text_is_one_step),
        cmocka_unit_test(log_format_names_stand_for_formats),
        cmocka_unit_test(log_format_faults_are_named_with_their_place),
        cmocka_unit_test(log_format_times_may_be_four),
        cmocka_unit_test(log_format_length_has_a_limit),
        cmocka_unit_test(log_format_number_of_directives_has_a_limit),
        cmocka_unit_test(log_format_may_be_moved),
        cmocka_unit_test(error_format_has_its_own_directives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
