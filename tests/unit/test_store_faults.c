/* Each system call on the way of an object fails once, in each of several ways: what is said to be
 * stored is there, whole; what is not is not, and what was there before is; nothing is left over
 * after the next start; and the next upload works.
 */
#include "tests/unit/store_fixture.h"

#define OLD "what was there before"
#define NEW "what is to be stored"

/* What is tried: each returns 0 if it is said to be done. */
struct deed {
    bool has_old; /* an object is there under the name, before */
    int (*run)(void);
    void (*check)(bool done);
};

/* -- Deeds -- */

static char name[STORE_NAME_SIZE];

static int begin(struct store_file *file)
{
    if (store_file_create(store, file) != 0)
        return -1;
    return store_file_append(file, NEW, sizeof NEW - 1);
}

static int run_commit(void)
{
    struct store_file file;
    int result = begin(&file);
    if (result == 0)
        result = store_file_commit(&file, name);
    store_file_discard(&file);
    return result;
}

static void check_commit(bool done)
{
    assert_int_equal(count_documents(), done ? 1 : 0);
    if (done)
        assert_document_holds(name, NEW);
}

static int run_commit_as(void)
{
    struct store_file file;
    bool replaced;
    int result = begin(&file);
    if (result == 0)
        result = store_file_commit_as(&file, "a", NULL, &replaced);
    store_file_discard(&file);
    return result;
}

static void check_create(bool done)
{
    assert_int_equal(count_documents(), done ? 1 : 0);
    if (done)
        assert_document_holds("a", NEW);
}

static void check_replace(bool done)
{
    assert_int_equal(count_documents(), 1);
    assert_document_holds("a", done ? NEW : OLD);
}

static int run_remove(void)
{
    return store_remove(store, "a", NULL);
}

/* When only the sync has failed it is gone, and nothing was said. */
static void check_remove(bool done)
{
    if (done || count_documents() == 0)
        assert_int_equal(count_documents(), 0);
    else
        assert_document_holds("a", OLD);
}

#define BATCH 3

static int run_batch(void)
{
    struct store_batch *batch = store_batch_create(store, BATCH);
    if (batch == NULL)
        return -1;
    int result = 0;
    for (int i = 0; i < BATCH && result == 0; i++)
        result = store_batch_add(batch, NEW, sizeof NEW - 1);
    if (result == 0)
        result = store_batch_commit(batch);
    if (result == 0)
        snprintf(name, sizeof name, "%s", store_batch_name(batch, BATCH - 1));
    store_batch_destroy(batch);
    return result;
}

static void check_batch(bool done)
{
    assert_int_equal(count_documents(), done ? BATCH : 0);
    if (done)
        assert_document_holds(name, NEW);
}

/* -- Faults -- */

/* 0: as little is done as may be. */
static const int errors[] = {EIO, ENOSPC, EINTR, EMFILE, 0};

/* In a store of its own. Returns whether there was a call to fail. */
static bool try_with_fault(const struct deed *deed, int calls_before, int error)
{
    bool has_no_unnamed = fault.has_no_unnamed;
    assert_int_equal(teardown(NULL), 0);
    assert_int_equal(has_no_unnamed ? setup_named(NULL) : setup(NULL), 0);
    open_durable_store();
    bool replaced;
    if (deed->has_old)
        assert_int_equal(put_document("a", OLD, NULL, &replaced), 0);

    fault.call_error = error;
    fault.calls_left = calls_before;
    int result = deed->run();
    fault.calls_left = -1;
    if (error == 0)
        assert_int_equal(result, 0);
    deed->check(result == 0);
    reopen_store();
    deed->check(result == 0);
    assert_int_equal(count_temporaries(), 0);
    assert_int_equal(run_commit(), 0);
    return fault.has_failed;
}

static void try_all_faults(const struct deed *deed)
{
    for (size_t i = 0; i < COUNT(errors); i++) {
        int calls_before = 0;
        while (try_with_fault(deed, calls_before, errors[i]))
            calls_before++;
        assert_true(calls_before >= 2); /* they did come */
    }
}

static void store_commit_survives_each_fault(void **state)
{
    (void)state;
    try_all_faults(&(struct deed){false, run_commit, check_commit});
}

static void store_create_survives_each_fault(void **state)
{
    (void)state;
    try_all_faults(&(struct deed){false, run_commit_as, check_create});
}

static void store_replace_survives_each_fault(void **state)
{
    (void)state;
    try_all_faults(&(struct deed){true, run_commit_as, check_replace});
}

static void store_remove_survives_each_fault(void **state)
{
    (void)state;
    try_all_faults(&(struct deed){true, run_remove, check_remove});
}

static void store_batch_survives_each_fault(void **state)
{
    (void)state;
    try_all_faults(&(struct deed){false, run_batch, check_batch});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(store_commit_survives_each_fault),  BOTH(store_create_survives_each_fault),
        BOTH(store_replace_survives_each_fault), BOTH(store_remove_survives_each_fault),
        BOTH(store_batch_survives_each_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
