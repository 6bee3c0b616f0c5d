#include "http/method.h"
#include "tests/unit/assert_slice.h"

#include <string.h>

#define ALL_METHODS 0x1ffu

static void method_from_slice_knows_the_table(void **state)
{
    (void)state;
    assert_int_equal(method_from_slice(SLICE("GET")), METHOD_GET);
    assert_int_equal(method_from_slice(SLICE("HEAD")), METHOD_HEAD);
    assert_int_equal(method_from_slice(SLICE("POST")), METHOD_POST);
    assert_int_equal(method_from_slice(SLICE("PUT")), METHOD_PUT);
    assert_int_equal(method_from_slice(SLICE("DELETE")), METHOD_DELETE);
    assert_int_equal(method_from_slice(SLICE("OPTIONS")), METHOD_OPTIONS);
    assert_int_equal(method_from_slice(SLICE("TRACE")), METHOD_TRACE);
    assert_int_equal(method_from_slice(SLICE("CONNECT")), METHOD_CONNECT);
    assert_int_equal(method_from_slice(SLICE("PATCH")), METHOD_PATCH);
}

static void method_from_slice_other_names_are_unknown(void **state)
{
    static const char *const names[] = {"", "get", "Get", "GE", "GETS", "PRI", "PROPFIND", "GET "};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(method_from_slice(slice_from_string(names[i])), METHOD_UNKNOWN);
}

static void method_list_writes_the_names_of_a_set(void **state)
{
    char out[64];
    (void)state;
    assert_int_equal(method_list(METHOD_GET | METHOD_HEAD, out, sizeof(out)), 9);
    assert_string_equal(out, "GET, HEAD");
    assert_int_equal(method_list(METHOD_PATCH, out, sizeof(out)), 5);
    assert_string_equal(out, "PATCH");
    assert_int_equal(method_list(0, out, sizeof(out)), 0);
    assert_string_equal(out, "");
}

static void method_list_of_all_fits_the_promised_room(void **state)
{
    char out[64];
    (void)state;
    size_t len = method_list(ALL_METHODS, out, sizeof(out));
    assert_int_equal(len, strlen(out));
    assert_string_equal(out, "GET, HEAD, POST, PUT, DELETE, OPTIONS, TRACE, CONNECT, PATCH");
}

static void method_list_in_too_little_room_is_cut_and_terminated(void **state)
{
    char out[6] = "xxxxx";
    (void)state;
    assert_int_equal(method_list(METHOD_GET | METHOD_HEAD, out, 5), 4);
    assert_string_equal(out, "GET,");
    assert_int_equal(method_list(METHOD_GET, out, 1), 0);
    assert_string_equal(out, "");
    assert_int_equal(method_list(METHOD_GET, out, 0), 0);
}

static void method_longest_len_is_that_of_the_table(void **state)
{
    size_t longest = 0;
    (void)state;
    for (unsigned method = 1; method <= ALL_METHODS; method <<= 1) {
        char out[64];
        size_t len = method_list(method, out, sizeof(out));
        if (len > longest)
            longest = len;
    }
    assert_int_equal(longest, METHOD_LONGEST_LEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(method_from_slice_knows_the_table),
        cmocka_unit_test(method_from_slice_other_names_are_unknown),
        cmocka_unit_test(method_list_writes_the_names_of_a_set),
        cmocka_unit_test(method_list_of_all_fits_the_promised_room),
        cmocka_unit_test(method_list_in_too_little_room_is_cut_and_terminated),
        cmocka_unit_test(method_longest_len_is_that_of_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
