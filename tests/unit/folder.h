/* A folder for each test, with what the test puts into it. */
#ifndef TARN_TESTS_UNIT_FOLDER_H
#define TARN_TESTS_UNIT_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char path[32];
    int fd; /* open as the server has its root open */
};

static inline void folder_create(struct folder *folder)
{
    (void)snprintf(folder->path, sizeof(folder->path), "/tmp/tarn-test-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    folder->fd = open(folder->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(folder->fd >= 0);
}

static inline void folder_add_directory(const struct folder *folder, const char *name)
{
    assert_int_equal(mkdirat(folder->fd, name, 0755), 0);
}

static inline void folder_add_file(const struct folder *folder, const char *name, const char *bytes)
{
    int file = openat(folder->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, strlen(bytes)), strlen(bytes));
    assert_int_equal(close(file), 0);
}

static inline void folder_add_link(const struct folder *folder, const char *name, const char *to)
{
    assert_int_equal(symlinkat(to, folder->fd, name), 0);
}

static inline int folder_remove(const char *path, const struct stat *stat, int type,
                                struct FTW *place)
{
    (void)stat;
    (void)type;
    (void)place;
    return remove(path);
}

static inline void folder_destroy(struct folder *folder)
{
    assert_int_equal(close(folder->fd), 0);
    assert_int_equal(nftw(folder->path, folder_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
