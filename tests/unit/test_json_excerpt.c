/* The excerpt around a fault: short, one line of valid UTF-8, the same at every split. */
#include "http/utf8.h"
#include "server/json/json_excerpt.h"
#include "tests/unit/assert_slice.h"

#include <string.h>

#define COUNT(rows)   (sizeof(rows) / sizeof(rows)[0])
#define TEXT(literal) literal, sizeof(literal) - 1
#define U_FFFD        "\xef\xbf\xbd"

static const struct {
    const char *label;
    const char *bytes;
    size_t len;
    size_t fault;
    const char *excerpt;
} rows[] = {
    {"all of a short text", TEXT("{\"a\":}"), 5, "{\"a\":}"},
    {"nothing", TEXT(""), 0, ""},
    {"the end came too early", TEXT("[1,"), 3, "[1,"},
    {"as much as is shown", TEXT("01234567890123456789x9876543210987654321"), 20,
     "01234567890123456789x9876543210987654321"},
    {"more than is shown", TEXT("-01234567890123456789x9876543210987654321-"), 21,
     "01234567890123456789x9876543210987654321"},
    {"white space", TEXT("[\t1,\r\n x]"), 7, "[ 1,   x]"},
    {"control characters", TEXT("\"\x01\x7f\x1b[31m\xc2\x9b\""), 1,
     "\"" U_FFFD U_FFFD U_FFFD "[31m" U_FFFD "\""},
    {"NUL", TEXT("[1\0]"), 2, "[1" U_FFFD "]"},
    {"bytes that are no UTF-8", TEXT("\"\xff\xc0\xaf\xed\xa0\x80\""), 1,
     "\"" U_FFFD U_FFFD U_FFFD U_FFFD U_FFFD U_FFFD "\""},
    {"characters stay", TEXT("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\" x"), 12,
     "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\" x"},
    {"a character cut in front",
     TEXT("\xf0\x9f\x98\x80"
          "01234567890123456x"),
     21, "01234567890123456x"},
    {"a character cut behind", TEXT("x234567890123456789\xc3\xa9"), 0, "x234567890123456789"},
    {"a character that ends too early is none", TEXT("x\xc3"), 1, "x" U_FFFD},
};

static void print(size_t row, size_t piece, char out[JSON_EXCERPT_SIZE])
{
    struct json_excerpt excerpt = {0};
    for (size_t at = 0; at < rows[row].len;) {
        size_t end = at < rows[row].fault ? rows[row].fault : rows[row].len;
        size_t len = end - at < piece ? end - at : piece;
        struct slice bytes = {rows[row].bytes + at, len};
        if (at < rows[row].fault)
            json_excerpt_pass(&excerpt, bytes);
        else
            json_excerpt_take(&excerpt, bytes);
        at += len;
    }
    json_excerpt_print(&excerpt, out);
}

static void json_excerpt_is_safe_text_at_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t piece = 1; piece <= rows[i].len + 1; piece++) {
            char out[JSON_EXCERPT_SIZE];
            print(i, piece, out);
            if (strcmp(out, rows[i].excerpt) != 0)
                fail_msg("%s, in pieces of %zu: %s", rows[i].label, piece, out);
            assert_true(utf8_is_valid(slice_from_string(out)));
        }
    }
}

static void json_excerpt_of_nothing_but_bad_bytes_fits(void **state)
{
    char bytes[100];
    char out[JSON_EXCERPT_SIZE];
    struct json_excerpt excerpt = {0};
    (void)state;
    memset(bytes, 0xff, sizeof(bytes));
    json_excerpt_pass(&excerpt, (struct slice){bytes, 20});
    json_excerpt_take(&excerpt, (struct slice){bytes, sizeof(bytes)});
    json_excerpt_print(&excerpt, out);
    assert_in_range(strlen(out), 3 * 39, JSON_EXCERPT_SIZE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_excerpt_is_safe_text_at_every_split),
        cmocka_unit_test(json_excerpt_of_nothing_but_bad_bytes_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
