/* Documents: what is committed is there, whole, once and under a new name; what is not leaves no
 * trace.
 */
#include "tests/unit/store_fixture.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

static void store_commit_makes_the_document_visible(void **state)
{
    (void)state;
    struct store_file file;
    char name[STORE_NAME_SIZE];
    assert_int_equal(store_file_create(store, &file), 0);
    assert_int_equal(store_file_append(&file, "{\"a\":", 5), 0);
    assert_int_equal(store_file_append(&file, NULL, 0), 0);
    assert_int_equal(store_file_append(&file, "1}", 2), 0);
    assert_int_equal(file.bytes, 7);
    assert_int_equal(count_documents(), 0);
    assert_int_equal(store_file_commit(&file, name), 0);
    assert_matches(name, "^upload_20240229_120000_[0-9a-f]{4}\\.json$");
    assert_document_holds(name, "{\"a\":1}");
    assert_mode(path_of(name), 0640);
    assert_int_equal(count_documents(), 1);
    assert_int_equal(count_temporaries(), 0);
}

static void store_document_mode_does_not_depend_on_the_umask(void **state)
{
    (void)state;
    static const mode_t masks[] = {0, 0077};
    for (size_t i = 0; i < COUNT(masks); i++) {
        char name[STORE_NAME_SIZE];
        mode_t before = umask(masks[i]);
        store_document("1", name);
        (void)umask(before);
        assert_mode(path_of(name), 0640);
    }
}

static void store_large_document_is_whole(void **state)
{
    (void)state;
    static char piece[100000];
    memset(piece, 'x', sizeof piece);
    struct store_file file;
    char name[STORE_NAME_SIZE];
    assert_int_equal(store_file_create(store, &file), 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(store_file_append(&file, piece, sizeof piece), 0);
    assert_int_equal(store_file_commit(&file, name), 0);
    struct stat info;
    assert_int_equal(stat(path_of(name), &info), 0);
    assert_int_equal(info.st_size, 20 * sizeof piece);
}

/* 20,000 within five seconds, which come twice since the clock is stepped back by an hour and goes
 * on from there: each name is taken by an exclusive link, so it is enough to count them.
 */
static void store_names_are_unique_whatever_the_clock_does(void **state)
{
    (void)state;
    char name[STORE_NAME_SIZE];
    for (int i = 0; i < 20000; i++) {
        frozen_now = WHEN + i / 2000 % 5 - (i >= 10000 ? 3600 : 0);
        store_document("1", name);
    }
    frozen_now = WHEN;
    for (int i = 0; i < 5000; i++) /* in a second that has 2,000 already */
        store_document("1", name);
    assert_int_equal(count_documents(), 25000);
}

static void store_clock_may_step_back(void **state)
{
    (void)state;
    char first[STORE_NAME_SIZE];
    char second[STORE_NAME_SIZE];
    store_document("1", first);
    frozen_now -= 3600;
    store_document("2", second);
    assert_matches(second, "^upload_20240229_110000_");
    assert_document_holds(first, "1");
    assert_document_holds(second, "2");
}

static void store_name_tells_any_time_in_utc(void **state)
{
    (void)state;
    static const struct {
        time_t when;
        const char *pattern;
    } rows[] = {
        {0, "^upload_19700101_000000_[0-9a-f]{4}\\.json$"},
        {253402300799, "^upload_99991231_235959_[0-9a-f]{4}\\.json$"},
        {253402300800, "^upload_100000101_000000_[0-9a-f]{4}\\.json$"},
        {-1, "^upload_19691231_235959_[0-9a-f]{4}\\.json$"},
        {67767976233532799, "^upload_21474836471231_235959_[0-9a-f]{4}\\.json$"},
    };
    assert_int_equal(setenv("TZ", "FAR-14", 1), 0);
    tzset();
    for (size_t i = 0; i < COUNT(rows); i++) {
        char name[STORE_NAME_SIZE];
        frozen_now = rows[i].when;
        store_document("1", name);
        assert_matches(name, rows[i].pattern);
    }
    assert_int_equal(unsetenv("TZ"), 0);
    tzset();
}

static void store_commit_fails_when_the_time_is_no_date(void **state)
{
    (void)state;
    struct store_file file;
    char name[STORE_NAME_SIZE];
    begin_document(&file, "1");
    frozen_now = INT64_MAX;
    assert_int_equal(store_file_commit(&file, name), -1);
    assert_int_equal(errno, EOVERFLOW);
    store_file_discard(&file);
    assert_no_trace();
}

static void store_name_that_is_taken_is_not_written_over(void **state)
{
    (void)state;
    char first[STORE_NAME_SIZE];
    char second[STORE_NAME_SIZE];
    fault.same_randoms = 1;
    store_document("first", first);
    assert_string_equal(first, "upload_20240229_120000_0000.json");
    fault.same_randoms = 3; /* for the named temporary too */
    store_document("second", second);
    assert_string_not_equal(first, second);
    assert_document_holds(first, "first");
    assert_document_holds(second, "second");
}

static void store_names_grow_when_the_short_ones_are_taken(void **state)
{
    (void)state;
    static const char *const patterns[] = {"_0000\\.json$", "_00000000\\.json$",
                                           "_000000000000\\.json$", "_0000000000000000\\.json$"};
    for (size_t i = 0; i < COUNT(patterns); i++) {
        char name[STORE_NAME_SIZE];
        fault.same_randoms = STORE_NAME_ATTEMPTS;
        store_document("1", name);
        assert_matches(name, patterns[i]);
    }
    struct store_file file;
    char name[STORE_NAME_SIZE] = "as it was";
    begin_document(&file, "1");
    fault.same_randoms = STORE_NAME_ATTEMPTS;
    assert_int_equal(store_file_commit(&file, name), -1);
    assert_int_equal(errno, EEXIST);
    assert_string_equal(name, "as it was");
    store_file_discard(&file);
    assert_int_equal(count_documents(), COUNT(patterns));
}

static void store_discard_leaves_no_trace(void **state)
{
    (void)state;
    struct store_file file;
    assert_int_equal(store_file_create(store, &file), 0);
    store_file_discard(&file);
    assert_no_trace();
    begin_document(&file, "{}");
    store_file_discard(&file);
    assert_no_trace();
}

static void store_discard_is_legal_in_every_state(void **state)
{
    (void)state;
    struct store_file file = {0};
    store_file_discard(&file);
    char name[STORE_NAME_SIZE];
    begin_document(&file, "1");
    assert_int_equal(store_file_commit(&file, name), 0);
    store_file_discard(&file);
    assert_document_holds(name, "1");
    begin_document(&file, "1");
    store_file_discard(&file);
    store_file_discard(&file);
    assert_int_equal(count_documents(), 1);
}

static void store_discard_keeps_errno(void **state)
{
    (void)state;
    struct store_file file;
    begin_document(&file, "1");
    errno = EXDEV;
    store_file_discard(&file);
    assert_int_equal(errno, EXDEV);
}

static void store_documents_are_independent(void **state)
{
    (void)state;
    struct store_file files[3];
    char names[3][STORE_NAME_SIZE];
    static const char *const contents[] = {"1", "2", "3"};
    for (int i = 0; i < 3; i++)
        begin_document(&files[i], contents[i]);
    store_file_discard(&files[1]);
    assert_int_equal(store_file_commit(&files[2], names[2]), 0);
    assert_int_equal(store_file_commit(&files[0], names[0]), 0);
    assert_document_holds(names[0], "1");
    assert_document_holds(names[2], "3");
    assert_int_equal(count_documents(), 2);
    assert_int_equal(count_temporaries(), 0);
}

static void store_link_failure_is_told(void **state)
{
    (void)state;
    static const int errors[] = {ENOSPC, EDQUOT, EROFS, EIO};
    for (size_t i = 0; i < COUNT(errors); i++) {
        struct store_file file;
        char name[STORE_NAME_SIZE];
        begin_document(&file, "1");
        fault.link_error = errors[i];
        assert_int_equal(store_file_commit(&file, name), -1);
        assert_int_equal(errno, errors[i]);
        fault.link_error = 0;
        store_file_discard(&file);
        assert_no_trace();
    }
}

static void store_append_that_cannot_be_finished_is_told(void **state)
{
    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {.rlim_cur = 10, .rlim_max = before.rlim_max};
    struct store_file file;
    char name[STORE_NAME_SIZE];
    assert_int_equal(store_file_create(store, &file), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int result = store_file_append(&file, "0123456789", 10);
    int over = store_file_append(&file, "x", 1);
    int error = errno;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(result, 0);
    assert_int_equal(over, -1);
    assert_int_equal(error, EFBIG);
    assert_int_equal(store_file_append(&file, "x", 1), -1);
    assert_int_equal(errno, EFBIG);
    assert_int_equal(store_file_commit(&file, name), -1);
    assert_int_equal(errno, EFBIG);
    store_file_discard(&file);
    assert_no_trace();
}

static void store_create_fails_without_descriptors(void **state)
{
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {.rlim_cur = 3, .rlim_max = before.rlim_max};
    struct store_file file;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int result = store_file_create(store, &file);
    int error = errno;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(result, -1);
    assert_int_equal(error, EMFILE);
    store_file_discard(&file);
    assert_no_trace();
}

/* To commit takes no descriptor: an upload that has been received is not lost for want of one. */
static void store_commit_needs_no_descriptor(void **state)
{
    (void)state;
    open_durable_store();
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {.rlim_cur = 3, .rlim_max = before.rlim_max};
    struct store_file file;
    char name[STORE_NAME_SIZE];
    begin_document(&file, "1");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int result = store_file_commit(&file, name);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(result, 0);
    assert_document_holds(name, "1");
}

static void fill_disk(struct store_file *file)
{
    static const char piece[4096];
    while (store_file_append(file, piece, sizeof piece) == 0)
        assert_true(file->bytes < 1 << 20);
}

/* On a real file system of 64 KiB, which only root can make, in a mount namespace of its own. */
static void store_full_disk_is_told_and_passes(void **state)
{
    (void)state;
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", base, "tmpfs", 0, "size=64k") != 0)
        skip();
    reopen_store();
    struct store_file file;
    char name[STORE_NAME_SIZE];
    assert_int_equal(store_file_create(store, &file), 0);
    fill_disk(&file);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(store_file_commit(&file, name), -1);
    assert_int_equal(errno, ENOSPC);

    struct store *other = store_open(&options); /* a start while the disk is full */
    assert_non_null(other);
    store_close(other);

    store_file_discard(&file);
    assert_no_trace();
    store_document("1", name);
    assert_document_holds(name, "1");
    assert_int_equal(umount2(base, MNT_DETACH), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(store_commit_makes_the_document_visible),
        BOTH(store_document_mode_does_not_depend_on_the_umask),
        TEST(store_large_document_is_whole),
        TEST(store_names_are_unique_whatever_the_clock_does),
        TEST(store_clock_may_step_back),
        TEST(store_name_tells_any_time_in_utc),
        BOTH(store_commit_fails_when_the_time_is_no_date),
        TEST(store_name_that_is_taken_is_not_written_over),
        TEST(store_names_grow_when_the_short_ones_are_taken),
        BOTH(store_discard_leaves_no_trace),
        BOTH(store_discard_is_legal_in_every_state),
        BOTH(store_discard_keeps_errno),
        BOTH(store_documents_are_independent),
        BOTH(store_link_failure_is_told),
        BOTH(store_append_that_cannot_be_finished_is_told),
        BOTH(store_create_fails_without_descriptors),
        BOTH(store_commit_needs_no_descriptor),
        BOTH(store_full_disk_is_told_and_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
