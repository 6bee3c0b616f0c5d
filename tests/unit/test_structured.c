/* Structured field values: what is a member, a byte sequence, a string, and what is none. */
#include "http/structured.h"
#include "http/text.h"
#include "tests/unit/assert_slice.h"

#include <string.h>

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static const struct {
    const char *label;
    const char *list;
    const char *keys; /* those of the members, each with a blank behind; NULL: malformed */
    const char *items;
} dictionaries[] = {
    {"nothing", "", "", ""},
    {"one", "sha-256=:YQ==:", "sha-256 ", ":YQ==: "},
    {"two", "a=1, b=2", "a b ", "1 2 "},
    {"without a space", "a=1,b=2", "a b ", "1 2 "},
    {"tab between", "a=1\t,\tb=2", "a b ", "1 2 "},
    {"parameters are dropped", "a=1;q=2;r=\"x,y;z\" , b=2", "a b ", "1 2 "},
    {"a comma in a string", "a=\"1,2\", b=2", "a b ", "\"1,2\" 2 "},
    {"no item is true", "a, *b;x", "a *b ", "  "},
    {"all bytes of a key", "*a0_-.*=1", "*a0_-.* ", "1 "},
    {"an equals sign in the item", "a=:YQ==:", "a ", ":YQ==: "},
    {"a key in upper case", "SHA-256=:YQ==:", NULL, NULL},
    {"a key that begins with a digit", "1a=2", NULL, NULL},
    {"no key", "=2", NULL, NULL},
    {"no item", "a=", NULL, NULL},
    {"a space in front of the sign", "a =2", NULL, NULL},
    {"a byte sequence alone", ":YQ==:", NULL, NULL},
};

static void structured_dictionary_is_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(dictionaries); i++) {
        char keys[64] = "";
        char items[64] = "";
        struct text key_text = text_over(keys, sizeof(keys) - 1);
        struct text item_text = text_over(items, sizeof(items) - 1);
        struct slice list = slice_from_string(dictionaries[i].list);
        struct structured_member member;
        enum parse_outcome outcome;
        while ((outcome = structured_next_member(&list, &member)) == PARSE_MORE) {
            text_append(&key_text, member.key);
            text_append_char(&key_text, ' ');
            text_append(&item_text, member.item);
            text_append_char(&item_text, ' ');
        }
        if ((outcome == PARSE_DONE) != (dictionaries[i].keys != NULL))
            fail_msg("%s: %d", dictionaries[i].label, (int)outcome);
        if (outcome == PARSE_DONE &&
            (strcmp(keys, dictionaries[i].keys) != 0 || strcmp(items, dictionaries[i].items) != 0))
            fail_msg("%s: %s / %s", dictionaries[i].label, keys, items);
    }
}

static void structured_byte_sequence_stands_between_colons(void **state)
{
    static const struct {
        const char *item;
        const char *base64; /* NULL: it is none */
    } rows[] = {
        {":YQ==:", "YQ=="}, {"::", ""},      {":a:b:", "a:b"}, {"", NULL},         {":", NULL},
        {"YQ==", NULL},     {":YQ==", NULL}, {"YQ==:", NULL},  {"\"YQ==\"", NULL}, {" :YQ:", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice base64;
        bool is_one = structured_byte_sequence(slice_from_string(rows[i].item), &base64);
        if (is_one != (rows[i].base64 != NULL))
            fail_msg("%s", rows[i].item);
        if (is_one)
            assert_slice_is(base64, rows[i].base64);
    }
}

static void structured_string_is_unescaped(void **state)
{
    static const struct {
        const char *item;
        const char *text; /* NULL: it is none */
    } rows[] = {
        {"\"\"", ""},
        {"\"a b\"", "a b"},
        {"\"a\\\"b\\\\\"", "a\"b\\"},
        {"\"~!\"", "~!"},
        {"\"12345678\"", "12345678"},
        {"\"123456789\"", NULL}, /* too long for us */
        {"\"a\\nb\"", NULL},
        {"\"a\\\"", NULL},
        {"\"a\"b\"", NULL},
        {"\"a\tb\"", NULL},
        {"\"\xc3\xa9\"", NULL},
        {"\"a", NULL},
        {"a\"", NULL},
        {"\"", NULL},
        {"", NULL},
        {"a", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[8];
        size_t len;
        bool is_one = structured_string(slice_from_string(rows[i].item), text, sizeof(text), &len);
        if (is_one != (rows[i].text != NULL))
            fail_msg("%s", rows[i].item);
        if (is_one)
            assert_slice_is(((struct slice){text, len}), rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structured_dictionary_is_taken_apart),
        cmocka_unit_test(structured_byte_sequence_stands_between_colons),
        cmocka_unit_test(structured_string_is_unescaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
