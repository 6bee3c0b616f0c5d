/* The store: what is committed is there, whole, once and under a new name; what is not leaves no
 * trace; and each failure of the system is told and never glossed over.
 *
 * The program defines some system calls itself, so that they can fail on demand: the linker takes
 * these before the C library's.
 */
#include "server/store/store.h"
#include "server/store/store_sync.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <regex.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])
#define WHEN        1709208000 /* 29 February 2024, 12:00:00 UTC */

/* -- System calls that fail on demand -- */

static struct {
    int file_sync_error;          /* of fsync() on files; 0: it works */
    int folder_sync_error;        /* of fsync() on folders */
    atomic_int folder_syncs_left; /* that work before folder_sync_error */
    int link_error;
    bool has_no_unnamed;     /* O_TMPFILE is not supported */
    unsigned same_randoms;   /* getrandom() gives zeros so often */
    unsigned removals;       /* flock() comes so often after another process removed the file */
    struct statvfs *statvfs; /* what fstatvfs() says */
} fault;

static struct {
    atomic_uint file_syncs;
    atomic_uint folder_syncs;
    atomic_uint links;
} calls;

static int fail_with(int error)
{
    errno = error;
    return -1;
}

int fsync(int fd)
{
    struct stat info;
    assert_int_equal(fstat(fd, &info), 0);
    if (S_ISDIR(info.st_mode)) {
        atomic_fetch_add(&calls.folder_syncs, 1);
        if (fault.folder_sync_error != 0 && atomic_fetch_sub(&fault.folder_syncs_left, 1) <= 0)
            return fail_with(fault.folder_sync_error);
    } else {
        atomic_fetch_add(&calls.file_syncs, 1);
        if (fault.file_sync_error != 0)
            return fail_with(fault.file_sync_error);
    }
    return (int)syscall(SYS_fsync, fd);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    atomic_fetch_add(&calls.links, 1);
    if (fault.link_error != 0)
        return fail_with(fault.link_error);
    return (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
}

int openat(int folder, const char *path, int flags, ...)
{
    mode_t mode = 0;
    if ((flags & (O_CREAT | __O_TMPFILE)) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    if (fault.has_no_unnamed && (flags & O_TMPFILE) == O_TMPFILE)
        return fail_with(EOPNOTSUPP);
    return (int)syscall(SYS_openat, folder, path, flags, mode);
}

ssize_t getrandom(void *buffer, size_t len, unsigned flags)
{
    if (fault.same_randoms > 0) {
        fault.same_randoms--;
        memset(buffer, 0, len);
        return (ssize_t)len;
    }
    return syscall(SYS_getrandom, buffer, len, flags);
}

int flock(int fd, int operation)
{
    char link[32];
    char path[256] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (fault.removals > 0 && readlink(link, path, sizeof path - 1) > 0) {
        fault.removals--;
        assert_int_equal(unlink(path), 0);
    }
    return (int)syscall(SYS_flock, fd, operation);
}

int fstatvfs(int fd, struct statvfs *out)
{
    (void)fd;
    if (fault.statvfs == NULL)
        return fail_with(EIO);
    *out = *fault.statvfs;
    return 0;
}

/* -- A folder and a store for each test -- */

static char base[32];
static char uploads[64]; /* two folders that are not there yet */
static struct store_options options;
static struct store *store;

static time_t frozen_now = WHEN;

static time_t read_frozen_clock(void)
{
    return frozen_now;
}

static int setup(void **state)
{
    (void)state;
    memset(&fault, 0, sizeof fault);
    frozen_now = WHEN;
    snprintf(base, sizeof base, "/tmp/test_store_XXXXXX");
    if (mkdtemp(base) == NULL)
        return -1;
    snprintf(uploads, sizeof uploads, "%s/var/uploads", base);
    options = (struct store_options){
        .directory = uploads,
        .durability = STORE_UNSYNCED,
        .now = read_frozen_clock,
    };
    store = store_open(&options);
    calls.file_syncs = calls.folder_syncs = calls.links = 0;
    return store != NULL ? 0 : -1;
}

/* The same on a file system that has only named files. */
static int setup_named(void **state)
{
    int result = setup(state);
    store_close(store);
    fault.has_no_unnamed = true;
    store = store_open(&options);
    return result == 0 && store != NULL ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    store_close(store);
    store = NULL;
    return nftw(base, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void reopen_store(void)
{
    store_close(store);
    store = store_open(&options);
    assert_non_null(store);
    calls.file_syncs = calls.folder_syncs = calls.links = 0;
}

static void open_durable_store(void)
{
    options.durability = STORE_DURABLE;
    reopen_store();
}

/* -- Helpers -- */

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", uploads, name);
    return path;
}

static size_t count_entries(const char *folder)
{
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    assert_int_equal(closedir(entries), 0);
    return count;
}

static size_t count_documents(void)
{
    return count_entries(uploads) - 1; /* the dot folder */
}

static size_t count_temporaries(void)
{
    char folder[80];
    snprintf(folder, sizeof folder, "%s/.tarn", uploads);
    return count_entries(folder);
}

static void assert_no_trace(void)
{
    assert_int_equal(count_documents(), 0);
    assert_int_equal(count_temporaries(), 0);
}

static void assert_matches(const char *text, const char *pattern)
{
    regex_t compiled;
    assert_int_equal(regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB), 0);
    int result = regexec(&compiled, text, 0, NULL, 0);
    regfree(&compiled);
    if (result != 0)
        fail_msg("%s does not match %s", text, pattern);
}

static void assert_document_holds(const char *name, const char *content)
{
    char buffer[256];
    int fd = store_open_document(store, name);
    assert_true(fd >= 0);
    ssize_t len = read(fd, buffer, sizeof buffer - 1);
    assert_true(len >= 0);
    buffer[len] = '\0';
    assert_string_equal(buffer, content);
    assert_int_equal(close(fd), 0);
}

static void begin_document(struct store_file *file, const char *content)
{
    assert_int_equal(store_file_create(store, file), 0);
    assert_int_equal(store_file_append(file, content, strlen(content)), 0);
}

static void store_document(const char *content, char out_name[STORE_NAME_SIZE])
{
    struct store_file file;
    begin_document(&file, content);
    assert_int_equal(store_file_commit(&file, out_name), 0);
}

/* -- Opening -- */

static void assert_mode(const char *path, mode_t mode)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, mode);
}

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

/* -- Documents -- */

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

static void store_names_of_one_second_are_unique(void **state)
{
    (void)state;
    char name[STORE_NAME_SIZE];
    for (int i = 0; i < 5000; i++) /* each name is taken by an exclusive link */
        store_document("1", name);
    assert_int_equal(count_documents(), 5000);
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

/* -- Discarding -- */

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

/* -- Durability -- */

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

/* Two rounds under way at once: the failure of one is that of the other. */
static void store_round_fails_with_another_that_began_before_its_end(void **state)
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
    assert_int_equal(store_sync_end(&sync, &first), -1);
    assert_int_equal(errno, ENOSPC);
    fault.folder_sync_error = 0;
    assert_int_equal(store_sync_end(&sync, &second), -1);
    assert_int_equal(errno, EIO);
    assert_int_equal(store_sync_begin(&sync, &first), 0);
    assert_int_equal(store_sync_end(&sync, &first), 0);
    store_sync_deinit(&sync);
    assert_int_equal(close(folder), 0);
}

/* -- Other failures -- */

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

static void store_commit_fails_without_descriptors(void **state)
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
    int error = errno;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(result, -1);
    assert_int_equal(error, EMFILE);
    store_file_discard(&file);
    assert_no_trace();
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

/* -- Space -- */

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

/* -- Reading -- */

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

/* -- Named temporary files -- */

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

/* -- Threads -- */

#define WRITERS          4
#define WRITER_DOCUMENTS 200

struct writer {
    unsigned number;
    unsigned acknowledged;
};

static void *write_documents(void *argument)
{
    struct writer *writer = argument;
    for (unsigned i = 0; i < WRITER_DOCUMENTS; i++) {
        char content[32];
        int len = snprintf(content, sizeof content, "[%u,%u]", writer->number, i);
        struct store_file file;
        char name[STORE_NAME_SIZE];
        if (store_file_create(store, &file) == 0 &&
            store_file_append(&file, content, (size_t)len) == 0 &&
            store_file_commit(&file, name) == 0)
            writer->acknowledged++;
        store_file_discard(&file);
    }
    return NULL;
}

static unsigned run_writers(void)
{
    pthread_t threads[WRITERS];
    struct writer writers[WRITERS];
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_documents, &writers[i]), 0);
    }
    unsigned acknowledged = 0;
    for (unsigned i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        acknowledged += writers[i].acknowledged;
    }
    return acknowledged;
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
    fault.folder_syncs_left = WRITERS * WRITER_DOCUMENTS / 2;
    unsigned acknowledged = run_writers();
    assert_in_range(acknowledged, 1, WRITERS * WRITER_DOCUMENTS / 2);
    assert_int_equal(count_documents(), acknowledged);
    assert_int_equal(count_temporaries(), 0);
}

int main(void)
{
#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)
#define NAMED(name) cmocka_unit_test_setup_teardown(name, setup_named, teardown)
#define BOTH(name)                                                                                 \
    {#name, name, setup, teardown, NULL},                                                          \
    {                                                                                              \
#name " (named temporary files)", name, setup_named, teardown, NULL                        \
    }
    const struct CMUnitTest tests[] = {
        TEST(store_open_makes_missing_folders),
        TEST(store_open_makes_folders_whatever_the_umask),
        TEST(store_open_leaves_folders_that_are_there),
        TEST(store_open_takes_a_relative_path),
        TEST(store_open_syncs_the_parents_of_what_it_makes),
        TEST(store_open_fails_when_a_parent_cannot_be_synced),
        TEST(store_open_fails_where_no_folder_can_be),
        TEST(store_close_of_null_is_allowed),
        BOTH(store_commit_makes_the_document_visible),
        BOTH(store_document_mode_does_not_depend_on_the_umask),
        TEST(store_large_document_is_whole),
        TEST(store_names_of_one_second_are_unique),
        TEST(store_clock_may_step_back),
        TEST(store_name_tells_any_time_in_utc),
        BOTH(store_commit_fails_when_the_time_is_no_date),
        TEST(store_name_that_is_taken_is_not_written_over),
        TEST(store_names_grow_when_the_short_ones_are_taken),
        BOTH(store_discard_leaves_no_trace),
        BOTH(store_discard_is_legal_in_every_state),
        BOTH(store_discard_keeps_errno),
        BOTH(store_documents_are_independent),
        BOTH(store_durable_commit_syncs_file_and_folder),
        BOTH(store_unsynced_commit_syncs_nothing),
        BOTH(store_failed_file_sync_is_not_tried_again),
        BOTH(store_failed_folder_sync_removes_the_name),
        BOTH(store_suspect_folder_acknowledges_nothing),
        BOTH(store_suspect_folder_is_synced_anew_before_the_next_name),
        TEST(store_suspect_folder_stays_suspect_after_a_new_failure),
        TEST(store_round_fails_with_another_that_began_before_its_end),
        BOTH(store_link_failure_is_told),
        BOTH(store_append_that_cannot_be_finished_is_told),
        BOTH(store_create_fails_without_descriptors),
        BOTH(store_commit_fails_without_descriptors),
        BOTH(store_full_disk_is_told_and_passes),
        TEST(store_space_is_kept_free),
        TEST(store_space_without_a_mark_is_what_is_there),
        TEST(store_space_that_is_not_told_is_enough),
        TEST(store_space_failure_is_told),
        TEST(store_open_document_refuses_other_names),
        TEST(store_open_document_refuses_what_is_no_file),
        BOTH(store_descriptors_are_not_inherited),
        NAMED(store_named_temporary_is_hidden_and_goes_with_the_commit),
        {"store_named_temporary_in_use_is_left_alone", store_named_temporary_in_use_is_left_alone,
         setup_named, teardown, NULL},
        NAMED(store_named_temporary_that_was_removed_is_made_again),
        TEST(store_open_removes_what_was_left_over),
        NAMED(store_named_temporary_name_that_is_taken_is_not_used),
        BOTH(store_threads_lose_and_mix_nothing),
        BOTH(store_threads_acknowledge_nothing_that_was_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
