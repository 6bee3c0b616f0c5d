/* Objects under names that clients choose: they replace whole, or not at all; conditions hold at
 * that very moment; and what is no file is left alone.
 */
#include "tests/unit/store_fixture.h"

#include <stdatomic.h>

/* -- Conditions -- */

static bool is_free(const struct stat *current, void *context)
{
    (void)context;
    return current == NULL;
}

static bool is_taken(const struct stat *current, void *context)
{
    (void)context;
    return current != NULL;
}

static bool has_size(const struct stat *current, void *context)
{
    return current != NULL && current->st_size == *(off_t *)context;
}

static const struct store_condition if_free = {is_free, NULL};
static const struct store_condition if_taken = {is_taken, NULL};

static void assert_put(const char *name, const char *content, bool replaces)
{
    bool replaced = !replaces;
    assert_int_equal(put_document(name, content, NULL, &replaced), 0);
    assert_int_equal(replaced, replaces);
    assert_document_holds(name, content);
    assert_int_equal(count_temporaries(), 0);
}

static void assert_put_fails(const char *name, const struct store_condition *condition, int error)
{
    bool replaced = true;
    assert_int_equal(put_document(name, "new", condition, &replaced), -1);
    if (errno != error)
        fail_msg("%s: errno %d, not %d", name, errno, error);
    assert_true(replaced);
    assert_int_equal(count_temporaries(), 0);
}

/* -- Committing -- */

static void store_commit_as_creates(void **state)
{
    (void)state;
    assert_put("a.txt", "1", false);
    assert_mode(path_of("a.txt"), 0640);
    assert_int_equal(count_documents(), 1);
}

static void store_commit_as_replaces(void **state)
{
    (void)state;
    assert_put("a.txt", "first", false);
    int reader = store_open_document(store, "a.txt");
    assert_put("a.txt", "second", true);
    assert_put("a.txt", "3", true);
    assert_int_equal(count_documents(), 1);
    struct stat info;
    assert_int_equal(stat(path_of("a.txt"), &info), 0);
    assert_int_equal(info.st_nlink, 1);
    char bytes[16] = "";
    assert_int_equal(read(reader, bytes, sizeof bytes), 5); /* who reads the old one reads on */
    assert_string_equal(bytes, "first");
    assert_int_equal(close(reader), 0);
}

static void store_commit_as_replaces_where_files_cannot_be_exchanged(void **state)
{
    (void)state;
    fault.has_no_exchange = true;
    assert_put("a.txt", "first", false);
    assert_put("a.txt", "second", true);
    assert_int_equal(count_documents(), 1);
}

static void store_commit_as_takes_only_names_of_objects(void **state)
{
    (void)state;
    char longest[257];
    memset(longest, 'x', sizeof longest);
    longest[256] = '\0';
    assert_put_fails(longest, NULL, ENAMETOOLONG);
    longest[255] = '\0';
    assert_put(longest, "1", false);
    static const char *const wrong[] = {"",   ".",    "..",    ".tarn", ".a",   "a/b",
                                        "/a", "a\nb", "a\x1f", "\x01",  "a\x7f"};
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_put_fails(wrong[i], NULL, EINVAL);
    static const char *const right[] = {"a", "a.b", "-", "a b", "a..", "\xc3\xa4", "a\\b", "a*"};
    for (size_t i = 0; i < COUNT(right); i++)
        assert_put(right[i], "1", false);
}

static void store_file_with_a_wrong_name_may_get_another(void **state)
{
    (void)state;
    struct store_file file;
    bool replaced;
    begin_document(&file, "1");
    assert_int_equal(store_file_commit_as(&file, ".hidden", NULL, &replaced), -1);
    assert_int_equal(store_file_commit_as(&file, "shown", NULL, &replaced), 0);
    assert_document_holds("shown", "1");
}

static void make_others(void)
{
    assert_int_equal(mkdir(path_of("folder"), 0700), 0);
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    assert_int_equal(symlink("a.txt", path_of("link")), 0);
    assert_int_equal(symlink("nowhere", path_of("dangling")), 0);
    assert_int_equal(mknod(path_of("socket"), S_IFSOCK | 0600, 0), 0);
}

static const struct {
    const char *name;
    int error;
} others[] = {
    {"folder", EISDIR},   {"fifo", EACCES},   {"link", EACCES},
    {"dangling", EACCES}, {"socket", EACCES},
};

static void store_commit_as_replaces_nothing_but_files(void **state)
{
    (void)state;
    assert_put("a.txt", "1", false);
    make_others();
    for (size_t i = 0; i < COUNT(others); i++)
        assert_put_fails(others[i].name, NULL, others[i].error);
    assert_document_holds("a.txt", "1");
    assert_int_equal(count_documents(), 1 + COUNT(others));
}

static void store_commit_as_heeds_the_condition(void **state)
{
    (void)state;
    bool replaced;
    assert_put_fails("a", &if_taken, ECANCELED);
    assert_int_equal(put_document("a", "1", &if_free, &replaced), 0);
    assert_false(replaced);
    assert_put_fails("a", &if_free, ECANCELED);
    assert_document_holds("a", "1");
    off_t size = 1;
    const struct store_condition if_size = {has_size, &size};
    assert_int_equal(put_document("a", "22", &if_size, &replaced), 0);
    assert_true(replaced);
    assert_put_fails("a", &if_size, ECANCELED);
    assert_document_holds("a", "22");
}

static void store_commit_as_is_durable(void **state)
{
    (void)state;
    open_durable_store();
    assert_put("a", "1", false);
    assert_int_equal(calls.file_syncs, 1);
    assert_int_equal(calls.folder_syncs, 1);
    assert_put("a", "2", true);
    assert_int_equal(calls.file_syncs, 2);
    assert_int_equal(calls.folder_syncs, 2);
}

static void store_commit_as_whose_sync_fails_leaves_what_was_there(void **state)
{
    (void)state;
    open_durable_store();
    assert_put("old", "as it was", false);
    static const char *const names[] = {"old", "new"};
    for (size_t i = 0; i < COUNT(names); i++) {
        fault.folder_sync_error = ENOSPC;
        fault.folder_syncs_left = (int)i; /* the second time it is synced anew first */
        assert_put_fails(names[i], NULL, ENOSPC);
    }
    assert_document_holds("old", "as it was");
    assert_int_equal(count_documents(), 1);
    fault.folder_sync_error = 0;
    assert_put("old", "another", true);
}

static void store_commit_as_survives_a_start_of_another_process(void **state)
{
    (void)state;
    struct store_file file;
    bool replaced;
    assert_put("a", "1", false);
    begin_document(&file, "2");
    struct store *other = store_open(&options);
    assert_non_null(other);
    assert_int_equal(store_file_commit_as(&file, "a", NULL, &replaced), 0);
    store_close(other);
    assert_document_holds("a", "2");
}

/* Left by a process that died after the two had changed places. */
static void store_open_removes_what_was_replaced(void **state)
{
    (void)state;
    assert_put("a", "1", false);
    int left = open(path_of(".tarn/tmp_0123456789abcdef"), O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    assert_int_equal(close(left), 0);
    reopen_store();
    assert_int_equal(count_temporaries(), 0);
    assert_document_holds("a", "1");
}

/* -- Removing -- */

static void store_remove_removes(void **state)
{
    (void)state;
    open_durable_store();
    assert_put("a", "1", false);
    calls.folder_syncs = 0;
    assert_int_equal(store_remove(store, "a", NULL), 0);
    assert_int_equal(calls.folder_syncs, 1);
    assert_no_trace();
    assert_int_equal(store_remove(store, "a", NULL), -1);
    assert_int_equal(errno, ENOENT);
}

static void store_remove_removes_nothing_but_files(void **state)
{
    (void)state;
    make_others();
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_int_equal(store_remove(store, others[i].name, NULL), -1);
        assert_int_equal(errno, others[i].error);
    }
    static const char *const none[] = {"",         ".",           "..",     ".tarn",
                                       "folder/x", "/etc/passwd", "missing"};
    for (size_t i = 0; i < COUNT(none); i++) {
        assert_int_equal(store_remove(store, none[i], NULL), -1);
        assert_int_equal(errno, ENOENT);
    }
    assert_int_equal(count_documents(), COUNT(others));
}

static void store_remove_heeds_the_condition(void **state)
{
    (void)state;
    assert_put("a", "1", false);
    off_t size = 2;
    const struct store_condition if_size = {has_size, &size};
    assert_int_equal(store_remove(store, "a", &if_size), -1);
    assert_int_equal(errno, ECANCELED);
    assert_document_holds("a", "1");
    assert_int_equal(store_remove(store, "b", &if_taken), -1);
    assert_int_equal(errno, ECANCELED);
    size = 1;
    assert_int_equal(store_remove(store, "a", &if_size), 0);
    assert_no_trace();
}

static void store_remove_tells_of_a_failed_sync(void **state)
{
    (void)state;
    open_durable_store();
    assert_put("a", "1", false);
    fault.folder_sync_error = EIO;
    assert_int_equal(store_remove(store, "a", NULL), -1);
    assert_int_equal(errno, EIO);
    assert_no_trace();
}

/* -- Threads -- */

#define RIVALS 8

static atomic_uint winners;

static void *rival(void *argument)
{
    const struct store_condition *condition = argument;
    for (int i = 0; i < 20; i++) {
        struct store_file file;
        bool replaced;
        if (store_file_create(store, &file) != 0 || store_file_append(&file, "1", 1) != 0)
            abort();
        if (store_file_commit_as(&file, "prize", condition, &replaced) == 0)
            atomic_fetch_add(&winners, 1);
        else if (errno != ECANCELED)
            abort();
        store_file_discard(&file);
    }
    return NULL;
}

static void run_rivals(const struct store_condition *condition)
{
    pthread_t threads[RIVALS];
    atomic_store(&winners, 0);
    for (int i = 0; i < RIVALS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, rival, (void *)(uintptr_t)condition), 0);
    for (int i = 0; i < RIVALS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void store_condition_has_one_winner(void **state)
{
    (void)state;
    open_durable_store();
    run_rivals(&if_free);
    assert_int_equal(winners, 1);
    off_t size = 0;
    assert_int_equal(truncate(path_of("prize"), size), 0);
    const struct store_condition if_empty = {has_size, &size};
    run_rivals(&if_empty);
    assert_int_equal(winners, 1);
    assert_document_holds("prize", "1");
    run_rivals(NULL);
    assert_int_equal(winners, RIVALS * 20);
    assert_int_equal(count_documents(), 1);
    assert_int_equal(count_temporaries(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(store_commit_as_creates),
        BOTH(store_commit_as_replaces),
        BOTH(store_commit_as_replaces_where_files_cannot_be_exchanged),
        BOTH(store_commit_as_takes_only_names_of_objects),
        BOTH(store_file_with_a_wrong_name_may_get_another),
        BOTH(store_commit_as_replaces_nothing_but_files),
        BOTH(store_commit_as_heeds_the_condition),
        BOTH(store_commit_as_is_durable),
        BOTH(store_commit_as_whose_sync_fails_leaves_what_was_there),
        BOTH(store_commit_as_survives_a_start_of_another_process),
        TEST(store_open_removes_what_was_replaced),
        TEST(store_remove_removes),
        TEST(store_remove_removes_nothing_but_files),
        TEST(store_remove_heeds_the_condition),
        TEST(store_remove_tells_of_a_failed_sync),
        BOTH(store_condition_has_one_winner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
