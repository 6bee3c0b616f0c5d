#include "server/store/store_spool.h"

#include "server/store/store_folder.h"
#include "server/store/store_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE   0640
#define FOLDER_MODE 0700

#define LOCK        ".lock" /* with a dot, so that it is no document */

/* How often a start that is cleaning up may take the folder away from under us. */
#define ATTEMPTS 8

/* -- Creating and opening -- */

static int open_folder(int housekeeping, const char *name)
{
    return openat(housekeeping, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Whether the lock is ours, and was not removed before we had it. */
static bool is_claimed(int lock)
{
    struct stat info;
    return flock(lock, LOCK_EX | LOCK_NB) == 0 && fstat(lock, &info) == 0 && info.st_nlink > 0;
}

static int make_folder(struct store_spool *spool)
{
    if (store_name_make_batch(spool->name) != 0 ||
        mkdirat(spool->housekeeping, spool->name, FOLDER_MODE) != 0)
        return -1;
    if (fchmodat(spool->housekeeping, spool->name, FOLDER_MODE, 0) == 0) /* whatever the umask */
        spool->folder = open_folder(spool->housekeeping, spool->name);
    if (spool->folder >= 0)
        spool->lock =
            openat(spool->folder, LOCK, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, FILE_MODE);
    return spool->lock >= 0 ? 0 : -1;
}

int store_spool_create(int housekeeping, struct store_spool *out_spool)
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct store_spool spool = {.housekeeping = housekeeping, .folder = -1, .lock = -1};
        int result = make_folder(&spool);
        if (result == 0 && is_claimed(spool.lock)) {
            *out_spool = spool;
            return 0;
        }
        if (result == 0)
            errno = ENOENT; /* another process that starts has it */
        store_spool_remove(&spool);
        if (errno != ENOENT && errno != EEXIST)
            return -1;
    }
    return -1;
}

int store_spool_open(int housekeeping, const char *name, struct store_spool *out_spool)
{
    struct store_spool spool = {.housekeeping = housekeeping};
    snprintf(spool.name, sizeof spool.name, "%s", name);
    spool.folder = open_folder(housekeeping, name);
    if (spool.folder < 0)
        return -1;
    spool.lock = openat(spool.folder, LOCK, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool is_free = spool.lock >= 0 ? is_claimed(spool.lock) : errno == ENOENT;
    if (is_free) {
        *out_spool = spool;
        return 0;
    }
    store_spool_close(&spool);
    return -1;
}

int store_spool_add(const struct store_spool *spool, time_t when, char out_name[STORE_NAME_SIZE])
{
    for (unsigned attempt = 0; attempt < STORE_NAME_ATTEMPTS; attempt++) {
        if (store_name_make(when, attempt, out_name) != 0)
            return -1;
        int fd =
            openat(spool->folder, out_name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, FILE_MODE);
        if (fd < 0 && errno != EEXIST)
            return -1;
        if (fd >= 0 && fchmod(fd, FILE_MODE) == 0) /* whatever the umask */
            return fd;
        if (fd >= 0) {
            (void)close(fd); /* empty */
            return -1;
        }
    }
    return -1;
}

/* -- The promise -- */

static int rename_folder(struct store_spool *spool, enum store_name_kind kind)
{
    char to[STORE_TEMPORARY_SIZE];
    store_name_convert(spool->name, kind, to);
    if (renameat(spool->housekeeping, spool->name, spool->housekeeping, to) != 0)
        return -1;
    memcpy(spool->name, to, sizeof to);
    return 0;
}

/* What tells whether the sync has failed is opened before anything that is to be synced. */
static int rename_for_good(struct store_spool *spool, enum store_name_kind kind)
{
    int fd = open_folder(spool->housekeeping, ".");
    if (fd < 0)
        return -1;
    int result = rename_folder(spool, kind) == 0 ? fsync(fd) : -1;
    int error = errno;
    (void)close(fd); /* a folder's, nothing was written through it */
    errno = error;
    return result;
}

int store_spool_promise(struct store_spool *spool, bool syncs)
{
    if (!syncs)
        return rename_folder(spool, STORE_NAME_COMMIT);
    if (fsync(spool->folder) != 0)
        return -1;
    return rename_for_good(spool, STORE_NAME_COMMIT);
}

int store_spool_withdraw(struct store_spool *spool, bool syncs)
{
    if (store_name_kind(spool->name) != STORE_NAME_COMMIT)
        return 0;
    if (rename_folder(spool, STORE_NAME_BATCH) != 0)
        return -1;
    if (syncs)
        (void)store_folder_sync(spool->housekeeping); /* it is being removed in any case */
    return 0;
}

/* -- Moving -- */

/* Where the file system (NFS) cannot say that nothing shall be replaced. */
static int link_and_unlink(const struct store_spool *spool, const char *from, int folder,
                           const char *to)
{
    if (linkat(spool->folder, from, folder, to, 0) != 0)
        return -1;
    (void)unlinkat(spool->folder, from, 0); /* else it has two names: it is the same document */
    return 0;
}

static int move_exclusively(const struct store_spool *spool, const char *from, int folder,
                            const char *to)
{
    int result = renameat2(spool->folder, from, folder, to, RENAME_NOREPLACE);
    if (result != 0 && (errno == EINVAL || errno == ENOSYS))
        result = link_and_unlink(spool, from, folder, to);
    return result;
}

int store_spool_move_out(const struct store_spool *spool, int to, time_t when,
                         char name[STORE_NAME_SIZE])
{
    char other[STORE_NAME_SIZE];
    if (move_exclusively(spool, name, to, name) == 0)
        return 0;
    for (unsigned attempt = 0; attempt < STORE_NAME_ATTEMPTS && errno == EEXIST; attempt++) {
        if (store_name_make(when, attempt, other) != 0)
            return -1;
        if (move_exclusively(spool, name, to, other) == 0) {
            memcpy(name, other, sizeof other);
            return 0;
        }
    }
    return -1;
}

int store_spool_move_back(const struct store_spool *spool, int from, const char *name)
{
    return renameat(from, name, spool->folder, name);
}

/* -- The end -- */

static bool remove_document(const char *name, const struct stat *info, void *context)
{
    (void)info;
    const struct store_spool *spool = context;
    (void)unlinkat(spool->folder, name, 0); /* else the folder stays until the next start */
    return true;
}

void store_spool_remove(struct store_spool *spool)
{
    int error = errno;
    if (spool->folder >= 0) {
        (void)store_walk(spool->folder, &(struct store_walk){remove_document, spool});
        (void)unlinkat(spool->folder, LOCK, 0); /* likewise */
    }
    (void)unlinkat(spool->housekeeping, spool->name, AT_REMOVEDIR); /* likewise */
    errno = error;
    store_spool_close(spool);
}

void store_spool_close(struct store_spool *spool)
{
    int error = errno;
    if (spool->lock >= 0)
        (void)close(spool->lock); /* nothing was written to either */
    if (spool->folder >= 0)
        (void)close(spool->folder);
    spool->lock = spool->folder = -1;
    errno = error;
}
