/* The store as a folder: opening it, the questions that it answers, and reading.
 */
#include "tests/unit/store_fixture.h"

static void store_open_makes_missing_folders(void **state)
{
    (void)state;
    char parent[64];
    snprintf(parent, sizeof parent, "%s/var", base);
    assert_mode(parent, 0750);
    assert_mode(uploads, 0750);
    assert_mode(path_of(".tarn"), 0750);
}

static void store_open_makes_folders_whatever_the_umask(void **state)
{
    (void)state;
    static const mode_t masks[] = {0, 0077, 0777};
    for (size_t i = 0; i < COUNT(masks); i++) {
        char directory[64];
        snprintf(directory, sizeof directory, "%s/other%zu/", base, i);
        struct store_options other = {.directory = directory};
        mode_t before = umask(masks[i]);
        struct store *opened = store_open(&other);
        (void)umask(before);
        assert_non_null(opened);
        store_close(opened);
        assert_mode(directory, 0750);
    }
}

static void store_open_leaves_folders_that_are_there(void **state)
{
    (void)state;
    assert_int_equal(chmod(uploads, 0700), 0);
    reopen_store();
    assert_mode(uploads, 0700);
}

static void store_open_takes_a_relative_path(void **state)
{
    (void)state;
    char before[256];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(base), 0);
    options.directory = "./new//uploads";
    struct store *opened = store_open(&options);
    assert_int_equal(chdir(before), 0);
    assert_non_null(opened);
    store_close(opened);
    char directory[64];
    snprintf(directory, sizeof directory, "%s/new/uploads/.tarn", base);
    assert_mode(directory, 0750);
}

static void store_open_syncs_the_parents_of_what_it_makes(void **state)
{
    (void)state;
    char directory[64];
    snprintf(directory, sizeof directory, "%s/a/b/c", base);
    struct store_options other = {.directory = directory, .durability = STORE_DURABLE};
    struct store *opened = store_open(&other);
    assert_non_null(opened);
    store_close(opened);
    assert_int_equal(calls.folder_syncs, 4); /* base, a, a/b, a/b/c */
    opened = store_open(&other);
    assert_non_null(opened);
    store_close(opened);
    assert_int_equal(calls.folder_syncs, 4);
}

static void store_open_fails_when_a_parent_cannot_be_synced(void **state)
{
    (void)state;
    char directory[64];
    snprintf(directory, sizeof directory, "%s/a/b", base);
    struct store_options other = {.directory = directory, .durability = STORE_DURABLE};
    fault.folder_sync_error = EIO;
    assert_null(store_open(&other));
    assert_int_equal(errno, EIO);
}

static void store_open_fails_where_no_folder_can_be(void **state)
{
    (void)state;
    char file[64];
    snprintf(file, sizeof file, "%s/file", base);
    assert_int_equal(close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
    char below[80];
    snprintf(below, sizeof below, "%s/below", file);
    char long_name[300];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    const struct {
        const char *directory;
        int error;
    } rows[] = {
        {file, ENOTDIR},
        {below, ENOTDIR},
        {long_name, ENAMETOOLONG},
        {"", ENOENT},
        {"/proc/self/uploads", ENOENT},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_options other = {.directory = rows[i].directory};
        assert_null(store_open(&other));
        assert_int_equal(errno, rows[i].error);
    }
}

static void store_close_of_null_is_allowed(void **state)
{
    (void)state;
    store_close(NULL);
}

static void store_space_is_kept_free(void **state)
{
    (void)state;
    struct statvfs info = {.f_blocks = 1000, .f_bfree = 500, .f_bavail = 100, .f_frsize = 4096};
    fault.statvfs = &info;
    options.min_free_bytes = 4096;
    reopen_store();
    static const struct {
        uint64_t bytes;
        int error;
    } rows[] = {
        {0, 0},
        {99 * 4096 - 1, 0},
        {99 * 4096, 0},
        {99 * 4096 + 1, ENOSPC},
        {100 * 4096 + 1, ENOSPC},
        {UINT64_MAX, ENOSPC},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        errno = 0;
        assert_int_equal(store_check_space(store, rows[i].bytes), rows[i].error == 0 ? 0 : -1);
        assert_int_equal(errno, rows[i].error);
    }
    info.f_bavail = 0;
    assert_int_equal(store_check_space(store, 0), -1);
}

static void store_space_without_a_mark_is_what_is_there(void **state)
{
    (void)state;
    struct statvfs info = {.f_blocks = 1000, .f_bavail = 10, .f_frsize = 512};
    fault.statvfs = &info;
    assert_int_equal(store_check_space(store, 5120), 0);
    assert_int_equal(store_check_space(store, 5121), -1);
}

static void store_space_that_is_not_told_is_enough(void **state)
{
    (void)state;
    struct statvfs info = {.f_frsize = 4096};
    fault.statvfs = &info;
    options.min_free_bytes = 1;
    reopen_store();
    assert_int_equal(store_check_space(store, 1), 0);
}

static void store_space_failure_is_told(void **state)
{
    (void)state;
    assert_int_equal(store_check_space(store, 0), -1);
    assert_int_equal(errno, EIO);
}

static void assert_not_opened(const char *name, int error)
{
    assert_int_equal(store_open_document(store, name), -1);
    if (errno != error)
        fail_msg("%s: errno %d, not %d", name, errno, error);
}

static void store_open_document_refuses_other_names(void **state)
{
    (void)state;
    char long_name[300];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_int_equal(close(open(path_of(".hidden"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
    const char *const names[] = {
        "",           ".",   "..",      ".hidden", ".tarn", ".tarn/x", "/etc/passwd",
        "../uploads", "a/b", "missing", long_name,
    };
    for (size_t i = 0; i < COUNT(names); i++)
        assert_not_opened(names[i], ENOENT);
}

static void store_open_document_refuses_what_is_no_file(void **state)
{
    (void)state;
    char name[STORE_NAME_SIZE];
    store_document("1", name);
    assert_int_equal(symlink(name, path_of("link")), 0);
    assert_int_equal(symlink("nowhere", path_of("dangling")), 0);
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    assert_int_equal(mkdir(path_of("folder"), 0700), 0);
    assert_int_equal(mknod(path_of("socket"), S_IFSOCK | 0600, 0), 0);
    static const char *const names[] = {"link", "dangling", "fifo", "folder", "socket"};
    for (size_t i = 0; i < COUNT(names); i++)
        assert_not_opened(names[i], EACCES);
}

/* The process's descriptors that a program it starts would get. */
static size_t count_inherited(void)
{
    DIR *descriptors = opendir("/proc/self/fd");
    assert_non_null(descriptors);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(descriptors)) != NULL;) {
        int flags = fcntl((int)strtol(entry->d_name, NULL, 10), F_GETFD);
        count += entry->d_name[0] != '.' && flags >= 0 && (flags & FD_CLOEXEC) == 0;
    }
    assert_int_equal(closedir(descriptors), 0);
    return count;
}

static void store_descriptors_are_not_inherited(void **state)
{
    (void)state;
    store_close(store);
    size_t before = count_inherited();
    store = store_open(&options);
    char name[STORE_NAME_SIZE];
    struct store_file file;
    store_document("1", name);
    begin_document(&file, "2");
    int document = store_open_document(store, name);
    assert_true(document >= 0);
    size_t with_store = count_inherited();
    assert_int_equal(close(document), 0);
    store_file_discard(&file);
    assert_int_equal(with_store, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(store_open_makes_missing_folders),
        TEST(store_open_makes_folders_whatever_the_umask),
        TEST(store_open_leaves_folders_that_are_there),
        TEST(store_open_takes_a_relative_path),
        TEST(store_open_syncs_the_parents_of_what_it_makes),
        TEST(store_open_fails_when_a_parent_cannot_be_synced),
        TEST(store_open_fails_where_no_folder_can_be),
        TEST(store_close_of_null_is_allowed),
        TEST(store_space_is_kept_free),
        TEST(store_space_without_a_mark_is_what_is_there),
        TEST(store_space_that_is_not_told_is_enough),
        TEST(store_space_failure_is_told),
        TEST(store_open_document_refuses_other_names),
        TEST(store_open_document_refuses_what_is_no_file),
        BOTH(store_descriptors_are_not_inherited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
