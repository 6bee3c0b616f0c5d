/* The JSON check: verdict and position for each rule of RFC 8259, at every split of the input; and
 * that cJSON reads whatever the check accepts.
 */
#include "server/json/json_check.h"

#include <cjson/cJSON.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define DEPTH_LIMIT   4
#define COUNT(rows)   (sizeof(rows) / sizeof(rows)[0])
#define TEXT(literal) literal, sizeof(literal) - 1

/* -- Bytes that end where reading on is a fault -- */

static char *guard_page;
static size_t guard_room;

static int guard_setup(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    guard_room = 16 * page;
    char *map =
        mmap(NULL, guard_room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return -1;
    guard_page = map + guard_room;
    return mprotect(guard_page, page, PROT_NONE);
}

static int guard_teardown(void **state)
{
    (void)state;
    return munmap(guard_page - guard_room, guard_room + (size_t)sysconf(_SC_PAGESIZE));
}

static enum parse_outcome feed_guarded(struct json_check *check, const char *bytes, size_t len)
{
    assert_true(len <= guard_room);
    memcpy(guard_page - len, bytes, len);
    return json_check_feed(check, guard_page - len, len);
}

/* -- One text, whole and in pieces -- */

static enum parse_outcome run(struct json_check *check, const char *bytes, size_t len, size_t split,
                              size_t piece)
{
    json_check_init(check, DEPTH_LIMIT, UINT64_MAX);
    enum parse_outcome outcome = feed_guarded(check, bytes, split);
    for (size_t at = split; at < len; at += piece) {
        size_t rest = len - at;
        outcome = feed_guarded(check, bytes + at, rest < piece ? rest : piece);
    }
    assert_int_equal(outcome == PARSE_DONE, false);
    return json_check_finish(check);
}

static void assert_same_fault(const struct json_check *a, const struct json_check *b)
{
    assert_int_equal(a->offset, b->offset);
    assert_int_equal(a->line, b->line);
    assert_int_equal(a->column, b->column);
    assert_string_equal(a->expected, b->expected);
}

/* The verdict on the whole text, which must be that on every split of it. */
static enum parse_outcome run_every_way(struct json_check *check, const char *bytes, size_t len)
{
    enum parse_outcome whole = run(check, bytes, len, 0, len + 1);
    struct json_check other;
    for (size_t split = 0; split <= len; split++) {
        assert_int_equal(run(&other, bytes, len, split, len + 1), whole);
        if (whole == PARSE_BAD)
            assert_same_fault(check, &other);
    }
    assert_int_equal(run(&other, bytes, len, 0, 1), whole);
    if (whole == PARSE_BAD)
        assert_same_fault(check, &other);
    return whole;
}

/* -- What is valid -- */

struct good_row {
    const char *label;
    const char *bytes;
    size_t len;
};

static const struct good_row good_rows[] = {
    {"zero", TEXT("0")},
    {"negative zero", TEXT("-0")},
    {"integer", TEXT("1234567890")},
    {"fraction", TEXT("0.0125")},
    {"exponents", TEXT("[1e5,1E5,1e+5,1E-5,1.5e007]")},
    {"beyond any double", TEXT("1e400")},
    {"beyond 64 bits", TEXT("-12345678901234567890123")},
    {"a hundred digits", TEXT("11111111112222222222333333333344444444445555555555"
                              "11111111112222222222333333333344444444445555555555")},
    {"literals", TEXT("[true,false,null]")},
    {"literal alone", TEXT("null")},
    {"empty string", TEXT("\"\"")},
    {"each escape", TEXT("\"\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u00e9 \\uABCD\"")},
    {"escaped NUL", TEXT("\"\\u0000\"")},
    {"surrogate pairs", TEXT("\"\\ud800\\udc00 \\uDBFF\\uDFFF \\uD83d\\uDe00\"")},
    {"around the surrogates", TEXT("\"\\ud7ff\\ue000\\ud000\"")},
    {"delete is no control here", TEXT("\"\x7f\"")},
    {"UTF-8, first and last of two", TEXT("\"\xc2\x80\xdf\xbf\"")},
    {"UTF-8, first and last of three", TEXT("\"\xe0\xa0\x80\xef\xbf\xbf\"")},
    {"UTF-8, around the surrogates", TEXT("\"\xed\x9f\xbf\xee\x80\x80\"")},
    {"UTF-8, first and last of four", TEXT("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"")},
    {"UTF-8, four, by F1 and F3", TEXT("\"\xf1\x80\x80\x80\xf3\xbf\xbf\xbf\"")},
    {"byte order mark within a string", TEXT("\"\xef\xbb\xbf\"")},
    {"empty array", TEXT("[]")},
    {"empty object", TEXT("{}")},
    {"empty ones with space", TEXT("[ { } , [ ] ]")},
    {"deepest", TEXT("[{\"a\":[{}]}]")},
    {"deep again and again", TEXT("[[[[]]],[[[]]],{\"a\":[{}],\"b\":[]}]")},
    {"repeated names", TEXT("{\"a\":1,\"a\":2}")},
    {"empty name", TEXT("{\"\":0}")},
    {"white space everywhere", TEXT(" \t\r\n{ \"a\" \n:\t[ 1 , 2\r]\n} \n\n")},
    {"long indentation", TEXT("\n                       [\n                   1]             ")},
    {"long string", TEXT("\"0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ\"")},
};

static void json_check_valid_text_is_done(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good_rows); i++) {
        const struct good_row *row = &good_rows[i];
        struct json_check check;
        if (run_every_way(&check, row->bytes, row->len) != PARSE_DONE)
            fail_msg("%s: refused at byte %ju", row->label, (uintmax_t)check.offset);
    }
}

/* -- What is not, and where -- */

struct bad_row {
    const char *label;
    const char *bytes;
    size_t len;
    uint64_t offset;
    uint64_t line;
    uint64_t column;
    const char *expected;
};

static const struct bad_row bad_rows[] = {
    {"empty", TEXT(""), 0, 1, 1, "a value"},
    {"white space only", TEXT(" \n "), 3, 2, 2, "a value"},
    {"form feed", TEXT("\x0c{}"), 0, 1, 1, "a value"},
    {"NUL", TEXT("\0"), 0, 1, 1, "a value"},
    {"byte order mark", TEXT("\xef\xbb\xbf{}"), 0, 1, 1, "a value, without a byte order mark"},
    {"byte order mark later", TEXT("[\xef\xbb\xbf]"), 1, 1, 2, "a value or ']'"},
    {"UTF-16", TEXT("\xff\xfe{\0}\0"), 0, 1, 1, "a value"},

    {"trailing letter", TEXT("{}x"), 2, 1, 3, "the end of the document"},
    {"trailing NUL", TEXT("{}\0"), 2, 1, 3, "the end of the document"},
    {"two values", TEXT("1 2"), 2, 1, 3, "the end of the document"},
    {"two objects", TEXT("{}\n{}"), 3, 2, 1, "the end of the document"},
    {"closed twice", TEXT("[]]"), 2, 1, 3, "the end of the document"},

    {"leading zero", TEXT("01"), 1, 1, 2, "the end of the document"},
    {"leading zero in an array", TEXT("[-01]"), 3, 1, 4, "',' or ']'"},
    {"no integer part", TEXT(".5"), 0, 1, 1, "a value"},
    {"no fraction", TEXT("2."), 2, 1, 3, "a digit"},
    {"no fraction before e", TEXT("2.e1"), 2, 1, 3, "a digit"},
    {"plus", TEXT("+1"), 0, 1, 1, "a value"},
    {"minus alone", TEXT("-"), 1, 1, 2, "a digit"},
    {"minus word", TEXT("-Infinity"), 1, 1, 2, "a digit"},
    {"no exponent", TEXT("1e"), 2, 1, 3, "a digit, '+' or '-'"},
    {"no digit after the sign", TEXT("[1e+]"), 4, 1, 5, "a digit"},
    {"fraction in the exponent", TEXT("1e5.5"), 3, 1, 4, "the end of the document"},
    {"hexadecimal", TEXT("0x1"), 1, 1, 2, "the end of the document"},
    {"NaN", TEXT("NaN"), 0, 1, 1, "a value"},
    {"sign within", TEXT("[1-2]"), 2, 1, 3, "',' or ']'"},
    {"number, then the end", TEXT("[1"), 2, 1, 3, "',' or ']'"},
    {"number in an object, then the end", TEXT("{\"a\":1"), 6, 1, 7, "',' or '}'"},

    {"literal cut", TEXT("[tru"), 4, 1, 5, "true"},
    {"literal misspelt", TEXT("[fals3]"), 5, 1, 6, "false"},
    {"literal in capitals", TEXT("nULL"), 1, 1, 2, "null"},
    {"literal too long", TEXT("nullx"), 4, 1, 5, "the end of the document"},

    {"string not ended", TEXT("\"abc"), 4, 1, 5, "the end of the string"},
    {"newline in a string", TEXT("\"ab\nc\""), 3, 1, 4, "an escape instead of a control character"},
    {"NUL in a string", TEXT("\"\0\""), 1, 1, 2, "an escape instead of a control character"},
    {"last control byte", TEXT("\"0123456789\x1f\""), 11, 1, 12,
     "an escape instead of a control character"},
    {"escape cut", TEXT("\"\\"), 2, 1, 3, "one of \" \\ / b f n r t u"},
    {"unknown escape", TEXT("\"\\x41\""), 2, 1, 3, "one of \" \\ / b f n r t u"},
    {"capital escape", TEXT("\"\\U0041\""), 2, 1, 3, "one of \" \\ / b f n r t u"},
    {"no digit", TEXT("\"\\u\""), 3, 1, 4, "a hexadecimal digit"},
    {"one digit", TEXT("\"\\u1\""), 4, 1, 5, "a hexadecimal digit"},
    {"two digits", TEXT("\"\\u12\""), 5, 1, 6, "a hexadecimal digit"},
    {"three digits", TEXT("\"\\u12g4\""), 5, 1, 6, "a hexadecimal digit"},
    {"no fourth digit", TEXT("\"\\u123\""), 6, 1, 7, "a hexadecimal digit"},
    {"no digit after D", TEXT("\"\\uD\""), 4, 1, 5, "a hexadecimal digit"},

    {"high surrogate alone", TEXT("\"\\uD800\""), 7, 1, 8, "a low surrogate escape"},
    {"high surrogate cut", TEXT("\"\\uD80\""), 6, 1, 7, "a hexadecimal digit"},
    {"high surrogate, other escape", TEXT("\"\\uD800\\n\""), 8, 1, 9, "a low surrogate escape"},
    {"high surrogate, BMP", TEXT("\"\\uD800\\u0041\""), 9, 1, 10, "a low surrogate escape"},
    {"two high surrogates", TEXT("\"\\uDBFF\\uDBFF\""), 10, 1, 11, "a low surrogate escape"},
    {"low surrogate cut", TEXT("\"\\uD800\\uDC0\""), 12, 1, 13, "a hexadecimal digit"},
    {"low surrogate alone", TEXT("\"\\uDC00\""), 4, 1, 5,
     "a high surrogate escape before a low one"},
    {"last low surrogate alone", TEXT("\"\\udfff\""), 4, 1, 5,
     "a high surrogate escape before a low one"},

    {"UTF-8, stray tail", TEXT("\"\x80\""), 1, 1, 2, "valid UTF-8"},
    {"UTF-8, Latin-1", TEXT("\"caf\xe9\""), 5, 1, 6, "valid UTF-8"},
    {"UTF-8, 0xff", TEXT("\"\xff\""), 1, 1, 2, "valid UTF-8"},
    {"UTF-8, overlong by C0", TEXT("\"\xc0\xaf\""), 1, 1, 2, "valid UTF-8"},
    {"UTF-8, overlong by C1", TEXT("\"\xc1\xbf\""), 1, 1, 2, "valid UTF-8"},
    {"UTF-8, overlong by E0", TEXT("\"\xe0\x9f\xbf\""), 2, 1, 3, "valid UTF-8"},
    {"UTF-8, surrogate", TEXT("\"\xed\xa0\x80\""), 2, 1, 3, "valid UTF-8"},
    {"UTF-8, overlong by F0", TEXT("\"\xf0\x8f\xbf\xbf\""), 2, 1, 3, "valid UTF-8"},
    {"UTF-8, above the last", TEXT("\"\xf4\x90\x80\x80\""), 2, 1, 3, "valid UTF-8"},
    {"UTF-8, F5", TEXT("\"\xf5\x80\x80\x80\""), 1, 1, 2, "valid UTF-8"},
    {"UTF-8, cut by the quote", TEXT("\"\xc3\""), 2, 1, 3, "valid UTF-8"},
    {"UTF-8, cut by the end", TEXT("\"\xe4\xbd"), 3, 1, 3, "valid UTF-8"},
    {"UTF-8, third byte", TEXT("\"\xe4\xbd\x20\""), 3, 1, 3, "valid UTF-8"},
    {"UTF-8, fourth byte", TEXT("\"\xf0\x9f\x98\xc0\""), 4, 1, 3, "valid UTF-8"},
    {"UTF-8 outside a string", TEXT("[\xc3\xa9]"), 1, 1, 2, "a value or ']'"},

    {"array not closed", TEXT("[1,2"), 4, 1, 5, "',' or ']'"},
    {"array not begun", TEXT("]"), 0, 1, 1, "a value"},
    {"comma first", TEXT("[,1]"), 1, 1, 2, "a value or ']'"},
    {"comma last", TEXT("[1,]"), 3, 1, 4, "a value"},
    {"no comma", TEXT("[1 2]"), 3, 1, 4, "',' or ']'"},
    {"closed as an object", TEXT("[1}"), 2, 1, 3, "',' or ']'"},
    {"object not closed", TEXT("{\"a\":1"), 6, 1, 7, "',' or '}'"},
    {"object, begun only", TEXT("{"), 1, 1, 2, "a name in double quotes or '}'"},
    {"object, comma last", TEXT("{\"a\":1,}"), 7, 1, 8, "a name in double quotes"},
    {"object, number as a name", TEXT("{1:1}"), 1, 1, 2, "a name in double quotes or '}'"},
    {"object, bare name", TEXT("{\"a\":1,b:2}"), 7, 1, 8, "a name in double quotes"},
    {"object, no colon", TEXT("{\"a\" 1}"), 5, 1, 6, "':'"},
    {"object, no value", TEXT("{\"a\":}"), 5, 1, 6, "a value"},
    {"object, closed as an array", TEXT("{\"a\":1]"), 6, 1, 7, "',' or '}'"},
    {"object after an array in it", TEXT("{\"a\":[1] \"b\":2}"), 9, 1, 10, "',' or '}'"},
    {"comment", TEXT("[1/*x*/]"), 2, 1, 3, "',' or ']'"},
    {"single quotes", TEXT("['a']"), 1, 1, 2, "a value or ']'"},
    {"fills eight bytes", TEXT("{\"1\":1,\n"), 8, 2, 1, "a name in double quotes"},

    {"too deep by an array", TEXT("[[[[[]]]]]"), 4, 1, 5, "at most 4 levels of nesting"},
    {"too deep by an object", TEXT("[[[[ {"), 5, 1, 6, "at most 4 levels of nesting"},

    {"column counts characters", TEXT("[\"\xc3\xa9\xe4\xbd\xa0\xf0\x9f\x98\x80\" x"), 13, 1, 8,
     "',' or ']'"},
    {"column begins anew", TEXT("[\"\xc3\xa9\",\n\"\xc3\xa9\"x"), 11, 2, 4, "',' or ']'"},
    {"line ends with CRLF", TEXT("[\r\n1,\r\n x]"), 8, 3, 2, "a value"},
    {"carriage return alone ends no line", TEXT("[\r1\rx]"), 4, 1, 5, "',' or ']'"},
};

static void json_check_wrong_text_is_bad_at_its_first_wrong_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad_rows); i++) {
        const struct bad_row *row = &bad_rows[i];
        struct json_check check;
        bool refused = run_every_way(&check, row->bytes, row->len) == PARSE_BAD;
        if (!refused || check.offset != row->offset || check.line != row->line ||
            check.column != row->column || strcmp(check.expected, row->expected) != 0)
            fail_msg("%s: refused %d at byte %ju, line %ju, column %ju, expected %s", row->label,
                     refused, (uintmax_t)check.offset, (uintmax_t)check.line,
                     (uintmax_t)check.column, check.expected);
    }
}

static void json_check_bad_stays_bad(void **state)
{
    (void)state;
    struct json_check check;
    json_check_init(&check, DEPTH_LIMIT, UINT64_MAX);
    assert_int_equal(json_check_feed(&check, "[1,x", 4), PARSE_BAD);
    assert_int_equal(json_check_feed(&check, "1]", 2), PARSE_BAD);
    assert_int_equal(json_check_feed(&check, NULL, 0), PARSE_BAD);
    assert_int_equal(json_check_finish(&check), PARSE_BAD);
    assert_int_equal(check.offset, 3);
    assert_string_equal(check.expected, "a value");
}

static void json_check_empty_pieces_change_nothing(void **state)
{
    (void)state;
    struct json_check check;
    json_check_init(&check, DEPTH_LIMIT, UINT64_MAX);
    assert_int_equal(json_check_feed(&check, NULL, 0), PARSE_MORE);
    assert_int_equal(json_check_feed(&check, "[1", 2), PARSE_MORE);
    assert_int_equal(json_check_feed(&check, NULL, 0), PARSE_MORE);
    assert_int_equal(json_check_feed(&check, "2]", 2), PARSE_MORE);
    assert_int_equal(json_check_finish(&check), PARSE_DONE);
}

/* A byte that a string may not hold, at each place of the eight that are looked at together. */
static void json_check_control_byte_at_each_place_is_found(void **state)
{
    (void)state;
    for (size_t len = 0; len < 40; len++) {
        for (int byte = 0; byte < 0x20; byte++) {
            char text[48] = "\"";
            memset(text + 1, ' ', len);
            text[len + 1] = (char)byte;
            text[len + 2] = '"';
            struct json_check check;
            assert_int_equal(run(&check, text, len + 3, 0, len + 3), PARSE_BAD);
            assert_int_equal(check.offset, len + 1);
        }
    }
}

static void json_check_plain_byte_at_each_place_is_passed_over(void **state)
{
    (void)state;
    for (size_t len = 0; len < 40; len++) {
        for (int byte = 0x20; byte < 0x80; byte++) {
            char text[48] = "\"";
            memset(text + 1, byte == '"' || byte == '\\' ? '/' : byte, len);
            text[len + 1] = '"';
            struct json_check check;
            assert_int_equal(run(&check, text, len + 2, 0, len + 2), PARSE_DONE);
        }
    }
}

/* -- Depth -- */

static enum parse_outcome check_nested(unsigned limit, size_t depth, const char *open,
                                       const char *close, struct json_check *check)
{
    json_check_init(check, limit, UINT64_MAX);
    for (size_t i = 0; i < depth; i++)
        (void)json_check_feed(check, open, strlen(open));
    (void)json_check_feed(check, "0", 1);
    for (size_t i = 0; i < depth; i++)
        (void)json_check_feed(check, close, strlen(close));
    return json_check_finish(check);
}

static void json_check_depth_limit_is_exact(void **state)
{
    (void)state;
    static const unsigned limits[] = {1, 2, 63, 64, 65, 128, 999, JSON_CHECK_DEPTH_MAX};
    struct json_check check;
    for (size_t i = 0; i < COUNT(limits); i++) {
        unsigned limit = limits[i];
        assert_int_equal(check_nested(limit, limit - 1, "[", "]", &check), PARSE_DONE);
        assert_int_equal(check_nested(limit, limit, "[", "]", &check), PARSE_DONE);
        assert_int_equal(check_nested(limit, limit, "{\"a\":", "}", &check), PARSE_DONE);
        assert_int_equal(check_nested(limit, limit + 1, "[", "]", &check), PARSE_BAD);
        assert_int_equal(check.offset, limit);
        assert_int_equal(check_nested(limit, limit + 1, "{\"a\":", "}", &check), PARSE_BAD);
        assert_int_equal(check.offset, 5 * limit);
    }
}

/* -- Values -- */

static enum parse_outcome check_values(const char *text, uint64_t limit, struct json_check *check)
{
    json_check_init(check, 10, limit);
    for (size_t i = 0; text[i] != '\0'; i++)
        (void)json_check_feed(check, text + i, 1);
    return json_check_finish(check);
}

static void json_check_values_limit_is_exact(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t values;
        uint64_t offset; /* of the last */
    } rows[] = {
        {"1", 1, 0},
        {"[]", 1, 0},
        {"[1,2]", 3, 3},
        {"[[],{}]", 3, 4},
        {"{\"a\":null,\"b\":[true,\"x\"]}", 5, 20},
        {"[[[[]]]]", 4, 3},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json_check check;
        assert_int_equal(check_values(rows[i].text, rows[i].values + 1, &check), PARSE_DONE);
        assert_int_equal(check_values(rows[i].text, rows[i].values, &check), PARSE_DONE);
        assert_false(json_check_is_too_large(&check));
        if (rows[i].values == 1)
            continue;
        assert_int_equal(check_values(rows[i].text, rows[i].values - 1, &check), PARSE_BAD);
        assert_true(json_check_is_too_large(&check));
        assert_int_equal(check.offset, rows[i].offset);
    }
}

static void json_check_wrong_text_is_not_too_large(void **state)
{
    (void)state;
    struct json_check check;
    assert_int_equal(check_values("[1,2,x", 3, &check), PARSE_BAD);
    assert_false(json_check_is_too_large(&check));
    assert_int_equal(check_values("[1,2,]", 3, &check), PARSE_BAD);
    assert_false(json_check_is_too_large(&check));
    assert_int_equal(check_values("[1,2,3]", 3, &check), PARSE_BAD);
    assert_string_equal(check.expected, "at most 3 values");
}

/* What cJSON takes for a text of so many values, as the C library counts it. */
static size_t tree_bytes;

static void *count_malloc(size_t size)
{
    void *block = malloc(size);
    tree_bytes += malloc_usable_size(block) + sizeof(size_t);
    return block;
}

/* The texts that need most for their length, and for their values. */
static void json_check_tree_is_within_its_bound(void **state)
{
    (void)state;
    static const struct {
        const char *unit;
        size_t values;
    } rows[] = {
        {"0", 1},
        {"[]", 1},
        {"\"\"", 1},
        {"\"0123456789012345678901234\"", 1},
        {"{\"\":\"\"}", 2},
        {"{\"0123456789012345678901234\":\"0123456789012345678901234567890123456789\"}", 2},
        {"\"\\u0041\"", 1},
    };
    cJSON_Hooks hooks = {.malloc_fn = count_malloc, .free_fn = free};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[20000] = "[";
        size_t len = 1;
        size_t values = 1;
        for (; len + strlen(rows[i].unit) + 2 < sizeof text; values += rows[i].values) {
            text[len] = ',';
            len += len > 1;
            memcpy(text + len, rows[i].unit, strlen(rows[i].unit));
            len += strlen(rows[i].unit);
        }
        text[len++] = ']';
        struct json_check check;
        json_check_init(&check, 10, values);
        (void)json_check_feed(&check, text, len);
        assert_int_equal(json_check_finish(&check), PARSE_DONE);
        assert_int_equal(check.values_left, 0);
        tree_bytes = 0;
        cJSON_InitHooks(&hooks);
        cJSON *tree = cJSON_ParseWithLength(text, len);
        assert_non_null(tree);
        cJSON_Delete(tree);
        cJSON_InitHooks(NULL);
        assert_in_range(tree_bytes, 1, values * JSON_CHECK_TREE_BYTES_A_VALUE + len);
    }
}

static void json_check_kinds_of_levels_are_remembered(void **state)
{
    (void)state;
    struct json_check check;
    assert_int_equal(check_nested(1000, 500, "[{\"a\":", "}]", &check), PARSE_DONE);
    assert_int_equal(check_nested(1000, 500, "[{\"a\":", "]}", &check), PARSE_BAD);
    assert_string_equal(check.expected, "',' or '}'");
}

static void json_check_million_levels_are_refused_at_the_limit(void **state)
{
    (void)state;
    struct json_check check;
    assert_int_equal(check_nested(128, 1000000, "{\"a\":", "}", &check), PARSE_BAD);
    assert_int_equal(check.offset, 5 * 128);
    assert_string_equal(check.expected, "at most 128 levels of nesting");
}

static void json_check_struct_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct json_check) <= 400);
}

/* -- Against cJSON -- */

static uint64_t random_state;

static uint32_t random_below(uint32_t bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((random_state >> 33) % bound);
}

#define DOCUMENT_SIZE 1024

struct document {
    char bytes[DOCUMENT_SIZE];
    size_t len;
};

static void append(struct document *document, const char *string)
{
    size_t len = strlen(string);
    if (document->len + len > DOCUMENT_SIZE)
        return;
    memcpy(document->bytes + document->len, string, len);
    document->len += len;
}

static void append_one_of(struct document *document, const char *const *strings, size_t count)
{
    append(document, strings[random_below((uint32_t)count)]);
}

static void append_string(struct document *document)
{
    static const char *const parts[] = {
        "a",
        "name",
        " ",
        "\\n",
        "\\\"",
        "\\\\",
        "\\/",
        "\xc3\xa9",
        "\xe4\xbd\xa0",
        "\xf0\x9f\x98\x80",
        "\\u0000",
        "\\u00e9",
        "\\uD83D\\uDE00",
        "0123456789abcdef",
        "\x7f",
        "/*",
    };
    append(document, "\"");
    for (uint32_t i = random_below(4); i > 0; i--)
        append_one_of(document, parts, COUNT(parts));
    append(document, "\"");
}

static void append_space(struct document *document)
{
    static const char *const spaces[] = {"", "", "", " ", "\n", "\t", "\r\n", "            "};
    append_one_of(document, spaces, COUNT(spaces));
}

static void append_value(struct document *document, unsigned depth)
{
    static const char *const scalars[] = {
        "0",        "-0",    "17",
        "-2.50",    "1e5",   "1E-07",
        "6.02e+23", "1e400", "12345678901234567890",
        "true",     "false", "null",
    };
    append_space(document);
    uint32_t kind = random_below(depth < 6 ? 6 : 3);
    if (kind < 2)
        append_one_of(document, scalars, COUNT(scalars));
    else if (kind == 2)
        append_string(document);
    if (kind < 3) {
        append_space(document);
        return;
    }
    append(document, kind == 3 ? "[" : "{");
    for (uint32_t i = 0, count = random_below(4); i < count; i++) {
        append(document, i > 0 ? "," : "");
        append_space(document);
        if (kind != 3) {
            append_string(document);
            append_space(document);
            append(document, ":");
        }
        append_value(document, depth + 1);
    }
    append_space(document);
    append(document, kind == 3 ? "]" : "}");
    append_space(document);
}

/* Replaces, removes, repeats or cuts, mostly at bytes that mean something to JSON. */
static void mutate(struct document *document)
{
    static const char bytes[] = "{}[]:,\"\\/0123456789+-.eEtrufalsn \n\t\0\x1f\x7f\x80\xbf\xc3\xed";
    if (document->len == 0)
        return;
    size_t at = random_below((uint32_t)document->len);
    size_t rest = document->len - at - 1;
    switch (random_below(4)) {
    case 0:
        document->bytes[at] = bytes[random_below(sizeof bytes - 1)];
        break;
    case 1:
        memmove(document->bytes + at, document->bytes + at + 1, rest);
        document->len--;
        break;
    case 2:
        if (document->len < DOCUMENT_SIZE) {
            memmove(document->bytes + at + 1, document->bytes + at, rest + 1);
            document->len++;
        }
        break;
    default:
        document->len = at;
        break;
    }
}

static bool is_accepted(const char *bytes, size_t len, unsigned depth_limit)
{
    struct json_check check;
    json_check_init(&check, depth_limit, UINT64_MAX);
    (void)json_check_feed(&check, bytes, len);
    return json_check_finish(&check) == PARSE_DONE;
}

/* Whether cJSON reads the whole text; it is given no byte more than the text has. */
static bool is_read_by_cjson(const char *bytes, size_t len)
{
    char *exact = malloc(len > 0 ? len : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, len);
    const char *end = NULL;
    cJSON *tree = cJSON_ParseWithLengthOpts(exact, len, &end, false);
    bool is_read = tree != NULL;
    for (; is_read && end < exact + len; end++)
        is_read = strchr(" \t\r\n", *end) != NULL && *end != '\0';
    cJSON_Delete(tree);
    free(exact);
    return is_read;
}

static void json_check_cjson_reads_the_valid_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good_rows); i++)
        if (!is_read_by_cjson(good_rows[i].bytes, good_rows[i].len))
            fail_msg("%s", good_rows[i].label);
}

static void json_check_cjson_reads_the_deepest(void **state)
{
    (void)state;
    char text[2 * JSON_CHECK_DEPTH_MAX];
    memset(text, '[', JSON_CHECK_DEPTH_MAX);
    memset(text + JSON_CHECK_DEPTH_MAX, ']', JSON_CHECK_DEPTH_MAX);
    assert_true(is_accepted(text, sizeof text, JSON_CHECK_DEPTH_MAX));
    assert_true(is_read_by_cjson(text, sizeof text));
}

static void json_check_cjson_reads_whatever_is_accepted(void **state)
{
    (void)state;
    random_state = 20240229;
    unsigned accepted = 0;
    for (unsigned i = 0; i < 40000; i++) {
        struct document document = {.len = 0};
        append_value(&document, 0);
        for (uint32_t mutations = random_below(4); mutations > 0; mutations--)
            mutate(&document);
        if (!is_accepted(document.bytes, document.len, JSON_CHECK_DEPTH_MAX))
            continue;
        accepted++;
        if (!is_read_by_cjson(document.bytes, document.len))
            fail_msg("only the check accepts: %.*s", (int)document.len, document.bytes);
    }
    assert_in_range(accepted, 10000, 39000);
}

/* The reverse direction for texts that are right by the way they are made. */
static void json_check_generated_texts_are_done(void **state)
{
    (void)state;
    random_state = 8259;
    for (unsigned i = 0; i < 20000; i++) {
        struct document document = {.len = 0};
        append_value(&document, 0);
        bool whole = document.len <= DOCUMENT_SIZE - 64; /* else append() may have left out some */
        if (whole && !is_accepted(document.bytes, document.len, 16))
            fail_msg("refused: %.*s", (int)document.len, document.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_check_valid_text_is_done),
        cmocka_unit_test(json_check_wrong_text_is_bad_at_its_first_wrong_byte),
        cmocka_unit_test(json_check_bad_stays_bad),
        cmocka_unit_test(json_check_empty_pieces_change_nothing),
        cmocka_unit_test(json_check_control_byte_at_each_place_is_found),
        cmocka_unit_test(json_check_plain_byte_at_each_place_is_passed_over),
        cmocka_unit_test(json_check_depth_limit_is_exact),
        cmocka_unit_test(json_check_values_limit_is_exact),
        cmocka_unit_test(json_check_wrong_text_is_not_too_large),
        cmocka_unit_test(json_check_tree_is_within_its_bound),
        cmocka_unit_test(json_check_kinds_of_levels_are_remembered),
        cmocka_unit_test(json_check_million_levels_are_refused_at_the_limit),
        cmocka_unit_test(json_check_struct_is_small),
        cmocka_unit_test(json_check_cjson_reads_the_valid_rows),
        cmocka_unit_test(json_check_cjson_reads_the_deepest),
        cmocka_unit_test(json_check_cjson_reads_whatever_is_accepted),
        cmocka_unit_test(json_check_generated_texts_are_done),
    };
    return cmocka_run_group_tests(tests, guard_setup, guard_teardown);
}
