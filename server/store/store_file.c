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

int store_file_fail(struct store_file *file)
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

int store_write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, bytes, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        bytes += written;
        len -= (size_t)written;
    }
    return 0;
}

int store_file_append(struct store_file *file, const char *bytes, size_t len)
{
    assert(file->store != NULL);
    errno = file->error;
    if (file->error != 0)
        return -1;
    if (store_write_all(file->fd, bytes, len) != 0)
        return store_file_fail(file);
    file->bytes += len;
    return 0;
}

/* -- Committing -- */

int store_file_sync(struct store_file *file)
{
    assert(file->store != NULL);
    errno = file->error;
    if (file->error != 0)
        return -1;
    if (file->store->is_durable && fsync(file->fd) != 0)
        return store_file_fail(file);
    return 0;
}

int store_file_link(const struct store_file *file, int folder, const char *name)
{
    if (file->temporary[0] != '\0')
        return linkat(file->store->housekeeping, file->temporary, folder, name, 0);
    char path[STORE_PROC_PATH_SIZE];
    store_proc_path(file->fd, path);
    return linkat(AT_FDCWD, path, folder, name, AT_SYMLINK_FOLLOW);
}

/* The link is exclusive: a name that is taken, by whomever, is never written over. */
static int link_under_new_name(const struct store_file *file, char out_name[STORE_NAME_SIZE])
{
    time_t now = file->store->now();
    for (unsigned attempt = 0; attempt < STORE_NAME_ATTEMPTS; attempt++) {
        if (store_name_make(now, attempt, out_name) != 0)
            return -1;
        if (store_file_link(file, file->store->folder, out_name) == 0)
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
    if (link_under_new_name(file, out_name) != 0)
        return -1;
    if (store_sync_wait(&store->sync, &round) == 0)
        return 0;
    int error = errno;
    (void)unlinkat(store->folder, out_name, 0); /* the failure that counts is told */
    errno = error;
    return -1;
}

void store_file_describe(const struct store_file *file, struct store_change *out_change)
{
    struct stat info;
    *out_change = (struct store_change){.files = 1, .bytes = file->bytes};
    if (file->store->ledger.is_kept && fstat(file->fd, &info) == 0)
        out_change->inode = info.st_ino;
}

/* The same, if there is room. */
static int publish_if_room(const struct store_file *file, char out_name[STORE_NAME_SIZE])
{
    struct store_ledger *ledger = &file->store->ledger;
    struct store_change change;
    store_file_describe(file, &change);
    if (store_ledger_reserve(ledger, &change) != 0)
        return -1;
    int result = publish(file, out_name);
    if (result == 0) {
        store_ledger_settle(ledger, &change);
        store_index_add(&file->store->index, out_name);
    } else {
        store_ledger_give_back(ledger, &change);
    }
    return result;
}

int store_file_commit(struct store_file *file, char out_name[STORE_NAME_SIZE])
{
    char name[STORE_NAME_SIZE];
    if (store_file_sync(file) != 0)
        return -1;
    if (publish_if_room(file, name) != 0)
        return store_file_fail(file);
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
