#include "http/slice.h"
#include "tests/unit/assert_slice.h"
#include "tests/unit/guard.h"

static void slice_from_string_takes_the_bytes_without_nul(void **state)
{
    (void)state;
    assert_int_equal(slice_from_string("abc").len, 3);
    assert_int_equal(slice_from_string("").len, 0);
    assert_int_equal(slice_from_string(NULL).len, 0);
    assert_int_equal(SLICE("a\0b").len, 3);
}

static void slice_equal_compares_length_and_bytes(void **state)
{
    (void)state;
    assert_true(slice_equal(SLICE("abc"), SLICE("abc")));
    assert_true(slice_equal(SLICE("a\0b"), SLICE("a\0b")));
    assert_false(slice_equal(SLICE("a\0b"), SLICE("a\0c")));
    assert_false(slice_equal(SLICE("abc"), SLICE("abd")));
    assert_false(slice_equal(SLICE("abc"), SLICE("ab")));
    assert_false(slice_equal(SLICE("abc"), SLICE("ABC")));
    assert_true(slice_equal((struct slice){NULL, 0}, SLICE("")));
}

static void slice_equal_nocase_folds_ascii_letters_only(void **state)
{
    (void)state;
    assert_true(slice_equal_nocase(SLICE("Host-az"), SLICE("hOST-AZ")));
    assert_false(slice_equal_nocase(SLICE("host"), SLICE("hos")));
    assert_false(slice_equal_nocase(SLICE("host"), SLICE("hosu")));
    /* Pairs that differ by 0x20 as letters do, but are none. */
    assert_false(slice_equal_nocase(SLICE("@"), SLICE("`")));
    assert_false(slice_equal_nocase(SLICE("["), SLICE("{")));
    assert_false(slice_equal_nocase(SLICE("\xc4"), SLICE("\xe4")));
    assert_true(slice_equal_nocase((struct slice){NULL, 0}, (struct slice){NULL, 0}));
}

static void slice_starts_with_never_looks_beyond_the_end(void **state)
{
    (void)state;
    struct guard guard = guard_create(16);
    struct slice text = {guard_place(&guard, "abc", 3), 3};
    assert_true(slice_starts_with(text, SLICE("")));
    assert_true(slice_starts_with(text, SLICE("ab")));
    assert_true(slice_starts_with(text, SLICE("abc")));
    assert_false(slice_starts_with(text, SLICE("abcd")));
    assert_false(slice_starts_with(text, SLICE("b")));
    guard_destroy(&guard);
}

static void slice_trim_takes_blanks_off_both_ends(void **state)
{
    (void)state;
    assert_slice_is(slice_trim(SLICE(" \t a b\t ")), "a b");
    assert_slice_is(slice_trim(SLICE("a")), "a");
    assert_slice_is(slice_trim(SLICE(" \t ")), "");
    assert_slice_is(slice_trim(SLICE("")), "");
    assert_slice_is(slice_trim(SLICE("\r\na\v\f")), "\r\na\v\f");
}

static void slice_unquote_takes_one_pair_of_quotes_off(void **state)
{
    (void)state;
    assert_slice_is(slice_unquote(SLICE("\"a b\"")), "a b");
    assert_slice_is(slice_unquote(SLICE("\"\"a\"\"")), "\"a\"");
    assert_slice_is(slice_unquote(SLICE("\"\"")), "");
    assert_slice_is(slice_unquote(SLICE("\"")), "\"");
    assert_slice_is(slice_unquote(SLICE("\"a")), "\"a");
    assert_slice_is(slice_unquote(SLICE("a\"")), "a\"");
    assert_slice_is(slice_unquote(SLICE("a")), "a");
    assert_slice_is(slice_unquote(SLICE("")), "");
}

static void slice_take_until_stops_at_each_separator(void **state)
{
    struct slice text = SLICE("a\";b\" ;;c");
    (void)state;
    assert_slice_is(slice_take_until(&text, ';'), "a\"");
    assert_slice_is(slice_take_until(&text, ';'), "b\" ");
    assert_slice_is(slice_take_until(&text, ';'), "");
    assert_slice_is(slice_take_until(&text, ';'), "c");
    assert_int_equal(text.len, 0);
}

static void slice_take_from_nothing_takes_nothing(void **state)
{
    struct slice nothing = {0};
    (void)state;
    assert_int_equal(slice_take_until(&nothing, ';').len, 0);
    assert_int_equal(slice_take_part(&nothing, ';').len, 0);
    assert_null(nothing.data);
    assert_int_equal(nothing.len, 0);
}

static void slice_take_part_stops_at_a_separator_outside_of_quotes(void **state)
{
    struct slice text = SLICE(" a=\"b;\\\";c\" ;; d ");
    (void)state;
    assert_slice_is(slice_take_part(&text, ';'), "a=\"b;\\\";c\"");
    assert_slice_is(slice_take_part(&text, ';'), "");
    assert_slice_is(text, " d ");
    assert_slice_is(slice_take_part(&text, ';'), "d");
    assert_int_equal(text.len, 0);
}

static void slice_next_element_walks_a_list(void **state)
{
    static const struct {
        const char *list;
        const char *elements[4]; /* up to the first NULL */
    } rows[] = {
        {"", {NULL}},
        {" , ,\t,", {NULL}},
        {"a", {"a", NULL}},
        {"a,b", {"a", "b", NULL}},
        {" a b , ,c ", {"a b", "c", NULL}},
        {",,a", {"a", NULL}},
        {"\"a,b\", c", {"\"a,b\"", "c", NULL}},
        {"x=\"a\\\",b\",c", {"x=\"a\\\",b\"", "c", NULL}},
        {"a\\,b", {"a\\", "b", NULL}},
        {"\"a, b", {"\"a, b", NULL}},
        {"\"a, b\\", {"\"a, b\\", NULL}},
    };
    (void)state;
    struct guard guard = guard_create(64);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = strlen(rows[i].list);
        struct slice list = {guard_place(&guard, rows[i].list, len), len};
        struct slice element = SLICE("untouched");
        for (const char *const *expected = rows[i].elements; *expected; expected++) {
            assert_true(slice_next_element(&list, &element));
            assert_slice_is(element, *expected);
        }
        struct slice last = element;
        assert_false(slice_next_element(&list, &element));
        assert_ptr_equal(element.data, last.data);
        assert_int_equal(list.len, 0);
    }
    guard_destroy(&guard);
}

static void slice_to_u64_reads_decimal_digits(void **state)
{
    static const struct {
        struct slice digits;
        uint64_t number;
    } rows[] = {
        {{"0", 1}, 0},
        {{"007", 3}, 7},
        {{"18446744073709551614", 20}, UINT64_MAX - 1},
        {{"18446744073709551615", 20}, UINT64_MAX},
        {{"00000000000000000000000000000001", 32}, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t number = 42;
        assert_int_equal(slice_to_u64(rows[i].digits, &number), 0);
        assert_true(number == rows[i].number);
    }
}

static void slice_to_u64_refuses_all_else_and_leaves_the_output(void **state)
{
    static const struct slice rows[] = {
        {"", 0},
        {" 1", 2},
        {"1 ", 2},
        {"+1", 2},
        {"-1", 2},
        {"0x1", 3},
        {"1_0", 3},
        {"1\0", 2},
        {"/", 1},
        {":", 1},
        {"\xb2", 1},
        {"18446744073709551616", 20},
        {"18446744073709551620", 20},
        {"28446744073709551615", 20},
        {"184467440737095516150", 21},
        {"9999999999999999999999999999999999999999", 40},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t number = 42;
        assert_int_equal(slice_to_u64(rows[i], &number), -1);
        assert_true(number == 42);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slice_from_string_takes_the_bytes_without_nul),
        cmocka_unit_test(slice_equal_compares_length_and_bytes),
        cmocka_unit_test(slice_equal_nocase_folds_ascii_letters_only),
        cmocka_unit_test(slice_starts_with_never_looks_beyond_the_end),
        cmocka_unit_test(slice_trim_takes_blanks_off_both_ends),
        cmocka_unit_test(slice_unquote_takes_one_pair_of_quotes_off),
        cmocka_unit_test(slice_take_until_stops_at_each_separator),
        cmocka_unit_test(slice_take_from_nothing_takes_nothing),
        cmocka_unit_test(slice_take_part_stops_at_a_separator_outside_of_quotes),
        cmocka_unit_test(slice_next_element_walks_a_list),
        cmocka_unit_test(slice_to_u64_reads_decimal_digits),
        cmocka_unit_test(slice_to_u64_refuses_all_else_and_leaves_the_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
