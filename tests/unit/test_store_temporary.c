/* Named temporary files, where the file system has no unnamed ones: they are hidden, and gone
 * afterwards, whoever starts or dies meanwhile.
 */
#include "tests/unit/store_fixture.h"

static void store_named_temporary_is_hidden_and_goes_with_the_commit(void **state)
{
    (void)state;
    struct store_file file;
    char name[STORE_NAME_SIZE];
    begin_document(&file, "1");
    assert_int_equal(count_temporaries(), 1);
    assert_int_equal(count_documents(), 0);
    assert_int_equal(store_file_commit(&file, name), 0);
    assert_int_equal(count_temporaries(), 0);
    assert_document_holds(name, "1");
    struct stat info;
    assert_int_equal(stat(path_of(name), &info), 0);
    assert_int_equal(info.st_nlink, 1);
}

static void store_named_temporary_in_use_is_left_alone(void **state)
{
    (void)state;
    struct store_file file;
    char name[STORE_NAME_SIZE];
    begin_document(&file, "1");
    struct store *other = store_open(&options); /* another process that starts */
    assert_non_null(other);
    store_close(other);
    assert_int_equal(count_temporaries(), 1);
    assert_int_equal(store_file_commit(&file, name), 0);
    assert_document_holds(name, "1");
}

/* Another process that starts may see the file between its creation and its lock. */
static void store_named_temporary_that_was_removed_is_made_again(void **state)
{
    (void)state;
    struct store_file file;
    char name[STORE_NAME_SIZE];
    fault.removals = 2;
    begin_document(&file, "1");
    assert_int_equal(fault.removals, 0);
    assert_int_equal(count_temporaries(), 1);
    assert_int_equal(store_file_commit(&file, name), 0);
    assert_document_holds(name, "1");
    fault.removals = 100;
    assert_int_equal(store_file_create(store, &file), -1);
    fault.removals = 0;
}

static void make_entry(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, ".tarn/%s", name);
    assert_int_equal(close(open(path_of(path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
}

static void store_open_removes_what_was_left_over(void **state)
{
    (void)state;
    make_entry("tmp_0123456789abcdef");
    make_entry("tmp_fedcba9876543210");
    make_entry("keys");
    assert_int_equal(mkdir(path_of(".tarn/tmp_folder"), 0700), 0);
    assert_int_equal(mkfifo(path_of(".tarn/tmp_fifo"), 0600), 0);
    reopen_store();
    assert_int_equal(access(path_of(".tarn/tmp_0123456789abcdef"), F_OK), -1);
    assert_int_equal(access(path_of(".tarn/tmp_fedcba9876543210"), F_OK), -1);
    assert_int_equal(access(path_of(".tarn/keys"), F_OK), 0);
}

static void store_named_temporary_name_that_is_taken_is_not_used(void **state)
{
    (void)state;
    struct store_file first;
    struct store_file second;
    fault.same_randoms = 1;
    assert_int_equal(store_file_create(store, &first), 0);
    fault.same_randoms = 2;
    assert_int_equal(store_file_create(store, &second), 0);
    assert_int_equal(count_temporaries(), 2);
    fault.same_randoms = 100;
    struct store_file third;
    assert_int_equal(store_file_create(store, &third), -1);
    assert_int_equal(errno, EEXIST);
    fault.same_randoms = 0;
    store_file_discard(&first);
    store_file_discard(&second);
    store_file_discard(&third);
    assert_no_trace();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NAMED(store_named_temporary_is_hidden_and_goes_with_the_commit),
        NAMED(store_named_temporary_in_use_is_left_alone),
        NAMED(store_named_temporary_that_was_removed_is_made_again),
        TEST(store_open_removes_what_was_left_over),
        NAMED(store_named_temporary_name_that_is_taken_is_not_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
