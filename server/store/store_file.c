#include "server/store/store_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0640

/* How often a start that is cleaning up may take a temporary file away from under us. */
#define NAMED_ATTEMPTS 8

static const struct store_file no_file;

static int fail_for_good(struct store_file *file)
{
    file->error = errno;
    return -1;
}

/* -- Creating -- */

static int create_unnamed(struct store *store)
{
    return openat(store->folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, FILE_MODE);
}

/* Whether the file is ours: we hold its lock, and it was not removed before we did. */
static bool is_claimed(int fd)
{
    struct stat info;
    return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &info) == 0 && info.st_nlink > 0;
}

static int create_named(struct store *store, char out_name[STORE_TEMPORARY_SIZE])
{
    for (int attempt = 0; attempt < NAMED_ATTEMPTS; attempt++) {
        if (store_name_make_temporary(out_name) != 0)
            return -1;
        int fd = openat(store->housekeeping, out_name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC,
                        FILE_MODE);
        if (fd < 0 && errno != EEXIST)
            return -1;
        if (fd >= 0 && is_claimed(fd))
            return fd;
        if (fd >= 0)
            (void)close(fd); /* empty, and whoever has the lock removes it */
    }
    errno = EEXIST;
    return -1;
}

int store_file_create(struct store *store, struct store_file *file)
{
    *file = no_file;
    char temporary[STORE_TEMPORARY_SIZE] = "";
    int fd = store->has_unnamed ? create_unnamed(store) : create_named(store, temporary);
    if (fd < 0)
        return -1;
    *file = (struct store_file){.store = store, .fd = fd};
    memcpy(file->temporary, temporary, sizeof temporary);
    if (fchmod(fd, FILE_MODE) == 0) /* whatever the umask */
        return 0;
    store_file_discard(file);
    return -1;
}

/* -- Appending -- */

int store_file_append(struct store_file *file, const char *bytes, size_t len)
{
    assert(file->store != NULL);
    errno = file->error;
    if (file->error != 0)
        return -1;
    while (len > 0) {
        ssize_t written = write(file->fd, bytes, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return fail_for_good(file);
        bytes += written;
        len -= (size_t)written;
        file->bytes += (uint64_t)written;
    }
    return 0;
}

/* -- Committing -- */

static int link_as(const struct store_file *file, const char *name)
{
    const struct store *store = file->store;
    if (file->temporary[0] != '\0')
        return linkat(store->housekeeping, file->temporary, store->folder, name, 0);
    char path[STORE_PROC_PATH_SIZE];
    store_proc_path(file->fd, path);
    return linkat(AT_FDCWD, path, store->folder, name, AT_SYMLINK_FOLLOW);
}

/* The link is exclusive: a name that is taken, by whomever, is never written over. */
static int link_under_new_name(const struct store_file *file, char out_name[STORE_NAME_SIZE])
{
    time_t now = file->store->now();
    for (unsigned attempt = 0; attempt < STORE_NAME_ATTEMPTS; attempt++) {
        if (store_name_make(now, attempt, out_name) != 0)
            return -1;
        if (link_as(file, out_name) == 0)
            return 0;
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

/* Gives the file a name that lasts. */
static int publish(const struct store_file *file, char out_name[STORE_NAME_SIZE])
{
    struct store *store = file->store;
    struct store_round round;
    if (store_sync_begin(&store->sync, &round) != 0)
        return -1;
    if (link_under_new_name(file, out_name) != 0) {
        store_sync_cancel(&round);
        return -1;
    }
    if (store_sync_end(&store->sync, &round) == 0)
        return 0;
    int error = errno;
    (void)unlinkat(store->folder, out_name, 0); /* the failure that counts is told */
    errno = error;
    return -1;
}

int store_file_commit(struct store_file *file, char out_name[STORE_NAME_SIZE])
{
    assert(file->store != NULL);
    char name[STORE_NAME_SIZE];
    errno = file->error;
    if (file->error != 0)
        return -1;
    if (file->store->is_durable && fsync(file->fd) != 0)
        return fail_for_good(file);
    if (publish(file, name) != 0)
        return fail_for_good(file);
    memcpy(out_name, name, sizeof name);
    store_file_discard(file);
    return 0;
}

/* -- Discarding -- */

void store_file_discard(struct store_file *file)
{
    if (file->store == NULL)
        return;
    int error = errno;
    if (file->temporary[0] != '\0')
        (void)unlinkat(file->store->housekeeping, file->temporary, 0); /* else at the next start */
    (void)close(file->fd); /* synced, or not wanted, or not promised */
    *file = no_file;
    errno = error;
}
