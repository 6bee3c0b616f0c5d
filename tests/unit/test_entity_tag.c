#include "http/entity_tag.h"
#include "tests/unit/assert_slice.h"
#include "tests/unit/fill.h"
#include "tests/unit/guard.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

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

static struct slice place(const char *text)
{
    size_t len = strlen(text);
    return (struct slice){guard_place(&guard, text, len), len};
}

static void entity_tag_parse_reads_strong_and_weak_tags(void **state)
{
    static const struct {
        const char *text;
        const char *opaque;
        bool weak;
    } rows[] = {
        {"\"\"", "\"\"", false},
        {"\"xyzzy\"", "\"xyzzy\"", false},
        {"W/\"xyzzy\"", "\"xyzzy\"", true},
        {"W/\"\"", "\"\"", true},
        {"\"a,b;c*d\"", "\"a,b;c*d\"", false},
        {"\"!\"", "\"!\"", false},
        {"\"#~\"", "\"#~\"", false},
        {"\"W/\"", "\"W/\"", false},
        {"\"\\\"", "\"\\\"", false}, /* a backslash escapes nothing */
        {"\"\x80\xff\"", "\"\x80\xff\"", false},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct entity_tag tag = {0};
        if (entity_tag_parse(place(rows[i].text), &tag) != 0)
            fail_msg("%s is refused", rows[i].text);
        assert_slice_is(tag.opaque, rows[i].opaque);
        assert_int_equal(tag.weak, rows[i].weak);
    }
}

static void entity_tag_parse_refuses_all_else(void **state)
{
    static const char *const rows[] = {
        "",         "\"",       "W",       "W/",        "W/\"",     "a",          "abc",
        "*",        "\"a",      "a\"",     "w/\"a\"",   "W\"a\"",   "W /\"a\"",   "W/ \"a\"",
        " \"a\"",   "\"a\" ",   "\"a b\"", "\"a\tb\"",  "\"a\"b\"", "\"\"\"",     "\"a\",\"b\"",
        "\"\x7f\"", "\"\x1f\"", "'a'",     "W/W/\"a\"", "/\"a\"",   "\"a\\\"b\"", "\"a\"W/\"b\"",
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct entity_tag tag = {SLICE("untouched"), true};
        if (entity_tag_parse(place(rows[i]), &tag) != -1)
            fail_msg("%s is accepted", rows[i]);
        assert_slice_is(tag.opaque, "untouched");
        assert_true(tag.weak);
    }
}

/* The members of a list, one letter for each, and the last tag that was among them. */
static void assert_members(struct slice list, const char *kinds, const char *last_tag)
{
    struct entity_tag tag = {SLICE("none"), false};
    char found[64];
    struct text text = text_over(found, sizeof(found));
    enum entity_tag_member member;
    while ((member = entity_tag_next(&list, &tag)) != ENTITY_TAG_END)
        text_append_char(&text, member == ENTITY_TAG_ONE   ? '1'
                                : member == ENTITY_TAG_ANY ? '*'
                                                           : '!');
    assert_slice_is(text_slice(&text), kinds);
    assert_slice_is(tag.opaque, last_tag);
}

static void entity_tag_next_takes_each_member(void **state)
{
    static const struct {
        const char *list;
        const char *kinds; /* 1: a tag, !: malformed */
        const char *last_tag;
    } rows[] = {
        {"", "", "none"},
        {" \t ", "", "none"},
        {",, ,\t,", "", "none"},
        {"\"a\"", "1", "\"a\""},
        {"\"a\", W/\"b\"", "11", "\"b\""},
        {",\"a\",,\t\"b\" ,", "11", "\"b\""},
        {"\"a,b\",\"c,d\"", "11", "\"c,d\""},
        {"\"a\\\",\"b\\\"", "11", "\"b\\\""},
        {"*", "*", "none"},
        {" * ", "*", "none"},
        {"*, \"a\", *", "*1*", "\"a\""},
        {"**", "!", "none"},
        {"a, \"b\", c", "!1!", "\"b\""},
        {"\"a\" \"b\", \"c\"", "!1", "\"c\""},
        {"\"a b,\"c\", \"d\"", "!", "none"}, /* nobody knows where its quotes end */
        {"\"a b, c d\", \"e\"", "!1", "\"e\""},
        {"\"a\", \"b", "1!", "\"a\""},
        {"W/, \"a\"", "!1", "\"a\""},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_members(place(rows[i].list), rows[i].kinds, rows[i].last_tag);
}

static void entity_tag_next_many_commas_are_no_member(void **state)
{
    static char bytes[16384];
    (void)state;
    (void)fill(bytes, sizeof(bytes), "", ',', sizeof(bytes), "");
    assert_members((struct slice){guard_place(&guard, bytes, sizeof(bytes)), sizeof(bytes)}, "",
                   "none");
}

/* The table of RFC 9110 section 8.8.3.2. */
static void entity_tag_comparisons_are_those_of_the_rfc(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool strong;
        bool weak;
    } rows[] = {
        {"W/\"1\"", "W/\"1\"", false, true}, {"W/\"1\"", "W/\"2\"", false, false},
        {"W/\"1\"", "\"1\"", false, true},   {"\"1\"", "\"1\"", true, true},
        {"\"1\"", "\"2\"", false, false},    {"\"a\"", "\"A\"", false, false},
        {"\"\"", "\"\"", true, true},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct entity_tag a;
        struct entity_tag b;
        assert_int_equal(entity_tag_parse(slice_from_string(rows[i].a), &a), 0);
        assert_int_equal(entity_tag_parse(slice_from_string(rows[i].b), &b), 0);
        assert_int_equal(entity_tag_equal_strong(a, b), rows[i].strong);
        assert_int_equal(entity_tag_equal_strong(b, a), rows[i].strong);
        assert_int_equal(entity_tag_equal_weak(a, b), rows[i].weak);
        assert_int_equal(entity_tag_equal_weak(b, a), rows[i].weak);
    }
}

static void entity_tag_format_makes_a_strong_tag_that_parses(void **state)
{
    static const struct {
        struct entity_tag_source source;
        const char *text;
    } rows[] = {
        {{0, 0, 0, 0}, "\"0-0-0-0\""},
        {{0xabc, 16, 0x1234567890, 9}, "\"abc-10-1234567890-9\""},
        {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
         "\"ffffffffffffffff-ffffffffffffffff-ffffffffffffffff-ffffffffffffffff\""},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char buffer[ENTITY_TAG_LEN_MAX];
        struct entity_tag tag;
        struct slice text = entity_tag_format(&rows[i].source, buffer);
        assert_slice_is(text, rows[i].text);
        assert_ptr_equal(text.data, buffer);
        assert_int_equal(entity_tag_parse(text, &tag), 0);
        assert_false(tag.weak);
    }
}

static void entity_tag_format_differs_by_each_number(void **state)
{
    static const struct entity_tag_source sources[] = {
        {1, 1, 1, 1}, {2, 1, 1, 1}, {1, 2, 1, 1}, {1, 1, 2, 1}, {1, 1, 1, 2}, {0x11, 1, 1, 1},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(sources); i++) {
        for (size_t k = 0; k < i; k++) {
            char a[ENTITY_TAG_LEN_MAX];
            char b[ENTITY_TAG_LEN_MAX];
            assert_false(
                slice_equal(entity_tag_format(&sources[i], a), entity_tag_format(&sources[k], b)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entity_tag_parse_reads_strong_and_weak_tags),
        cmocka_unit_test(entity_tag_parse_refuses_all_else),
        cmocka_unit_test(entity_tag_next_takes_each_member),
        cmocka_unit_test(entity_tag_next_many_commas_are_no_member),
        cmocka_unit_test(entity_tag_comparisons_are_those_of_the_rfc),
        cmocka_unit_test(entity_tag_format_makes_a_strong_tag_that_parses),
        cmocka_unit_test(entity_tag_format_differs_by_each_number),
    };
    return cmocka_run_group_tests(tests, create_guard, destroy_guard);
}
