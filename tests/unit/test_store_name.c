/* Names in the store: what may be one, what they tell, and what belongs to whom. */
#include "server/store/store_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static void name_of_a_document_tells_its_time(void **state)
{
    static const time_t times[] = {0, 1709208000, 951825599, 253402300799};
    (void)state;
    for (size_t i = 0; i < COUNT(times); i++) {
        char name[STORE_NAME_SIZE];
        time_t read = -1;
        assert_int_equal(store_name_make(times[i], 0, name), 0);
        assert_true(store_name_read_time(name, &read));
        assert_int_equal(read, times[i]);
    }
}

static void name_of_something_else_tells_no_time(void **state)
{
    static const char *const names[] = {
        "",
        "upload_",
        "upload_20240229",
        "upload_20240229_120000",
        "upload_20241329_120000_aaaa.json",
        "upload_20240229_250000_aaaa.json",
        "upload_20240229x120000_aaaa.json",
        "upload_xxxxxxxx_120000_aaaa.json",
        "uploaded_20240229_120000_aaaa.json",
        "upload_100000101_000000_aaaa.json", /* the year 10000 */
        "tmp_0123456789abcdef",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        time_t read = -1;
        if (store_name_read_time(names[i], &read))
            fail_msg("%s", names[i]);
        assert_int_equal(read, -1);
    }
}

static void name_that_a_client_chooses_is_checked(void **state)
{
    static const struct {
        const char *name;
        int error;
    } rows[] = {
        {"a", 0},          {"a.txt", 0},      {"a b", 0},       {"\xc3\xa4", 0}, {"\x80", 0},
        {"a\\b", 0},       {"~", 0},          {"", EINVAL},     {".", EINVAL},   {"..", EINVAL},
        {".a", EINVAL},    {"/", EINVAL},     {"a/", EINVAL},   {"/a", EINVAL},  {"a/b", EINVAL},
        {"a\x01", EINVAL}, {"a\x1f", EINVAL}, {"\x7f", EINVAL}, {"a\n", EINVAL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        errno = 0;
        assert_int_equal(store_name_check(rows[i].name), rows[i].error == 0 ? 0 : -1);
        assert_int_equal(errno, rows[i].error);
    }
    char name[257];
    memset(name, 'x', sizeof name);
    name[256] = '\0';
    assert_int_equal(store_name_check(name), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    name[255] = '\0';
    assert_int_equal(store_name_check(name), 0);
}

static void name_in_housekeeping_tells_its_kind(void **state)
{
    static const struct {
        const char *name;
        enum store_name_kind kind;
    } rows[] = {
        {"tmp_0123456789abcdef", STORE_NAME_TEMPORARY},
        {"batch_0123456789abcdef", STORE_NAME_BATCH},
        {"commit_0123456789abcdef", STORE_NAME_COMMIT},
        {"counts", STORE_NAME_OTHER},
        {"keys", STORE_NAME_OTHER},
        {".", STORE_NAME_OTHER},
        {"..", STORE_NAME_OTHER},
        {"tmp", STORE_NAME_OTHER},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(store_name_kind(rows[i].name), rows[i].kind);
}

static void name_of_a_batch_keeps_its_digits(void **state)
{
    char batch[STORE_TEMPORARY_SIZE];
    char commit[STORE_TEMPORARY_SIZE];
    char again[STORE_TEMPORARY_SIZE];
    (void)state;
    assert_int_equal(store_name_make_batch(batch), 0);
    assert_int_equal(store_name_kind(batch), STORE_NAME_BATCH);
    store_name_convert(batch, STORE_NAME_COMMIT, commit);
    assert_int_equal(store_name_kind(commit), STORE_NAME_COMMIT);
    assert_string_equal(strchr(batch, '_'), strchr(commit, '_'));
    store_name_convert(commit, STORE_NAME_BATCH, again);
    assert_string_equal(again, batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_of_a_document_tells_its_time),
        cmocka_unit_test(name_of_something_else_tells_no_time),
        cmocka_unit_test(name_that_a_client_chooses_is_checked),
        cmocka_unit_test(name_in_housekeeping_tells_its_kind),
        cmocka_unit_test(name_of_a_batch_keeps_its_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
