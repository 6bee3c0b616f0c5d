/* Goal: an answer is compared with what is expected, and what differs is told. */
#include "tester/expectation.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

/* An answer with that content, behind an interim one. */
static struct answer answer_of(const char *content)
{
    static const char *const lines[] = {
        "HTTP/1.1 100 Continue\r\n",
        "Link: early\r\n",
        "\r\n",
        "HTTP/1.1 200 OK\r\n",
        "Content-Type: text/x\r\n",
        "Set-Cookie: a=1\r\n",
        "Set-Cookie:   b=2  \r\n",
        "Empty:\r\n",
        "\r\n",
    };
    struct answer answer = {.status = 200};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_int_equal(answer_take_line(&answer, slice_from_string(lines[i])), 0);
    for (; *content != '\0'; content++)
        assert_int_equal(answer_take_content(&answer, (struct slice){content, 1}), 0);
    return answer;
}

/* What is said of such an answer. The caller frees it. */
static char *compare(struct plan_expect *expect, const char *content)
{
    struct answer answer = answer_of(content);
    char *said = NULL;
    size_t len;
    size_t lines = 0;
    FILE *out = open_memstream(&said, &len);
    assert_non_null(out);
    struct variables variables = {0};
    assert_int_equal(variables_set(&variables, "type", slice_from_string("text/x")), 0);
    unsigned count = expectation_compare(expect, &answer, &variables, out);
    variables_deinit(&variables);
    assert_int_equal(fclose(out), 0);
    for (const char *at = said; *at != '\0'; at++)
        lines += *at == '\n';
    assert_int_equal(count, lines);
    answer_deinit(&answer);
    return said;
}

static void assert_said(struct plan_expect *expect, const char *content, const char *wanted)
{
    expect->statuses[200 / 8] |= 1 << 200 % 8;
    char *said = compare(expect, content);
    assert_string_equal(said, wanted);
    free(said);
}

static void expectation_status_differs_is_told(void **state)
{
    (void)state;
    struct plan_expect expect = {0};
    char *said = compare(&expect, "");
    assert_string_equal(said, "status: 200, expected one below 400\n");
    free(said);

    cJSON *status = cJSON_Parse("[404,\"5xx\"]");
    expect.status = status;
    said = compare(&expect, "");
    assert_string_equal(said, "status: 200, expected [404,\"5xx\"]\n");
    free(said);
    cJSON_Delete(status);
}

static void expectation_fields_are_compared(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        const char *said;
    } rows[] = {
        {"{\"content-type\":\"text/x\"}", ""},
        {"{\"Content-Type\":\"text/y\"}", "Content-Type: \"text/x\", expected \"text/y\"\n"},
        {"{\"Content-Type\":\"text\"}", "Content-Type: \"text/x\", expected \"text\"\n"},
        {"{\"Content\":true}", "Content: not there, expected true\n"},
        {"{\"Content-Type\":true,\"Empty\":true,\"Link\":false,\"None\":false}", ""},
        {"{\"Content-Type\":\"{type}\"}", ""},
        {"{\"Content-Type\":\"{type}/\"}", "Content-Type: \"text/x\", expected \"text/x/\"\n"},
        {"{\"Content-Type\":\"{none}\"}", "Content-Type: nothing has been saved as {none}\n"},
        {"{\"Empty\":\"\"}", ""},
        {"{\"Empty\":false}", "Empty: \"\", expected false\n"},
        {"{\"Set-Cookie\":\"a=1\"}", ""},
        {"{\"Set-Cookie\":\"b=2\"}", ""},
        {"{\"Set-Cookie\":\"c\"}", "Set-Cookie: \"b=2\", expected \"c\"\n"},
        {"{\"Content-Type\":{\"startsWith\":\"text/\"}}", ""},
        {"{\"Content-Type\":{\"startsWith\":\"ext\"}}",
         "Content-Type: \"text/x\", expected {\"startsWith\":\"ext\"}\n"},
        {"{\"Content-Type\":{\"contains\":\"xt/\"}}", ""},
        {"{\"Content-Type\":{\"contains\":\"y\"},\"None\":\"\"}",
         "Content-Type: \"text/x\", expected {\"contains\":\"y\"}\n"
         "None: not there, expected \"\"\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cJSON *headers = cJSON_Parse(rows[i].headers);
        assert_non_null(headers);
        struct plan_expect expect = {.headers = headers};
        assert_said(&expect, "", rows[i].said);
        cJSON_Delete(headers);
    }
}

static void expectation_text_is_compared(void **state)
{
    (void)state;
    struct plan_expect expect = {.body = "abc"};
    assert_said(&expect, "abc", "");
    assert_said(&expect, "ab", "body: 2 bytes, expected 3; from byte 2 on \"\", expected \"c\"\n");
    assert_said(&expect, "abcd",
                "body: 4 bytes, expected 3; from byte 3 on \"d\", expected \"\"\n");
    assert_said(&expect, "a\x1b\xff\"",
                "body: 4 bytes, expected 3; from byte 1 on \"\\x1b\\xff\\x22\", expected \"bc\"\n");
    expect.body = "";
    assert_said(&expect, "", "");
    assert_said(&expect, "a", "body: 1 bytes, expected 0; from byte 0 on \"a\", expected \"\"\n");
}

static void expectation_long_bytes_are_cut(void **state)
{
    (void)state;
    struct plan_expect expect = {.body = ""};
    char sixty[61] = "";
    char said[200];
    memset(sixty, 'x', 60);
    (void)snprintf(said, sizeof said,
                   "body: 60 bytes, expected 0; from byte 0 on \"%s\", expected \"\"\n", sixty);
    assert_said(&expect, sixty, said);
    char more[62];
    (void)snprintf(more, sizeof more, "%sy", sixty);
    (void)snprintf(said, sizeof said,
                   "body: 61 bytes, expected 0; from byte 0 on \"%s\"..., expected \"\"\n", sixty);
    assert_said(&expect, more, said);
}

static void expectation_file_is_compared(void **state)
{
    (void)state;
    char bytes[] = {'a', '\0', 'b'};
    struct plan_bytes file = {bytes, sizeof bytes};
    struct plan_expect expect = {.file = &file};
    assert_said(&expect, "a",
                "bodyFile: 1 bytes, expected 3; from byte 1 on \"\", expected \"\\x00b\"\n");
    file.len = 1;
    assert_said(&expect, "a", "");
}

static void expectation_json_is_compared_as_values(void **state)
{
    (void)state;
    static const char expected[] = "{\"a\":[1,{\"b\":\"x\"}],\"c\":null,\"d\":true}";
    static const struct {
        const char *content;
        const char *whole; /* what is said of "json" */
        const char *part;  /* and of "jsonHas" */
    } rows[] = {
        {" {\"d\":true,\n\"c\":null,\"a\":[1.0,{\"b\":\"\\u0078\"}]}", "", ""},
        {"{\"a\":[1,{\"b\":\"x\",\"z\":[]}],\"c\":null,\"d\":true}",
         "at .a[1].z: [], expected nothing", ""},
        {"{\"a\":[1,{\"b\":\"x\"}],\"c\":null,\"d\":true,\"e\":0}", "at .e: 0, expected nothing",
         ""},
        {"{\"a\":[1,{\"b\":\"y\"}],\"c\":null,\"d\":true}", "at .a[1].b: \"y\", expected \"x\"",
         "at .a[1].b: \"y\", expected \"x\""},
        {"{\"a\":[2,{\"b\":\"x\"}],\"c\":null,\"d\":true}", "at .a[0]: 2, expected 1",
         "at .a[0]: 2, expected 1"},
        {"{\"a\":[1,{\"b\":\"x\"},0],\"c\":null,\"d\":true}", "at .a[2]: 0, expected nothing",
         "at .a[2]: 0, expected nothing"},
        {"{\"a\":[1],\"c\":null,\"d\":true}", "at .a[1]: nothing, expected {\"b\":\"x\"}",
         "at .a[1]: nothing, expected {\"b\":\"x\"}"},
        {"{\"a\":[1,{\"b\":\"x\"}],\"c\":null,\"d\":false}", "at .d: false, expected true",
         "at .d: false, expected true"},
        {"{\"a\":[1,{\"b\":\"x\"}],\"d\":true}", "at .c: nothing, expected null",
         "at .c: nothing, expected null"},
        {"7", "at the top: 7, expected {\"a\":[1,{\"b\":\"x\"}],\"c\":null,\"d\":true}",
         "at the top: 7, expected {\"a\":[1,{\"b\":\"x\"}],\"c\":null,\"d\":true}"},
        {"[01]", "the content is not JSON: \"[01]\"", "the content is not JSON: \"[01]\""},
        {"", "the content is not JSON: \"\"", "the content is not JSON: \"\""},
    };
    cJSON *json = cJSON_Parse(expected);
    assert_non_null(json);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char said[200] = "";
        struct plan_expect expect = {.json = json};
        if (rows[i].whole[0] != '\0')
            (void)snprintf(said, sizeof said, "json: %s\n", rows[i].whole);
        assert_said(&expect, rows[i].content, said);
        expect = (struct plan_expect){.json_has = json};
        said[0] = '\0';
        if (rows[i].part[0] != '\0')
            (void)snprintf(said, sizeof said, "jsonHas: %s\n", rows[i].part);
        assert_said(&expect, rows[i].content, said);
    }
    cJSON_Delete(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expectation_status_differs_is_told),
        cmocka_unit_test(expectation_fields_are_compared),
        cmocka_unit_test(expectation_text_is_compared),
        cmocka_unit_test(expectation_long_bytes_are_cut),
        cmocka_unit_test(expectation_file_is_compared),
        cmocka_unit_test(expectation_json_is_compared_as_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
