#include "server/store/store.h"

#include "server/store/store_folder.h"
#include "server/store/store_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define HOUSEKEEPING ".tarn"

static time_t read_clock(void)
{
    return time(NULL);
}

/* -- What the file system can do -- */

/* Whether an unnamed file could be linked: through /proc, since AT_EMPTY_PATH needs a capability on
 * kernel 6.1.
 */
static bool is_linkable(int fd)
{
    char path[STORE_PROC_PATH_SIZE];
    struct stat info;
    store_proc_path(fd, path);
    return stat(path, &info) == 0;
}

/* Finds out how temporary files are made. Returns 0, or -1 with errno where none can be. */
static int probe_temporaries(struct store *store)
{
    int fd = openat(store->folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0640);
    if (fd >= 0) {
        store->has_unnamed = is_linkable(fd);
        (void)close(fd); /* empty, and gone with it */
        return 0;
    }
    if (errno == ENOSPC || errno == EDQUOT) { /* may pass; static files are served meanwhile */
        store->has_unnamed = true;
        return 0;
    }
    return errno == EOPNOTSUPP || errno == EISDIR ? 0 : -1;
}

/* -- What was left over -- */

/* Whoever writes a temporary file holds its lock, so that two processes during a restart do not
 * delete each other's. (Open for writing: NFS locks nothing else exclusively.)
 */
static void remove_if_left_over(int housekeeping, const char *name)
{
    int fd = openat(housekeeping, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        (void)unlinkat(housekeeping, name, 0); /* what cannot be removed is tried again next time */
    (void)close(fd);
}

static int remove_left_overs(int housekeeping)
{
    int fd = openat(housekeeping, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    DIR *folder = fdopendir(fd);
    if (folder == NULL) {
        (void)close(fd);
        return -1;
    }
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (store_name_is_temporary(entry->d_name))
            remove_if_left_over(housekeeping, entry->d_name);
    (void)closedir(folder); /* closes fd; only read from */
    return 0;
}

/* -- Opening and closing -- */

static int open_folders(struct store *store, const char *directory, bool syncs)
{
    store->folder = store_folder_open(AT_FDCWD, directory, syncs);
    if (store->folder < 0)
        return -1;
    store->housekeeping = store_folder_open(store->folder, HOUSEKEEPING, syncs);
    if (store->housekeeping < 0 || probe_temporaries(store) != 0)
        return -1;
    return remove_left_overs(store->housekeeping);
}

static void close_folders(struct store *store)
{
    if (store->housekeeping >= 0)
        (void)close(store->housekeeping); /* nothing was written through either */
    if (store->folder >= 0)
        (void)close(store->folder);
}

struct store *store_open(const struct store_options *options)
{
    struct store *store = malloc(sizeof *store);
    if (store == NULL)
        return NULL;
    *store = (struct store){
        .folder = -1,
        .housekeeping = -1,
        .min_free_bytes = options->min_free_bytes,
        .is_durable = options->durability == STORE_DURABLE,
        .now = options->now != NULL ? options->now : read_clock,
    };
    if (open_folders(store, options->directory, store->is_durable) == 0 &&
        store_sync_init(&store->sync, store->folder, store->is_durable) == 0)
        return store;
    int error = errno;
    close_folders(store);
    free(store);
    errno = error;
    return NULL;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    store_sync_deinit(&store->sync);
    close_folders(store);
    free(store);
}

/* -- Questions -- */

int store_check_space(const struct store *store, uint64_t bytes)
{
    struct statvfs info;
    if (fstatvfs(store->folder, &info) != 0)
        return -1;
    uint64_t free_bytes = (uint64_t)info.f_bavail * info.f_frsize;
    bool is_known = info.f_blocks > 0; /* some network file systems do not say */
    if (!is_known || (bytes <= free_bytes && free_bytes - bytes >= store->min_free_bytes))
        return 0;
    errno = ENOSPC;
    return -1;
}

/* What open() says of links, sockets and names that are too long, in the words of store.h. */
static int explain_open_error(int error)
{
    if (error == ELOOP || error == ENXIO || error == ENODEV)
        return EACCES;
    return error == ENAMETOOLONG ? ENOENT : error;
}

int store_open_document(const struct store *store, const char *name)
{
    if (!store_name_is_visible(name)) {
        errno = ENOENT;
        return -1;
    }
    int fd = openat(store->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        errno = explain_open_error(errno);
        return -1;
    }
    struct stat info;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
        return fd;
    (void)close(fd); /* nothing was written to it */
    errno = EACCES;
    return -1;
}
