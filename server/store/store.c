#include "server/store/store.h"

#include "server/store/store_counts.h"
#include "server/store/store_folder.h"
#include "server/store/store_private.h"
#include "server/store/store_recovery.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define HOUSEKEEPING ".tarn"

/* Not time(2), which lags behind the clock that the names' fractions are from. */
static time_t read_clock(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* fails for an unknown clock only */
    return now.tv_sec;
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

/* -- Opening and closing -- */

static int open_folders(struct store *store, const char *directory, bool syncs)
{
    store->folder = store_folder_open(AT_FDCWD, directory, syncs);
    if (store->folder < 0)
        return -1;
    store->housekeeping = store_folder_open(store->folder, HOUSEKEEPING, syncs);
    if (store->housekeeping < 0 || probe_temporaries(store) != 0)
        return -1;
    return store_recovery_run(store);
}

static void close_folders(struct store *store)
{
    if (store->housekeeping >= 0)
        (void)close(store->housekeeping); /* nothing was written through either */
    if (store->folder >= 0)
        (void)close(store->folder);
}

/* The parts that guard themselves. */
static int init_parts(struct store *store, const struct store_options *options)
{
    if (store_claims_init(&store->claims) != 0)
        return -1;
    if (store_sync_init(&store->sync, store->folder, store->is_durable) != 0)
        goto fail_sync;
    if (store_index_init(&store->index, store->folder) != 0)
        goto fail_index;
    if (store_ledger_init(&store->ledger, options) == 0)
        return 0;
    store_index_deinit(&store->index);
fail_index:
    store_sync_deinit(&store->sync);
fail_sync:
    store_claims_deinit(&store->claims);
    return -1;
}

static void deinit_parts(struct store *store)
{
    store_ledger_deinit(&store->ledger);
    store_index_deinit(&store->index);
    store_sync_deinit(&store->sync);
    store_claims_deinit(&store->claims);
}

static void recall_counts(struct store *store)
{
    uint64_t files, bytes;
    if (!store->ledger.is_kept)
        store_counts_remove(store->housekeeping);
    else if (store_counts_read(store->housekeeping, &files, &bytes) == 0)
        store_ledger_recall(&store->ledger, files, bytes);
}

static void set_options(struct store *store, const struct store_options *options)
{
    *store = (struct store){
        .folder = -1,
        .housekeeping = -1,
        .min_free_bytes = options->min_free_bytes,
        .ttl_days = options->ttl_days,
        .is_durable = options->durability == STORE_DURABLE,
        .now = options->now != NULL ? options->now : read_clock,
        .notice = options->notice,
        .context = options->context,
        .alarms =
            {
                [STORE_FILES] = {.marks = {0.8, 0.95}},
                [STORE_BYTES] = {.marks = {0.8, 0.95}},
                [STORE_FREE_BYTES] = {.marks = {0.25, 0.5}},
            },
    };
}

struct store *store_open(const struct store_options *options)
{
    struct store *store = malloc(sizeof *store);
    if (store == NULL)
        return NULL;
    set_options(store, options);
    if (open_folders(store, options->directory, store->is_durable) != 0 ||
        init_parts(store, options) != 0)
        goto fail;
    recall_counts(store);
    if (store_janitor_start(&store->janitor, store) == 0)
        return store;
    deinit_parts(store);
    int error;
fail:
    error = errno;
    close_folders(store);
    free(store);
    errno = error;
    return NULL;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    store_janitor_stop(&store->janitor);
    deinit_parts(store);
    close_folders(store);
    free(store);
}

/* -- Room -- */

static void watch(struct store *store, const struct store_notice *notice, double share)
{
    if (store->notice != NULL && store_alarm_rises(&store->alarms[notice->resource], share))
        store->notice(notice, store->context);
}

static int check_quota(struct store *store, uint64_t bytes)
{
    struct store_usage usage;
    store_usage(store, &usage);
    if (usage.is_known && usage.max_files > 0)
        watch(store, &(struct store_notice){STORE_FILES, usage.files, usage.max_files},
              (double)usage.files / (double)usage.max_files);
    if (usage.is_known && usage.max_bytes > 0)
        watch(store, &(struct store_notice){STORE_BYTES, usage.bytes, usage.max_bytes},
              (double)usage.bytes / (double)usage.max_bytes);
    return store_ledger_check(&store->ledger, 1, bytes);
}

static int check_disk(struct store *store, uint64_t bytes)
{
    struct statvfs info;
    if (fstatvfs(store->folder, &info) != 0)
        return -1;
    if (info.f_blocks == 0) /* some network file systems do not say */
        return 0;
    uint64_t left = (uint64_t)info.f_bavail * info.f_frsize;
    if (store->min_free_bytes > 0)
        watch(store, &(struct store_notice){STORE_FREE_BYTES, left, store->min_free_bytes},
              left > 0 ? (double)store->min_free_bytes / (double)left : 1);
    if (bytes <= left && left - bytes >= store->min_free_bytes)
        return 0;
    errno = ENOSPC;
    return -1;
}

int store_check_space(struct store *store, uint64_t bytes)
{
    return check_quota(store, bytes) != 0 ? -1 : check_disk(store, bytes);
}

void store_usage(struct store *store, struct store_usage *out_usage)
{
    unsigned long changes;
    store_ledger_read(&store->ledger, out_usage, &changes);
}

/* -- Reading -- */

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
    int error = fstat(fd, &info) != 0 ? errno : 0;
    if (error == 0 && S_ISREG(info.st_mode))
        return fd;
    (void)close(fd); /* nothing was written to it */
    errno = error != 0 ? error : EACCES;
    return -1;
}

bool store_is_durable(const struct store *store)
{
    return store->is_durable;
}

int store_settle(struct store *store)
{
    struct store_round round;
    if (store_sync_begin(&store->sync, &round) != 0)
        return -1;
    return store_sync_wait(&store->sync, &round);
}
