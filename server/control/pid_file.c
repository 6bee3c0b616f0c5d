#include "server/control/pid_file.h"

#include "http/slice.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Who asks for the holder has the lock for a moment, so that a claim tries again. */
#define CLAIM_ATTEMPTS 20
#define CLAIM_PAUSE_US 10000

static void close_keeping_errno(int fd)
{
    int error = errno;
    (void)close(fd); /* only its lock mattered */
    errno = error;
}

static bool is_same(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

bool pid_file_is_at(int pid_file, const char *path)
{
    struct stat open_file;
    struct stat named_file;
    return fstat(pid_file, &open_file) == 0 && lstat(path, &named_file) == 0 &&
           is_same(&open_file, &named_file);
}

static bool is_alive(pid_t pid)
{
    return kill(pid, 0) == 0 || errno == EPERM;
}

bool pid_file_is_open_in(const char *path, pid_t pid)
{
    char name[32];
    struct stat named_file;
    (void)snprintf(name, sizeof(name), "/proc/%d/fd", (int)pid);
    if (lstat(path, &named_file) != 0)
        return false;
    DIR *descriptors = opendir(name);
    if (!descriptors)
        return is_alive(pid); /* but belongs to another user, or /proc hides it */
    bool found = false;
    const struct dirent *entry;
    while (!found && (entry = readdir(descriptors))) {
        struct stat file;
        found = fstatat(dirfd(descriptors), entry->d_name, &file, 0) == 0 &&
                is_same(&file, &named_file);
    }
    (void)closedir(descriptors); /* only read from */
    return found;
}

/* Returns the descriptor, or -1 with errno: EWOULDBLOCK, ESTALE if the file has been removed. */
static int try_to_claim(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        goto fail;
    if (!pid_file_is_at(fd, path)) { /* its last owner has removed it meanwhile */
        errno = ESTALE;
        goto fail;
    }
    if (ftruncate(fd, 0) == 0)
        return fd;

fail:
    close_keeping_errno(fd);
    return -1;
}

int pid_file_claim(const char *path)
{
    int fd = -1;
    for (int i = 0; i < CLAIM_ATTEMPTS; i++) {
        fd = try_to_claim(path);
        if (fd >= 0 || (errno != EWOULDBLOCK && errno != ESTALE))
            return fd;
        int error = errno;
        (void)usleep(CLAIM_PAUSE_US);
        errno = error;
    }
    return fd;
}

int pid_file_write(int pid_file, pid_t pid)
{
    char line[16];
    int len = snprintf(line, sizeof(line), "%d\n", (int)pid);
    ssize_t written = pwrite(pid_file, line, (size_t)len, 0);
    if (written == len)
        return ftruncate(pid_file, len); /* so late that there is a number at each moment */
    if (written >= 0)
        errno = ENOSPC;
    return -1;
}

/* The number that stands in the file's first line; 0 if none does. */
static pid_t read_pid(int fd)
{
    char line[16];
    uint64_t pid;
    ssize_t len = pread(fd, line, sizeof(line), 0);
    const char *end = len > 0 ? memchr(line, '\n', (size_t)len) : NULL;
    if (!end || slice_to_u64((struct slice){line, (size_t)(end - line)}, &pid) != 0 ||
        pid > INT32_MAX)
        return 0;
    return (pid_t)pid;
}

bool pid_file_names(int pid_file, pid_t pid)
{
    return pid_file >= 0 && read_pid(pid_file) == pid;
}

pid_t pid_file_holder(const char *path)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    pid_t holder = 0;
    if (flock(fd, LOCK_SH | LOCK_NB) != 0)
        holder = errno == EWOULDBLOCK ? read_pid(fd) : -1;
    close_keeping_errno(fd);
    return holder;
}

void pid_file_remove(const char *path)
{
    (void)unlink(path); /* one that is left behind does no harm */
}

char *pid_file_sibling(const char *path, const char *suffix)
{
    size_t len = strlen(path);
    if (len > 4 && strcmp(path + len - 4, ".pid") == 0)
        len -= 4;
    char *sibling = NULL;
    return asprintf(&sibling, "%.*s%s", (int)len, path, suffix) < 0 ? NULL : sibling;
}
