/* For the tests of the store: a store in a folder of its own for each test, and system calls that
 * fail on demand. The program defines these calls itself: the linker takes them before the C
 * library's.
 */
#ifndef TARN_TESTS_UNIT_STORE_FIXTURE_H
#define TARN_TESTS_UNIT_STORE_FIXTURE_H

#include "server/store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <regex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])
#define WHEN        1709208000 /* 29 February 2024, 12:00:00 UTC */

/* --- system calls that fail on demand ------------------------------------------------------- */

static struct {
    /* One call of any kind, of this thread: after so many have worked. */
    int calls_left;  /* -1: none fails */
    int call_error;  /* 0: it fails not, but does as little as it may */
    bool has_failed; /* it has come */

    /* Calls of one kind, always. */
    int file_sync_error;          /* of fsync() on files; 0: it works */
    int folder_sync_error;        /* of fsync() on folders */
    atomic_int folder_syncs_left; /* that work before folder_sync_error */
    int link_error;
    bool has_no_unnamed;     /* O_TMPFILE is not supported */
    bool has_no_exchange;    /* renameat2() is not supported */
    unsigned same_randoms;   /* getrandom() gives zeros so often */
    unsigned removals;       /* flock() comes so often after another process removed the file */
    struct statvfs *statvfs; /* what fstatvfs() says; NULL: it fails */
    void (*in_folder_sync)(void); /* called in fsync() on folders */
} fault;

static struct {
    atomic_uint file_syncs;
    atomic_uint folder_syncs;
    atomic_uint links;
} calls;

static _Thread_local bool is_main; /* the thread that calls_left is for */

static inline int fail_with(int error)
{
    errno = error;
    return -1;
}

/* Whether it is this call's turn to fail. */
static inline bool is_hit(void)
{
    if (!is_main || fault.calls_left < 0 || fault.calls_left-- > 0)
        return false;
    fault.has_failed = true;
    errno = fault.call_error;
    return true;
}

static inline bool is_failed(void)
{
    return is_hit() && fault.call_error != 0;
}

int fsync(int fd)
{
    struct stat info;
    if (is_failed())
        return -1;
    if (syscall(SYS_newfstatat, fd, "", &info, AT_EMPTY_PATH) != 0)
        return -1;
    if (S_ISDIR(info.st_mode)) {
        atomic_fetch_add(&calls.folder_syncs, 1);
        if (fault.in_folder_sync != NULL)
            fault.in_folder_sync();
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
    if (is_failed())
        return -1;
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
    if (is_failed())
        return -1;
    if (fault.has_no_unnamed && (flags & O_TMPFILE) == O_TMPFILE)
        return fail_with(EOPNOTSUPP);
    return (int)syscall(SYS_openat, folder, path, flags, mode);
}

/* The descriptor is gone, whatever close() says. */
int close(int fd)
{
    bool fails = is_failed();
    int result = (int)syscall(SYS_close, fd);
    return fails ? fail_with(fault.call_error) : result;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    if (is_hit()) {
        if (fault.call_error != 0)
            return -1;
        len = len > 1 ? len / 2 : len;
    }
    return syscall(SYS_write, fd, bytes, len);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    return is_failed() ? -1 : (int)syscall(SYS_renameat, from_folder, from, to_folder, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    if (is_failed())
        return -1;
    if (fault.has_no_exchange)
        return fail_with(EINVAL);
    return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
}

int unlinkat(int folder, const char *path, int flags)
{
    return is_failed() ? -1 : (int)syscall(SYS_unlinkat, folder, path, flags);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
    return is_failed() ? -1 : (int)syscall(SYS_mkdirat, folder, path, mode);
}

int fchmod(int fd, mode_t mode)
{
    return is_failed() ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

ssize_t getrandom(void *buffer, size_t len, unsigned flags)
{
    if (is_failed())
        return -1;
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
    if (is_failed())
        return -1;
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

/* --- a folder and a store for each test ----------------------------------------------------- */

static char base[32];
static char uploads[64]; /* two folders that are not there yet */
static struct store_options options;
static struct store *store;

static time_t frozen_now = WHEN;

static inline time_t read_frozen_clock(void)
{
    return frozen_now;
}

static inline int setup(void **state)
{
    (void)state;
    memset(&fault, 0, sizeof fault);
    fault.calls_left = -1;
    is_main = true;
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
static inline int setup_named(void **state)
{
    int result = setup(state);
    store_close(store);
    fault.has_no_unnamed = true;
    store = store_open(&options);
    return result == 0 && store != NULL ? 0 : -1;
}

static inline int remove_entry(const char *path, const struct stat *info, int kind,
                               struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline int teardown(void **state)
{
    (void)state;
    store_close(store);
    store = NULL;
    return nftw(base, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)
#define NAMED(name) cmocka_unit_test_setup_teardown(name, setup_named, teardown)

/* With both kinds of temporary files. */
#define BOTH(name)                                                                                 \
    {#name, name, setup, teardown, NULL},                                                          \
    {                                                                                              \
#name " (named temporary files)", name, setup_named, teardown, NULL                        \
    }

static inline void reopen_store(void)
{
    store_close(store);
    store = store_open(&options);
    assert_non_null(store);
    calls.file_syncs = calls.folder_syncs = calls.links = 0;
}

static inline void open_durable_store(void)
{
    options.durability = STORE_DURABLE;
    reopen_store();
}

/* --- looking -------------------------------------------------------------------------------- */

static inline const char *path_of(const char *name)
{
    static char path[400];
    snprintf(path, sizeof path, "%s/%s", uploads, name);
    return path;
}

static inline size_t count_entries(const char *folder)
{
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    assert_int_equal(closedir(entries), 0);
    return count;
}

static inline size_t count_documents(void)
{
    return count_entries(uploads) - 1; /* the dot folder */
}

static inline size_t count_temporaries(void)
{
    return count_entries(path_of(".tarn"));
}

static inline void assert_no_trace(void)
{
    assert_int_equal(count_documents(), 0);
    assert_int_equal(count_temporaries(), 0);
}

static inline void assert_matches(const char *text, const char *pattern)
{
    regex_t compiled;
    assert_int_equal(regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB), 0);
    int result = regexec(&compiled, text, 0, NULL, 0);
    regfree(&compiled);
    if (result != 0)
        fail_msg("%s does not match %s", text, pattern);
}

static inline void assert_mode(const char *path, mode_t mode)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, mode);
}

static inline void assert_document_holds(const char *name, const char *content)
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

/* --- storing -------------------------------------------------------------------------------- */

static inline void begin_document(struct store_file *file, const char *content)
{
    assert_int_equal(store_file_create(store, file), 0);
    assert_int_equal(store_file_append(file, content, strlen(content)), 0);
}

static inline void store_document(const char *content, char out_name[STORE_NAME_SIZE])
{
    struct store_file file;
    begin_document(&file, content);
    assert_int_equal(store_file_commit(&file, out_name), 0);
}

/* Stores under a name that the client chose. Returns what the commit does, errno kept. */
static inline int put_document(const char *name, const char *content,
                               const struct store_condition *condition, bool *out_replaced)
{
    struct store_file file;
    begin_document(&file, content);
    int result = store_file_commit_as(&file, name, condition, out_replaced);
    store_file_discard(&file);
    return result;
}

/* --- threads -------------------------------------------------------------------------------- */

#define WRITERS          8
#define WRITER_DOCUMENTS 100

struct writer {
    pthread_t thread;
    unsigned number;
    unsigned acknowledged;
};

static inline void *write_documents(void *argument)
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

/* Lets threads store documents. Returns how many were acknowledged. */
static inline unsigned run_writers(void)
{
    struct writer writers[WRITERS];
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.number = i};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_documents, &writers[i]), 0);
    }
    unsigned acknowledged = 0;
    for (unsigned i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
        acknowledged += writers[i].acknowledged;
    }
    return acknowledged;
}

#endif
