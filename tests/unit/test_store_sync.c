/* Durability: what is synced and when, who shares a sync, and what a failed one means.
 */
#include "server/store/store_sync.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/threads.h"

static void store_durable_commit_syncs_file_and_folder(void **state)
{
    (void)state;
    open_durable_store();
    char name[STORE_NAME_SIZE];
    store_document("1", name);
    assert_int_equal(calls.file_syncs, 1);
    assert_int_equal(calls.folder_syncs, 1);
}

static void store_unsynced_commit_syncs_nothing(void **state)
{
    (void)state;
    char name[STORE_NAME_SIZE];
    store_document("1", name);
    assert_int_equal(calls.file_syncs, 0);
    assert_int_equal(calls.folder_syncs, 0);
}

static void store_failed_file_sync_is_not_tried_again(void **state)
{
    (void)state;
    open_durable_store();
    struct store_file file;
    char name[STORE_NAME_SIZE] = "as it was";
    begin_document(&file, "1");
    fault.file_sync_error = EIO;
    assert_int_equal(store_file_commit(&file, name), -1);
    assert_int_equal(errno, EIO);
    fault.file_sync_error = 0; /* as the kernel does: the error is told once */
    assert_int_equal(store_file_commit(&file, name), -1);
    assert_int_equal(errno, EIO);
    assert_int_equal(store_file_append(&file, "2", 1), -1);
    assert_int_equal(calls.file_syncs, 1);
    assert_int_equal(calls.links, 0);
    assert_string_equal(name, "as it was");
    store_file_discard(&file);
    assert_no_trace();
    store_document("another", name);
    assert_document_holds(name, "another");
}

static void store_failed_folder_sync_removes_the_name(void **state)
{
    (void)state;
    open_durable_store();
    struct store_file file;
    char name[STORE_NAME_SIZE] = "as it was";
    begin_document(&file, "1");
    fault.folder_sync_error = EIO;
    assert_int_equal(store_file_commit(&file, name), -1);
    assert_int_equal(errno, EIO);
    assert_int_equal(calls.links, 1);
    assert_string_equal(name, "as it was");
    assert_int_equal(count_documents(), 0);
    store_file_discard(&file);
    assert_no_trace();
}

static void store_suspect_folder_acknowledges_nothing(void **state)
{
    (void)state;
    open_durable_store();
    char name[STORE_NAME_SIZE];
    fault.folder_sync_error = EIO;
    for (int i = 0; i < 3; i++) {
        struct store_file file;
        begin_document(&file, "1");
        assert_int_equal(store_file_commit(&file, name), -1);
        assert_int_equal(errno, EIO);
        store_file_discard(&file);
    }
    assert_int_equal(calls.links, 1); /* later ones fail before a name is made */
    assert_no_trace();
}

static void store_suspect_folder_is_synced_anew_before_the_next_name(void **state)
{
    (void)state;
    open_durable_store();
    struct store_file file;
    char name[STORE_NAME_SIZE];
    begin_document(&file, "1");
    fault.folder_sync_error = EIO;
    assert_int_equal(store_file_commit(&file, name), -1);
    store_file_discard(&file);
    fault.folder_sync_error = 0;
    calls.folder_syncs = 0;
    store_document("2", name);
    assert_int_equal(calls.folder_syncs, 2);
    store_document("3", name);
    assert_int_equal(calls.folder_syncs, 3);
    assert_int_equal(count_documents(), 2);
}

static void store_suspect_folder_stays_suspect_after_a_new_failure(void **state)
{
    (void)state;
    open_durable_store();
    struct store_file file;
    char name[STORE_NAME_SIZE];
    fault.folder_sync_error = EIO;
    for (int i = 0; i < 2; i++) { /* the second time the sync anew works, and the next does not */
        fault.folder_syncs_left = i;
        begin_document(&file, "1");
        assert_int_equal(store_file_commit(&file, name), -1);
        store_file_discard(&file);
    }
    assert_int_equal(calls.links, 2);
    assert_no_trace();
    fault.folder_sync_error = 0;
    calls.folder_syncs = 0;
    store_document("2", name);
    assert_int_equal(calls.folder_syncs, 2);
}

/* Two that have begun: the failure of one is that of the other. */
static void store_sync_fails_all_that_have_begun(void **state)
{
    (void)state;
    int folder = open(uploads, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct store_sync sync;
    struct store_round first;
    struct store_round second;
    assert_int_equal(store_sync_init(&sync, folder, true), 0);
    assert_int_equal(store_sync_begin(&sync, &first), 0);
    assert_int_equal(store_sync_begin(&sync, &second), 0);
    fault.folder_sync_error = ENOSPC;
    assert_int_equal(store_sync_wait(&sync, &first), -1);
    assert_int_equal(errno, ENOSPC);
    fault.folder_sync_error = 0;
    errno = 0;
    assert_int_equal(store_sync_wait(&sync, &second), -1);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(store_sync_begin(&sync, &first), 0);
    assert_int_equal(store_sync_wait(&sync, &first), 0);
    store_sync_deinit(&sync);
    assert_int_equal(close(folder), 0);
}

static void store_sync_that_cannot_open_the_folder_anew_fails(void **state)
{
    (void)state;
    open_durable_store();
    struct store_file file;
    char name[STORE_NAME_SIZE];
    begin_document(&file, "1");
    fault.folder_sync_error = EIO;
    assert_int_equal(store_file_commit(&file, name), -1);
    store_file_discard(&file);
    fault.folder_sync_error = 0;
    begin_document(&file, "1");
    fault.call_error = EMFILE;
    fault.calls_left = 2; /* fsync of the file, its name's number, open */
    assert_int_equal(store_file_commit(&file, name), -1);
    assert_int_equal(errno, EMFILE);
    store_file_discard(&file);
    assert_no_trace();
    store_document("2", name);
}

/* -- Group commit -- */

#define FOLLOWERS 7

static struct group {
    struct writer writers[FOLLOWERS];
    atomic_int tids[FOLLOWERS];
    int results[FOLLOWERS];
    int errors[FOLLOWERS];
    unsigned syncs_before_answer[FOLLOWERS];
    int leader_error; /* of the first sync */
} group;

static void *commit_one(void *argument)
{
    struct writer *writer = argument;
    struct store_file file;
    char name[STORE_NAME_SIZE];
    threads_check(store_file_create(store, &file) == 0);
    threads_check(store_file_append(&file, "1", 1) == 0);
    atomic_store(&group.tids[writer->number], (int)syscall(SYS_gettid));
    group.results[writer->number] = store_file_commit(&file, name);
    group.errors[writer->number] = errno;
    group.syncs_before_answer[writer->number] = atomic_load(&calls.folder_syncs);
    store_file_discard(&file);
    return NULL;
}

/* Within the first sync of the folder: the others make their links, and wait. */
static void let_the_others_come(void)
{
    fault.in_folder_sync = NULL;
    for (unsigned i = 0; i < FOLLOWERS; i++) {
        group.writers[i].number = i;
        threads_check(
            pthread_create(&group.writers[i].thread, NULL, commit_one, &group.writers[i]) == 0);
    }
    while (atomic_load(&calls.links) <= FOLLOWERS)
        (void)sched_yield();
    for (unsigned i = 0; i < FOLLOWERS; i++)
        threads_wait_asleep(&group.tids[i]);
    fault.folder_sync_error = group.leader_error;
}

/* Commits a document, and FOLLOWERS more while its folder is synced. Returns its result. */
static int commit_as_group(int leader_error)
{
    struct store_file file;
    char name[STORE_NAME_SIZE];
    memset(&group, 0, sizeof group);
    group.leader_error = leader_error;
    fault.in_folder_sync = let_the_others_come;
    begin_document(&file, "1");
    int result = store_file_commit(&file, name);
    int error = errno;
    for (unsigned i = 0; i < FOLLOWERS; i++)
        assert_int_equal(pthread_join(group.writers[i].thread, NULL), 0);
    fault.folder_sync_error = 0;
    store_file_discard(&file);
    errno = error;
    return result;
}

static void store_commits_that_wait_together_share_a_sync(void **state)
{
    (void)state;
    open_durable_store();
    assert_int_equal(commit_as_group(0), 0);
    assert_int_equal(calls.file_syncs, FOLLOWERS + 1);
    assert_int_equal(calls.folder_syncs, 2);
    for (unsigned i = 0; i < FOLLOWERS; i++) {
        assert_int_equal(group.results[i], 0);
        assert_int_equal(group.syncs_before_answer[i], 2); /* the first began before its link */
    }
    assert_int_equal(count_documents(), FOLLOWERS + 1);
}

static void store_failed_sync_fails_all_that_wait(void **state)
{
    (void)state;
    open_durable_store();
    assert_int_equal(commit_as_group(EIO), -1);
    assert_int_equal(errno, EIO);
    assert_int_equal(calls.folder_syncs, 1); /* nobody tried it again */
    for (unsigned i = 0; i < FOLLOWERS; i++) {
        assert_int_equal(group.results[i], -1);
        assert_int_equal(group.errors[i], EIO);
    }
    assert_no_trace();
    assert_int_equal(run_writers(), WRITERS * WRITER_DOCUMENTS);
}

static void store_threads_share_syncs(void **state)
{
    (void)state;
    open_durable_store();
    assert_int_equal(run_writers(), WRITERS * WRITER_DOCUMENTS);
    assert_in_range(calls.folder_syncs, WRITER_DOCUMENTS, WRITERS * WRITER_DOCUMENTS - 1);
    assert_int_equal(calls.file_syncs, WRITERS * WRITER_DOCUMENTS);
}

static void store_threads_lose_and_mix_nothing(void **state)
{
    (void)state;
    open_durable_store();
    assert_int_equal(run_writers(), WRITERS * WRITER_DOCUMENTS);
    assert_int_equal(count_documents(), WRITERS * WRITER_DOCUMENTS);
    assert_int_equal(count_temporaries(), 0);
}

static void store_threads_acknowledge_nothing_that_was_removed(void **state)
{
    (void)state;
    open_durable_store();
    fault.folder_sync_error = EIO;
    fault.folder_syncs_left = WRITER_DOCUMENTS / 2; /* a sync serves all WRITERS at most */
    unsigned acknowledged = run_writers();
    assert_in_range(acknowledged, 1, WRITERS * WRITER_DOCUMENTS / 2);
    assert_int_equal(count_documents(), acknowledged);
    assert_int_equal(count_temporaries(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(store_durable_commit_syncs_file_and_folder),
        BOTH(store_unsynced_commit_syncs_nothing),
        BOTH(store_failed_file_sync_is_not_tried_again),
        BOTH(store_failed_folder_sync_removes_the_name),
        BOTH(store_suspect_folder_acknowledges_nothing),
        BOTH(store_suspect_folder_is_synced_anew_before_the_next_name),
        TEST(store_suspect_folder_stays_suspect_after_a_new_failure),
        TEST(store_sync_fails_all_that_have_begun),
        BOTH(store_sync_that_cannot_open_the_folder_anew_fails),
        BOTH(store_commits_that_wait_together_share_a_sync),
        BOTH(store_failed_sync_fails_all_that_wait),
        BOTH(store_threads_share_syncs),
        BOTH(store_threads_lose_and_mix_nothing),
        BOTH(store_threads_acknowledge_nothing_that_was_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
