/* Limits: how much may be stored, how much is, and how old it may be. They hold exactly for many
 * uploads at once, and after each kind of start.
 */
#include "server/store/store_alarm.h"
#include "server/store/store_counts.h"
#include "tests/unit/store_fixture.h"

#include <sched.h>
#include <time.h>

#define DAY 86400

static const struct statvfs roomy = {.f_blocks = 1000000, .f_bavail = 1000000, .f_frsize = 4096};

/* Opens the store with limits. */
static void limit(uint64_t max_files, uint64_t max_bytes)
{
    static struct statvfs info;
    info = roomy;
    fault.statvfs = &info;
    options.max_files = max_files;
    options.max_bytes = max_bytes;
    reopen_store();
}

/* Waits until the janitor has counted: it has so many seconds for it. */
static void wait_for_usage(uint64_t files, uint64_t bytes)
{
    struct store_usage usage = {0};
    for (int i = 0; i < 20000; i++) {
        store_usage(store, &usage);
        if (usage.is_known && usage.files == files && usage.bytes == bytes)
            return;
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    fail_msg("%d: %llu files, %llu bytes", usage.is_known, (unsigned long long)usage.files,
             (unsigned long long)usage.bytes);
}

static void assert_usage(uint64_t files, uint64_t bytes)
{
    struct store_usage usage;
    store_usage(store, &usage);
    assert_true(usage.is_known);
    assert_int_equal(usage.files, files);
    assert_int_equal(usage.bytes, bytes);
}

/* Returns whether it is stored; if not, there was no room. */
static bool try_document(const char *content)
{
    struct store_file file;
    char name[STORE_NAME_SIZE];
    begin_document(&file, content);
    int result = store_file_commit(&file, name);
    if (result != 0)
        assert_int_equal(errno, EDQUOT);
    store_file_discard(&file);
    return result == 0;
}

static void put(const char *name, const char *content)
{
    bool replaced;
    assert_int_equal(put_document(name, content, NULL, &replaced), 0);
}

/* -- Limits -- */

static void store_without_limits_counts_nothing(void **state)
{
    (void)state;
    struct store_usage usage;
    assert_true(try_document("1"));
    store_usage(store, &usage);
    assert_false(usage.is_known);
}

static void store_takes_as_many_files_as_allowed(void **state)
{
    (void)state;
    limit(3, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(store_check_space(store, 1000000), 0);
        assert_true(try_document("1"));
    }
    assert_int_equal(store_check_space(store, 0), -1);
    assert_int_equal(errno, EDQUOT);
    assert_false(try_document("1"));
    assert_int_equal(count_documents(), 3);
}

static void store_takes_as_many_bytes_as_allowed(void **state)
{
    (void)state;
    limit(0, 10);
    assert_true(try_document("12345"));
    assert_int_equal(store_check_space(store, 5), 0);
    assert_int_equal(store_check_space(store, 6), -1);
    assert_int_equal(errno, EDQUOT);
    assert_int_equal(store_check_space(store, UINT64_MAX), -1);
    assert_false(try_document("123456"));
    assert_true(try_document("12345"));
    assert_false(try_document("1"));
    assert_usage(2, 10);
}

static void store_gives_room_back_when_a_commit_fails(void **state)
{
    (void)state;
    options.durability = STORE_DURABLE;
    limit(1, 1);
    struct store_file file;
    char name[STORE_NAME_SIZE];
    begin_document(&file, "1");
    fault.folder_sync_error = EIO;
    assert_int_equal(store_file_commit(&file, name), -1);
    assert_int_equal(errno, EIO);
    fault.folder_sync_error = 0;
    store_file_discard(&file);
    assert_usage(0, 0);
    assert_true(try_document("1"));
}

static void store_replaced_and_removed_objects_make_room(void **state)
{
    (void)state;
    limit(2, 10);
    put("a", "12345");
    put("b", "1234");
    put("a", "123456"); /* as many as allowed: it takes the place of the other */
    assert_usage(2, 10);
    bool replaced;
    assert_int_equal(put_document("a", "1234567", NULL, &replaced), -1);
    assert_int_equal(errno, EDQUOT);
    put("a", "1");
    assert_usage(2, 5);
    assert_int_equal(store_remove(store, "b", NULL), 0);
    assert_usage(1, 1);
    assert_true(try_document("123456789"));
    assert_usage(2, 10);
}

static void store_batch_has_room_as_a_whole_or_not(void **state)
{
    (void)state;
    limit(3, 0);
    assert_true(try_document("1"));
    for (size_t documents = 3; documents >= 2; documents--) {
        struct store_batch *batch = store_batch_create(store, documents);
        for (size_t i = 0; i < documents; i++)
            assert_int_equal(store_batch_add(batch, "22", 2), 0);
        assert_int_equal(store_batch_commit(batch), documents == 2 ? 0 : -1);
        if (documents == 3)
            assert_int_equal(errno, EDQUOT);
        store_batch_destroy(batch);
    }
    assert_usage(3, 5);
    assert_int_equal(count_documents(), 3);
}

static void store_limit_holds_for_many_threads(void **state)
{
    (void)state;
    options.durability = STORE_DURABLE;
    limit(100, 0);
    assert_int_equal(run_writers(), 100);
    assert_int_equal(count_documents(), 100);
    struct store_usage usage;
    store_usage(store, &usage);
    assert_int_equal(usage.files, 100);
}

/* -- Starts -- */

static void store_counts_what_is_there(void **state)
{
    (void)state;
    assert_true(try_document("12345"));
    put("b", "123");
    assert_int_equal(mkdir(path_of("folder"), 0700), 0); /* no object, nor those with a dot */
    assert_int_equal(symlink("b", path_of("link")), 0);
    assert_int_equal(close(open(path_of(".hidden"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
    limit(3, 0);
    assert_true(try_document("1"));  /* waits for the count, */
    assert_false(try_document("1")); /* so that this is refused */
    assert_usage(3, 9);
}

static void store_keeps_its_figures_over_a_restart(void **state)
{
    (void)state;
    limit(2, 100);
    assert_true(try_document("12345"));
    store_close(store);
    uint64_t files, bytes;
    int housekeeping = open(path_of(".tarn"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(store_counts_read(housekeeping, &files, &bytes), 0);
    assert_int_equal(files, 1);
    assert_int_equal(bytes, 5);
    assert_int_equal(store_counts_write(housekeeping, 7, 8), 0); /* as if it had been killed */
    store = store_open(&options);
    assert_true(try_document("1"));
    assert_usage(2, 6);
    options.max_files = options.max_bytes = 0;
    reopen_store();
    assert_int_equal(store_counts_read(housekeeping, &files, &bytes), -1); /* nobody counts */
    assert_int_equal(close(housekeeping), 0);
}

static void store_counts_takes_only_what_it_has_written(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",         "1",      "1 2",    "1 \n",  " 2\n",
        "1 2\n3\n", "-1 2\n", "1  2\n", "a 2\n", "1 99999999999999999999\n"};
    int housekeeping = open(path_of(".tarn"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint64_t files, bytes;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        int fd = open(path_of(".tarn/counts"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_int_equal(write(fd, wrong[i], strlen(wrong[i])), strlen(wrong[i]));
        assert_int_equal(close(fd), 0);
        if (store_counts_read(housekeeping, &files, &bytes) == 0)
            fail_msg("taken: %s", wrong[i]);
    }
    assert_int_equal(store_counts_write(housekeeping, UINT64_MAX, 0), 0);
    assert_int_equal(store_counts_read(housekeeping, &files, &bytes), 0);
    assert_int_equal(files, UINT64_MAX);
    assert_int_equal(bytes, 0);
    assert_int_equal(close(housekeeping), 0);
}

static void store_keeps_figures_while_it_runs(void **state)
{
    (void)state;
    limit(0, 100);
    assert_true(try_document("12345"));
    uint64_t files = 0;
    uint64_t bytes = 0;
    int housekeeping = open(path_of(".tarn"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (store_counts_read(housekeeping, &files, &bytes) != 0 || files != 1 || bytes != 5)
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(close(housekeeping), 0);
}

/* While threads store: what is counted, and what comes meanwhile, is counted once. */
static void store_counts_right_while_it_is_used(void **state)
{
    (void)state;
    for (int i = 0; i < 3000; i++)
        assert_true(try_document("1"));
    limit(0, 1000000);
    assert_int_equal(run_writers(), WRITERS * WRITER_DOCUMENTS);
    uint64_t bytes = 3000;
    for (unsigned writer = 0; writer < WRITERS; writer++)
        for (unsigned i = 0; i < WRITER_DOCUMENTS; i++)
            bytes += (uint64_t)snprintf(NULL, 0, "[%u,%u]", writer, i);
    wait_for_usage(3000 + WRITERS * WRITER_DOCUMENTS, bytes);
}

/* -- Old documents -- */

static void set_age(const char *name, int days)
{
    const struct timespec times[2] = {{.tv_sec = WHEN - days * DAY}, {.tv_sec = WHEN - days * DAY}};
    assert_int_equal(utimensat(AT_FDCWD, path_of(name), times, 0), 0);
}

static void wait_until_gone(const char *name)
{
    for (int i = 0; i < 20000 && access(path_of(name), F_OK) == 0; i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(access(path_of(name), F_OK), -1);
}

static bool is_document(const char *name)
{
    return strncmp(name, "upload_2", 8) == 0;
}

static void store_removes_what_is_too_old(void **state)
{
    (void)state;
    static const char *const old[] = {
        "upload_20240219_115959_aaaa.json", /* its name says so, whatever its time stamp */
        "old", "upload_x",                  /* no document: its time stamp says so */
    };
    static const char *const young[] = {
        "upload_20240219_120000_aaaa.json",
        "upload_20240229_120000_aaaa.json",
        "upload_20240301_120000_aaaa.json", /* from the future */
        "young",
        "upload_y",
    };
    for (size_t i = 0; i < COUNT(young); i++) {
        put(young[i], "1");
        set_age(young[i], is_document(young[i]) ? 11 : 9);
    }
    for (size_t i = 0; i < COUNT(old); i++) {
        put(old[i], "1");
        set_age(old[i], is_document(old[i]) ? 9 : 11);
    }
    assert_int_equal(mkdir(path_of("folder"), 0700), 0);
    set_age("folder", 11);
    set_age(".tarn", 11);
    options.ttl_days = 10;
    limit(100, 0);
    for (size_t i = 0; i < COUNT(old); i++)
        wait_until_gone(old[i]);
    wait_for_usage(COUNT(young), COUNT(young));
    assert_int_equal(count_documents(), COUNT(young) + 1);
}

static void store_sweeps_without_limits(void **state)
{
    (void)state;
    put("upload_20200101_000000_aaaa.json", "1");
    options.ttl_days = 1;
    reopen_store();
    wait_until_gone("upload_20200101_000000_aaaa.json");
}

/* -- Telling -- */

static void alarm_rises_once_at_each_mark(void **state)
{
    (void)state;
    static const struct {
        double share;
        bool rises;
    } rows[] = {
        {0.0, false}, {0.799, false}, {0.8, true},   {0.8, false},  {0.94, false}, {0.95, true},
        {1.0, false}, {0.91, false},  {0.95, false}, {0.89, false}, {0.95, true},  {0.76, false},
        {0.95, true}, {0.74, false},  {0.81, true},  {0.0, false},  {1.5, true},
    };
    struct store_alarm alarm = {.marks = {0.8, 0.95}};
    for (size_t i = 0; i < COUNT(rows); i++)
        if (store_alarm_rises(&alarm, rows[i].share) != rows[i].rises)
            fail_msg("row %zu: %g", i, rows[i].share);
}

static struct store_notice notices[8];
static size_t notice_count;

static void take_notice(const struct store_notice *notice, void *context)
{
    assert_ptr_equal(context, notices);
    notices[notice_count++] = *notice;
}

static void assert_notices(size_t count, enum store_resource resource, uint64_t amount)
{
    assert_int_equal(notice_count, count);
    assert_int_equal(notices[count - 1].resource, resource);
    assert_int_equal(notices[count - 1].amount, amount);
}

static void store_tells_before_limits_bite(void **state)
{
    (void)state;
    options.notice = take_notice;
    options.context = notices;
    options.min_free_bytes = 4096;
    notice_count = 0;
    limit(5, 1000);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(notice_count, 0);
        assert_true(try_document("1"));
        assert_int_equal(store_check_space(store, 0), 0);
    }
    assert_notices(1, STORE_FILES, 4);
    assert_int_equal(notices[0].limit, 5);
    put("big", "12345");
    assert_int_equal(truncate(path_of("big"), 900), 0); /* the next count sees it */
    assert_int_equal(store_check_space(store, 0), -1);
    assert_notices(2, STORE_FILES, 5);
    reopen_store();
    wait_for_usage(5, 904);
    assert_int_equal(store_check_space(store, 0), -1);
    assert_int_equal(notice_count, 4);
    assert_notices(4, STORE_BYTES, 904);
    options.max_files = 0;
    options.max_bytes = 0;
    reopen_store();
    static const struct {
        unsigned blocks;
        size_t notices;
    } rows[] = {{5, 4}, {4, 5}, {3, 5}, {2, 6}, {1, 6}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        fault.statvfs->f_bavail = rows[i].blocks;
        (void)store_check_space(store, 0);
        assert_int_equal(notice_count, rows[i].notices);
    }
    assert_notices(6, STORE_FREE_BYTES, 8192);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(store_without_limits_counts_nothing),
        TEST(store_takes_as_many_files_as_allowed),
        TEST(store_takes_as_many_bytes_as_allowed),
        TEST(store_gives_room_back_when_a_commit_fails),
        BOTH(store_replaced_and_removed_objects_make_room),
        TEST(store_batch_has_room_as_a_whole_or_not),
        BOTH(store_limit_holds_for_many_threads),
        TEST(store_counts_what_is_there),
        TEST(store_keeps_its_figures_over_a_restart),
        TEST(store_counts_takes_only_what_it_has_written),
        TEST(store_keeps_figures_while_it_runs),
        BOTH(store_counts_right_while_it_is_used),
        TEST(store_removes_what_is_too_old),
        TEST(store_sweeps_without_limits),
        cmocka_unit_test(alarm_rises_once_at_each_mark),
        TEST(store_tells_before_limits_bite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
