/* Texts as public suites for JSON parsers have them: what the grammar takes and what it does not,
 * and this project's choice where RFC 8259 leaves it open. Verdicts only; test_json_check.c has the
 * places.
 */
#include "server/json/json_check.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])
#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

struct text {
    const char *bytes;
    size_t len;
};

static bool is_accepted(const char *bytes, size_t len)
{
    struct json_check check;
    json_check_init(&check, 128, UINT64_MAX);
    (void)json_check_feed(&check, bytes, len);
    return json_check_finish(&check) == PARSE_DONE;
}

static const struct text accepted[] = {
    /* structure */
    TEXT("[]"),
    TEXT("[[]   ]"),
    TEXT("[\"\"]"),
    TEXT("[\"a\"]"),
    TEXT("[false]"),
    TEXT("[null]"),
    TEXT("[1\n]"),
    TEXT(" [1]"),
    TEXT("[1,null,null,null,2]"),
    TEXT("[2] "),
    TEXT("[null, 1, \"1\", {}]"),
    TEXT("false"),
    TEXT("42"),
    TEXT("-0.1"),
    TEXT("null"),
    TEXT("\"asd\""),
    TEXT("true"),
    TEXT("\"\""),
    TEXT("[\"a\"]\n"),
    TEXT("[true]"),
    TEXT(" [] "),
    TEXT("\t\r\n1"),
    /* objects */
    TEXT("{}"),
    TEXT("{\"asd\":\"sdf\", \"dfg\":\"fgh\"}"),
    TEXT("{\"asd\":\"sdf\"}"),
    TEXT("{\"a\":\"b\",\"a\":\"c\"}"),
    TEXT("{\"a\":\"b\",\"a\":\"b\"}"),
    TEXT("{\"\":0}"),
    TEXT("{\"foo\\u0000bar\": 42}"),
    TEXT("{ \"min\": -1.0e+28, \"max\": 1.0e+28 }"),
    TEXT("{\"a\":[]}"),
    TEXT("{\"title\":\"\\u041f\\u043e\\u043b\\u0442\\u043e\\u0440\\u0430\" }"),
    TEXT("{\n\"a\": \"b\"\n}"),
    /* numbers */
    TEXT("[123e65]"),
    TEXT("[0e+1]"),
    TEXT("[0e1]"),
    TEXT("[ 4]"),
    TEXT("[-0]"),
    TEXT("[-123]"),
    TEXT("[-1]"),
    TEXT("[20e1]"),
    TEXT("[1E22]"),
    TEXT("[1E-2]"),
    TEXT("[1E+2]"),
    TEXT("[123e45]"),
    TEXT("[123.456e78]"),
    TEXT("[1e-2]"),
    TEXT("[1e+2]"),
    TEXT("[123]"),
    TEXT("[123.456789]"),
    TEXT("[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]"),
    /* strings */
    TEXT("[\"\\u0060\\u012a\\u12AB\"]"),
    TEXT("[\"\\uD801\\udc37\"]"),
    TEXT("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]"),
    TEXT("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
    TEXT("[\"\\\\u0000\"]"),
    TEXT("[\"\\\"\"]"),
    TEXT("[\"a/*b*/c/*d//e\"]"),
    TEXT("[\"\\\\a\"]"),
    TEXT("[\"\\\\n\"]"),
    TEXT("[\"\\u0012\"]"),
    TEXT("[\"\\uFFFF\"]"),
    TEXT("[ \"asd\"]"),
    TEXT("[\"\\uDBFF\\uDFFF\"]"),
    TEXT("[\"new\\u00A0line\"]"),
    TEXT("[\"\xf4\x8f\xbf\xbf\"]"),
    TEXT("[\"\xef\xbf\xbf\"]"),
    TEXT("[\"\\u0000\"]"),
    TEXT("[\"\\u002c\"]"),
    TEXT("[\"\xcf\x80\"]"),
    TEXT("[\"\xf0\x9b\xbf\xbf\"]"),
    TEXT("[\"asd \"]"),
    TEXT("\" \""),
    TEXT("[\"\\uD834\\uDd1e\"]"),
    TEXT("[\"\\u0821\"]"),
    TEXT("[\"\\u0123\"]"),
    TEXT("[\"\xe2\x80\xa8\"]"),
    TEXT("[\"\xe2\x80\xa9\"]"),
    TEXT("[\"\\u0061\\u30af\\u30EA\\u30b9\"]"),
    TEXT("[\"new\\u000Aline\"]"),
    TEXT("[\"\x7f\"]"),
    TEXT("[\"\\uA66D\"]"),
    TEXT("[\"\\u005C\"]"),
    TEXT("[\"\xe2\x8d\x82\xe3\x88\xb4\xe2\x8d\x82\"]"),
    TEXT("[\"\\u200B\"]"),
    TEXT("[\"\\u2064\"]"),
    TEXT("[\"\\uFDD0\"]"),
    TEXT("[\"\\uFFFE\"]"),
    TEXT("[\"\\u0022\"]"),
    TEXT("[\"\xe2\x82\xac\xf0\x9d\x84\x9e\"]"),
    TEXT("[\"a\x7f"
         "a\"]"),
    TEXT("[\"\\uDBFF\\uDFFE\"]"),
    TEXT("[\"\xf0\x9f\xbf\xbe\"]"),
    /* left open: numbers of any size */
    TEXT("[123.456e-789]"),
    TEXT("[0.4e00669999999999999999999999999999999999999999999999999999999999]"),
    TEXT("[-1e+9999]"),
    TEXT("[1.5e+9999]"),
    TEXT("[-123123e100000]"),
    TEXT("[123123e100000]"),
    TEXT("[123e-10000000]"),
    TEXT("[-123123123123123123123123123123]"),
    TEXT("[100000000000000000000]"),
};

static const struct text refused[] = {
    /* arrays */
    TEXT("[1 true]"),
    TEXT("[a\xe5]"),
    TEXT("[\"\": 1]"),
    TEXT("[\"\"],"),
    TEXT("[,1]"),
    TEXT("[1,,2]"),
    TEXT("[\"x\",,]"),
    TEXT("[\"x\"]]"),
    TEXT("[\"\",]"),
    TEXT("[\"x\""),
    TEXT("[x"),
    TEXT("[3[4]]"),
    TEXT("[\xff]"),
    TEXT("[1:2]"),
    TEXT("[,]"),
    TEXT("[-]"),
    TEXT("[   , \"\"]"),
    TEXT("[\"a\",\n4\n,1,"),
    TEXT("[1,]"),
    TEXT("[1,,]"),
    TEXT("[\"\x0b"
         "a\"\\f]"),
    TEXT("[*]"),
    TEXT("[\"\""),
    TEXT("[1,"),
    TEXT("[1,\n1\n,1"),
    TEXT("[{}"),
    /* literals */
    TEXT("[fals]"),
    TEXT("[nul]"),
    TEXT("[tru]"),
    TEXT("[True]"),
    TEXT("123\0"),
    TEXT("[ false, nul"),
    TEXT("[ true, fals"),
    TEXT("[ false, tru"),
    /* numbers */
    TEXT("[++1234]"),
    TEXT("[+1]"),
    TEXT("[+Inf]"),
    TEXT("[-01]"),
    TEXT("[-1.0.]"),
    TEXT("[-2.]"),
    TEXT("[-NaN]"),
    TEXT("[.-1]"),
    TEXT("[.2e-3]"),
    TEXT("[0.1.2]"),
    TEXT("[0.3e+]"),
    TEXT("[0.3e]"),
    TEXT("[0.e1]"),
    TEXT("[0E+]"),
    TEXT("[0E]"),
    TEXT("[0e+]"),
    TEXT("[0e]"),
    TEXT("[1.0e+]"),
    TEXT("[1.0e-]"),
    TEXT("[1.0e]"),
    TEXT("[1 000.0]"),
    TEXT("[1eE2]"),
    TEXT("[2.e+3]"),
    TEXT("[2.e-3]"),
    TEXT("[2.e3]"),
    TEXT("[9.e+]"),
    TEXT("[Inf]"),
    TEXT("[NaN]"),
    TEXT("[\xef\xbc\x91]"),
    TEXT("[1+2]"),
    TEXT("[0x1]"),
    TEXT("[0x42]"),
    TEXT("[Infinity]"),
    TEXT("[0e+-1]"),
    TEXT("[-123.123foo]"),
    TEXT("[123\xe5]"),
    TEXT("[1e1\xe5]"),
    TEXT("[0\xe5]"),
    TEXT("[-Infinity]"),
    TEXT("[-foo]"),
    TEXT("[- 1]"),
    TEXT("[-012]"),
    TEXT("[-.123]"),
    TEXT("[-1x]"),
    TEXT("[1ea]"),
    TEXT("[1e\xe5]"),
    TEXT("[1.]"),
    TEXT("[.123]"),
    TEXT("[1.2a-3]"),
    TEXT("[1.8011670033376514H-308]"),
    TEXT("[012]"),
    /* objects */
    TEXT("[\"x\", truth]"),
    TEXT("{[: \"x\"}\n"),
    TEXT("{\"x\", null}"),
    TEXT("{\"x\"::\"b\"}"),
    TEXT("{\xf0\x9f\x87\xa8\xf0\x9f\x87\xad}"),
    TEXT("{\"a\":\"a\" 123}"),
    TEXT("{key: 'value'}"),
    TEXT("{\"\xb9\":\"0\",}"),
    TEXT("{\"a\" b}"),
    TEXT("{:\"b\"}"),
    TEXT("{\"a\" \"b\"}"),
    TEXT("{\"a\":"),
    TEXT("{\"a\""),
    TEXT("{1:1}"),
    TEXT("{9999E9999:1}"),
    TEXT("{null:null,null:null}"),
    TEXT("{\"id\":0,,,,,}"),
    TEXT("{'a':0}"),
    TEXT("{\"id\":0,}"),
    TEXT("{\"a\":\"b\"}/**/"),
    TEXT("{\"a\":\"b\"}/**//"),
    TEXT("{\"a\":\"b\"}//"),
    TEXT("{\"a\":\"b\"}/"),
    TEXT("{\"a\":\"b\",,\"c\":\"d\"}"),
    TEXT("{a: \"b\"}"),
    TEXT("{\"a\":\"a"),
    TEXT("{ \"foo\" : \"bar\", \"a\" }"),
    TEXT("{\"a\":\"b\"}#"),
    /* strings */
    TEXT(" "),
    TEXT("[\"\\uD800\\\"]"),
    TEXT("[\"\\uD800\\u\"]"),
    TEXT("[\"\\uD800\\u1\"]"),
    TEXT("[\"\\uD800\\u1x\"]"),
    TEXT("[\xc3\xa9]"),
    TEXT("[\"\\\0\"]"),
    TEXT("[\"\\x00\"]"),
    TEXT("[\"\\\\\\\"]"),
    TEXT("[\"\\\t\"]"),
    TEXT("[\"\\\xf0\x9f\x8c\x80\"]"),
    TEXT("[\"\\\"]"),
    TEXT("[\"\\u00A\"]"),
    TEXT("[\"\\uD834\\uDd\"]"),
    TEXT("[\"\\uD800\\uD800\\x\"]"),
    TEXT("[\"\\u\xe5\"]"),
    TEXT("[\"\\a\"]"),
    TEXT("[\"\\uqqqq\"]"),
    TEXT("[\"\\\xe5\"]"),
    TEXT("[\\u0020\"asd\"]"),
    TEXT("[\\n]"),
    TEXT("\""),
    TEXT("['single quote']"),
    TEXT("abc"),
    TEXT("[\"\\"),
    TEXT("[\"a\0a\"]"),
    TEXT("[\"new\nline\"]"),
    TEXT("[\"\t\"]"),
    TEXT("\"\\UA66D\""),
    TEXT("\"\"x"),
    /* structure */
    TEXT("<.>"),
    TEXT("[<null>]"),
    TEXT("[1]x"),
    TEXT("[1]]"),
    TEXT("[\"asd]"),
    TEXT("a\xc3\xa5"),
    TEXT("1]"),
    TEXT("{\"x\": true,"),
    TEXT("[][]"),
    TEXT("]"),
    TEXT("\xef\xbb{}"),
    TEXT("\xe5"),
    TEXT("["),
    TEXT(""),
    TEXT("[\0]"),
    TEXT("2@"),
    TEXT("{}}"),
    TEXT("{\"\":"),
    TEXT("{\"a\":/*comment*/\"b\"}"),
    TEXT("{\"a\": true} \"x\""),
    TEXT("['"),
    TEXT("[,"),
    TEXT("[{"),
    TEXT("[\"a"),
    TEXT("[\"a\""),
    TEXT("{"),
    TEXT("{]"),
    TEXT("{,"),
    TEXT("{["),
    TEXT("{\"a"),
    TEXT("{'a'"),
    TEXT("[\"\\{[\"\\{[\"\\{[\"\\{"),
    TEXT("\xc3\xa9"),
    TEXT("*"),
    TEXT("{\"a\":\"b\"}#{}"),
    TEXT("[\\u000A\"\"]"),
    TEXT("[1"),
    TEXT("{\"asd\":\"asd\""),
    TEXT("\xe2\x81\xa0[]"),
    TEXT("\xef\xbb\xbf"),
    TEXT("[\x0c]"),
    TEXT("[\xe2\x81\xa0]"),
    TEXT("[\x0b]"),
    TEXT("[\xc2\xa0]"),
    /* left open: lone surrogates, what is no UTF-8, byte order marks */
    TEXT("{\"\\uDFAA\":0}"),
    TEXT("[\"\\uDADA\"]"),
    TEXT("[\"\\uD888\\u1234\"]"),
    TEXT("[\"\xe6\x97\xa5\xd1\x88\xfa\"]"),
    TEXT("\xff\xfe[\0\"\0\xe9\0\"\0]\0"),
    TEXT("[\"\\uD800\\n\"]"),
    TEXT("[\"\\uDd1ea\"]"),
    TEXT("[\"\\uD800\\uD800\\n\"]"),
    TEXT("[\"\\ud800\"]"),
    TEXT("[\"\\ud800abc\"]"),
    TEXT("[\"\xff\"]"),
    TEXT("[\"\\uDd1e\\uD834\"]"),
    TEXT("[\"\xe9\"]"),
    TEXT("[\"\\uDFAA\"]"),
    TEXT("[\"\xf4\xbf\xbf\xbf\"]"),
    TEXT("[\"\xc0\xaf\"]"),
    TEXT("[\"\xfc\x83\xbf\xbf\xbf\xbf\"]"),
    TEXT("[\"\xfc\x80\x80\x80\x80\x80\"]"),
    TEXT("[\"\xe0\xff\"]"),
    TEXT("[\"\x81\"]"),
    TEXT("[\"\xed\xa0\x80\"]"),
    TEXT("\0[\0\"\0\xe9\0\"\0]"),
    TEXT("[\0\"\0\xe9\0\"\0]\0"),
    TEXT("\xef\xbb\xbf{}"),
};

static void json_suite_right_texts_are_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(accepted); i++) {
        if (!is_accepted(accepted[i].bytes, accepted[i].len))
            fail_msg("refused: %s", accepted[i].bytes);
        cJSON *tree = cJSON_ParseWithLength(accepted[i].bytes, accepted[i].len);
        if (!tree)
            fail_msg("cJSON refuses: %s", accepted[i].bytes);
        cJSON_Delete(tree);
    }
}

static void json_suite_wrong_texts_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++)
        if (is_accepted(refused[i].bytes, refused[i].len))
            fail_msg("accepted, row %zu: %s", i, refused[i].bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_suite_right_texts_are_accepted),
        cmocka_unit_test(json_suite_wrong_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
