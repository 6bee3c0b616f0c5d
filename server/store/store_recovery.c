#include "server/store/store_recovery.h"

#include "server/store/store_folder.h"
#include "server/store/store_private.h"
#include "server/store/store_spool.h"
#include "server/store/store_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whoever writes a temporary file holds its lock, so that two processes during a restart do not
 * delete each other's. (Open for writing: NFS locks nothing else exclusively.)
 */
static void remove_temporary(int housekeeping, const char *name)
{
    int fd = openat(housekeeping, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        (void)unlinkat(housekeeping, name, 0); /* what cannot be removed is tried again next time */
    (void)close(fd);
}

/* -- Batches -- */

static void remove_batch(int housekeeping, const char *name)
{
    struct store_spool spool;
    if (store_spool_open(housekeeping, name, &spool) == 0)
        store_spool_remove(&spool);
}

struct completion {
    const struct store *store;
    const struct store_spool *spool;
    bool is_whole;
};

static bool complete_document(const char *name, const struct stat *info, void *context)
{
    (void)info;
    struct completion *completion = context;
    const struct store *store = completion->store;
    char visible[STORE_NAME_SIZE];
    snprintf(visible, sizeof visible, "%s", name);
    completion->is_whole =
        store_spool_move_out(completion->spool, store->folder, store->now(), visible) == 0;
    return completion->is_whole;
}

static void complete_batch(const struct store *store, const char *name)
{
    struct store_spool spool;
    if (store_spool_open(store->housekeeping, name, &spool) != 0)
        return;
    struct completion completion = {store, &spool, true};
    int result = store_walk(spool.folder, &(struct store_walk){complete_document, &completion});
    if (result == 0 && store->is_durable)
        result = store_folder_sync(store->folder);
    if (result == 0 && completion.is_whole)
        store_spool_remove(&spool);
    else
        store_spool_close(&spool);
}

/* -- All -- */

static void clear_up(const struct store *store, const char *name)
{
    switch (store_name_kind(name)) {
    case STORE_NAME_TEMPORARY:
        remove_temporary(store->housekeeping, name);
        break;
    case STORE_NAME_BATCH:
        remove_batch(store->housekeeping, name);
        break;
    case STORE_NAME_COMMIT:
        complete_batch(store, name);
        break;
    case STORE_NAME_OTHER:
        break;
    }
}

int store_recovery_run(const struct store *store)
{
    int fd = openat(store->housekeeping, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    DIR *folder = fdopendir(fd);
    if (folder == NULL) {
        (void)close(fd); /* only opened */
        return -1;
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        clear_up(store, entry->d_name);
    (void)closedir(folder); /* closes fd; only read from */
    return 0;
}
