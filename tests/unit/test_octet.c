#include "http/octet.h"
#include "tests/unit/assert_slice.h"

#include <string.h>

#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define UNRESERVED   ALPHANUMERIC "-._~"
#define REG_NAME     UNRESERVED "!$&'()*+,;="
#define PATH         REG_NAME "%:@/|^[]\\"

/* The class holds exactly the octets of the string, out of all 256. */
static void assert_class_is(enum octet_class class, const char *members)
{
    for (int i = 0; i < 256; i++) {
        bool expected = i != 0 && strchr(members, i) != NULL;
        if (octet_is((char)i, class) != expected)
            fail_msg("octet 0x%02x, class 0x%02x", (unsigned)i, (unsigned)class);
    }
}

static void octet_classes_are_those_of_the_grammars(void **state)
{
    (void)state;
    assert_class_is(OCTET_TOKEN, ALPHANUMERIC "!#$%&'*+-.^_`|~");
    assert_class_is(OCTET_UNRESERVED, UNRESERVED);
    assert_class_is(OCTET_REG_NAME, REG_NAME);
    assert_class_is(OCTET_PATH, PATH);
    assert_class_is(OCTET_QUERY, PATH "?{}`");
}

static void octet_classes_of_ranges_are_right_for_all_octets(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++) {
        bool control = i < 32 || i == 127;
        assert_int_equal(octet_is((char)i, OCTET_CONTROL), control);
        assert_int_equal(octet_is((char)i, OCTET_VISIBLE), i > 32 && i < 127);
        assert_int_equal(octet_is((char)i, OCTET_FIELD), !control || i == '\t');
        assert_int_equal(octet_is_blank((char)i), i == ' ' || i == '\t');
        assert_int_equal(octet_is_digit((char)i), i >= '0' && i <= '9');
    }
}

static void octet_span_counts_the_leading_members(void **state)
{
    (void)state;
    assert_int_equal(octet_span("abc:d", 5, OCTET_TOKEN), 3);
    assert_int_equal(octet_span("abc", 2, OCTET_TOKEN), 2);
    assert_int_equal(octet_span(":", 1, OCTET_TOKEN), 0);
    assert_int_equal(octet_span("", 0, OCTET_TOKEN), 0);
}

static void octet_hex_reads_digits_of_either_case(void **state)
{
    static const char digits[] = "0123456789abcdef";
    (void)state;
    for (int i = 0; i < 256; i++) {
        const char *digit = i != 0 ? strchr(digits, octet_lower((char)i)) : NULL;
        assert_int_equal(octet_hex((char)i), digit ? (int)(digit - digits) : -1);
    }
}

static void octet_lower_changes_capital_letters_only(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++) {
        char expected = (char)(i >= 'A' && i <= 'Z' ? i + 32 : i);
        assert_int_equal(octet_lower((char)i), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octet_classes_are_those_of_the_grammars),
        cmocka_unit_test(octet_classes_of_ranges_are_right_for_all_octets),
        cmocka_unit_test(octet_span_counts_the_leading_members),
        cmocka_unit_test(octet_hex_reads_digits_of_either_case),
        cmocka_unit_test(octet_lower_changes_capital_letters_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
