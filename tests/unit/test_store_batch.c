/* Batches: all documents are visible or none, also when the process dies at any step.
 */
#include "server/store/store_spool.h"
#include "tests/unit/store_fixture.h"

#define BATCH 5

static struct store_batch *begin_batch(size_t documents)
{
    struct store_batch *batch = store_batch_create(store, documents);
    assert_non_null(batch);
    for (size_t i = 0; i < documents; i++) {
        char content[32];
        int len = snprintf(content, sizeof content, "[%zu]", i);
        assert_int_equal(store_batch_add(batch, content, (size_t)len), 0);
    }
    return batch;
}

/* -- Batches that are committed, or are not -- */

static void store_batch_makes_all_documents_visible(void **state)
{
    (void)state;
    struct store_batch *batch = begin_batch(BATCH);
    assert_int_equal(count_documents(), 0);
    assert_int_equal(store_batch_commit(batch), 0);
    for (size_t i = 0; i < BATCH; i++) {
        char content[32];
        snprintf(content, sizeof content, "[%zu]", i);
        assert_matches(store_batch_name(batch, i), "^upload_20240229_120000_[0-9a-f]{4}\\.json$");
        assert_document_holds(store_batch_name(batch, i), content);
        assert_mode(path_of(store_batch_name(batch, i)), 0640);
    }
    store_batch_destroy(batch);
    assert_int_equal(count_documents(), BATCH);
    assert_int_equal(count_temporaries(), 0);
}

static void store_batch_modes_do_not_depend_on_the_umask(void **state)
{
    (void)state;
    mode_t before = umask(0777);
    struct store_batch *batch = begin_batch(1);
    assert_int_equal(store_batch_commit(batch), 0);
    (void)umask(before);
    assert_mode(path_of(store_batch_name(batch, 0)), 0640);
    store_batch_destroy(batch);
}

static void store_batch_may_have_no_documents(void **state)
{
    (void)state;
    struct store_batch *batch = begin_batch(0);
    assert_int_equal(store_batch_commit(batch), 0);
    store_batch_destroy(batch);
    assert_no_trace();
    store_batch_destroy(NULL);
}

static void store_batch_that_is_destroyed_leaves_no_trace(void **state)
{
    (void)state;
    struct store_batch *batch = begin_batch(BATCH);
    assert_int_equal(count_temporaries(), 1);
    errno = EXDEV;
    store_batch_destroy(batch);
    assert_int_equal(errno, EXDEV);
    assert_no_trace();
}

static void store_batch_is_synced_before_it_is_visible(void **state)
{
    (void)state;
    open_durable_store();
    struct store_batch *batch = begin_batch(BATCH);
    assert_int_equal(calls.file_syncs, BATCH);
    assert_int_equal(calls.folder_syncs, 0);
    assert_int_equal(store_batch_commit(batch), 0);
    assert_int_equal(calls.folder_syncs, 3); /* its own, the housekeeping, the store's */
    store_batch_destroy(batch);
}

static void store_batch_names_that_are_taken_are_not_written_over(void **state)
{
    (void)state;
    char first[STORE_NAME_SIZE];
    struct store_batch *batch = store_batch_create(store, 1);
    fault.same_randoms = 1;
    assert_int_equal(store_batch_add(batch, "2", 1), 0);
    fault.same_randoms = fault.has_no_unnamed ? 2 : 1;
    store_document("1", first);
    assert_string_equal(first, "upload_20240229_120000_0000.json");
    assert_int_equal(store_batch_commit(batch), 0);
    assert_string_not_equal(store_batch_name(batch, 0), first);
    assert_document_holds(first, "1");
    assert_document_holds(store_batch_name(batch, 0), "2");
    store_batch_destroy(batch);
}

static void store_batch_works_without_exclusive_renames(void **state)
{
    (void)state;
    fault.has_no_exchange = true;
    struct store_batch *batch = begin_batch(BATCH);
    assert_int_equal(store_batch_commit(batch), 0);
    struct stat info;
    assert_int_equal(stat(path_of(store_batch_name(batch, 0)), &info), 0);
    assert_int_equal(info.st_nlink, 1);
    store_batch_destroy(batch);
    assert_int_equal(count_documents(), BATCH);
    assert_int_equal(count_temporaries(), 0);
}

static void store_batch_that_failed_is_not_tried_again(void **state)
{
    (void)state;
    open_durable_store();
    struct store_batch *batch = begin_batch(1);
    fault.folder_sync_error = EIO;
    assert_int_equal(store_batch_commit(batch), -1);
    fault.folder_sync_error = 0;
    assert_int_equal(store_batch_commit(batch), -1);
    assert_int_equal(errno, EIO);
    store_batch_destroy(batch);
    assert_no_trace();

    batch = store_batch_create(store, 2);
    fault.file_sync_error = ENOSPC;
    assert_int_equal(store_batch_add(batch, "1", 1), -1);
    assert_int_equal(errno, ENOSPC);
    fault.file_sync_error = 0;
    assert_int_equal(store_batch_add(batch, "1", 1), -1);
    assert_int_equal(errno, ENOSPC);
    store_batch_destroy(batch);
    assert_no_trace();
}

/* The third sync is that of the store's folder, when the documents have been moved. */
static void store_batch_whose_last_sync_fails_is_taken_back(void **state)
{
    (void)state;
    open_durable_store();
    struct store_batch *batch = begin_batch(BATCH);
    fault.folder_sync_error = ENOSPC;
    fault.folder_syncs_left = 2;
    assert_int_equal(store_batch_commit(batch), -1);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(count_documents(), 0);
    store_batch_destroy(batch);
    assert_no_trace();
}

/* -- Left by a process that died -- */

static void leave_document(int folder, const char *name)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "1", 1), 1);
    assert_int_equal(close(fd), 0);
}

/* Makes what a process leaves that dies with documents in the folder of a batch. */
static void leave_batch(const char *name, bool has_lock, size_t documents)
{
    char path[64];
    snprintf(path, sizeof path, ".tarn/%s", name);
    assert_int_equal(mkdir(path_of(path), 0700), 0);
    int folder = open(path_of(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (has_lock)
        leave_document(folder, ".lock");
    for (size_t i = 0; i < documents; i++) {
        char document[STORE_NAME_SIZE];
        snprintf(document, sizeof document, "upload_20240229_120000_%04zx.json", i);
        leave_document(folder, document);
    }
    assert_int_equal(close(folder), 0);
}

static void store_open_removes_batches_that_were_not_promised(void **state)
{
    (void)state;
    leave_batch("batch_0000000000000000", false, 0);
    leave_batch("batch_0000000000000001", true, 0);
    leave_batch("batch_0000000000000002", true, BATCH);
    leave_batch("batch_0000000000000003", false, BATCH); /* while it was being removed */
    reopen_store();
    assert_no_trace();
}

static void store_open_completes_batches_that_were_promised(void **state)
{
    (void)state;
    for (size_t left = 0; left <= BATCH; left++) {
        leave_batch("commit_0000000000000000", true, left);
        for (size_t i = left; i < BATCH; i++) { /* these had been moved */
            char document[STORE_NAME_SIZE];
            snprintf(document, sizeof document, "upload_20240229_120000_%04zx.json", i);
            leave_document(AT_FDCWD, path_of(document));
        }
        reopen_store();
        assert_int_equal(count_temporaries(), 0);
        assert_int_equal(count_documents(), BATCH);
        (void)teardown(state);
        assert_int_equal(setup(state), 0);
    }
}

static void store_open_completes_durably(void **state)
{
    (void)state;
    open_durable_store();
    leave_batch("commit_0000000000000000", true, BATCH);
    store_close(store);
    calls.folder_syncs = 0;
    store = store_open(&options);
    assert_int_equal(calls.folder_syncs, 1);
    assert_int_equal(count_documents(), BATCH);
}

/* The names are taken meanwhile: nothing is written over. */
static void store_open_completes_under_other_names(void **state)
{
    (void)state;
    leave_batch("commit_0000000000000000", true, 1);
    fault.same_randoms = 1;
    char name[STORE_NAME_SIZE];
    store_document("first", name);
    reopen_store();
    assert_int_equal(count_documents(), 2);
    assert_document_holds(name, "first");
}

/* A fault of the disk while a promise is kept: it is kept at the next start. */
static void store_open_completes_the_next_time(void **state)
{
    (void)state;
    for (int calls_before = 0;; calls_before++) {
        options.durability = STORE_DURABLE;
        leave_batch("commit_0000000000000000", true, BATCH);
        store_close(store);
        fault.call_error = EIO;
        fault.calls_left = calls_before;
        store = store_open(&options);
        fault.calls_left = -1;
        reopen_store();
        assert_int_equal(count_documents(), BATCH);
        assert_int_equal(count_temporaries(), 0);
        bool was_hit = fault.has_failed;
        (void)teardown(state);
        assert_int_equal(setup(state), 0);
        if (!was_hit)
            break;
    }
}

static void store_open_leaves_batches_of_others_alone(void **state)
{
    (void)state;
    struct store_batch *batch = begin_batch(BATCH);
    struct store *other = store_open(&options); /* another process that starts */
    assert_non_null(other);
    assert_int_equal(store_batch_commit(batch), 0);
    store_batch_destroy(batch);

    struct store_spool spool; /* promised by another process, that is alive */
    int housekeeping = open(path_of(".tarn"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char name[STORE_NAME_SIZE];
    assert_int_equal(store_spool_create(housekeeping, &spool), 0);
    int fd = store_spool_add(&spool, WHEN, name);
    assert_int_equal(close(fd), 0);
    assert_int_equal(store_spool_promise(&spool, true), 0);
    reopen_store();
    assert_int_equal(count_documents(), BATCH);
    assert_int_equal(count_temporaries(), 1);
    assert_int_equal(store_spool_withdraw(&spool, true), 0);
    store_spool_remove(&spool);
    assert_int_equal(close(housekeeping), 0);
    store_close(other);
}

/* Another process that starts may see the folder between its creation and its lock. */
static void store_batch_whose_folder_was_removed_is_made_again(void **state)
{
    (void)state;
    fault.removals = 2;
    struct store_batch *batch = begin_batch(1);
    assert_int_equal(fault.removals, 0);
    assert_int_equal(store_batch_commit(batch), 0);
    store_batch_destroy(batch);
    assert_int_equal(count_temporaries(), 0);
    fault.removals = 100;
    assert_null(store_batch_create(store, 1));
    fault.removals = 0;
    assert_int_equal(count_temporaries(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(store_batch_makes_all_documents_visible),
        TEST(store_batch_modes_do_not_depend_on_the_umask),
        TEST(store_batch_may_have_no_documents),
        TEST(store_batch_that_is_destroyed_leaves_no_trace),
        TEST(store_batch_is_synced_before_it_is_visible),
        BOTH(store_batch_names_that_are_taken_are_not_written_over),
        TEST(store_batch_works_without_exclusive_renames),
        TEST(store_batch_that_failed_is_not_tried_again),
        TEST(store_batch_whose_last_sync_fails_is_taken_back),
        TEST(store_open_removes_batches_that_were_not_promised),
        TEST(store_open_completes_batches_that_were_promised),
        TEST(store_open_completes_durably),
        TEST(store_open_completes_under_other_names),
        TEST(store_open_completes_the_next_time),
        TEST(store_open_leaves_batches_of_others_alone),
        TEST(store_batch_whose_folder_was_removed_is_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
