/* What the parts of the store share. */
#ifndef TARN_SERVER_STORE_STORE_PRIVATE_H
#define TARN_SERVER_STORE_STORE_PRIVATE_H

#include "server/store/store.h"
#include "server/store/store_alarm.h"
#include "server/store/store_claim.h"
#include "server/store/store_index.h"
#include "server/store/store_janitor.h"
#include "server/store/store_ledger.h"
#include "server/store/store_sync.h"

#include <stdbool.h>
#include <stdio.h>

/* Constant after store_open(), but for what guards itself. */
struct store {
    int folder;       /* the documents */
    int housekeeping; /* the dot folder in it: named temporary files */
    bool has_unnamed; /* there is O_TMPFILE, and /proc to link such a file by */
    bool is_durable;
    uint64_t min_free_bytes;
    unsigned ttl_days;
    time_t (*now)(void);
    void (*notice)(const struct store_notice *notice, void *context);
    void *context;

    struct store_sync sync; /* of `folder` */
    struct store_claims claims;
    struct store_ledger ledger;
    struct store_index index;
    struct store_alarm alarms[3]; /* of each enum store_resource */
    struct store_janitor janitor;
};

#define STORE_PROC_PATH_SIZE 32

/* The path by which an open file can be linked. */
static inline void store_proc_path(int fd, char out[STORE_PROC_PATH_SIZE])
{
    snprintf(out, STORE_PROC_PATH_SIZE, "/proc/self/fd/%d", fd);
}

/* Writes all the bytes. Returns 0, or -1 with errno. */
int store_write_all(int fd, const char *bytes, size_t len);

/* The file can only be discarded from now on. Returns -1, errno kept. */
int store_file_fail(struct store_file *file);

/* Syncs a file that is whole, if the store is durable. Returns 0, or -1 with errno, as often as it
 * is called.
 */
int store_file_sync(struct store_file *file);

/* Gives a file a name in `folder`, which nobody may have (EEXIST). Returns 0, or -1 with errno. */
int store_file_link(const struct store_file *file, int folder, const char *name);

/* Says for the ledger what becomes of a file that is whole. */
void store_file_describe(const struct store_file *file, struct store_change *out_change);

/* Removes an object without a sync: a crash may bring it back. Else as store_remove(). */
int store_drop(struct store *store, const char *name, const struct store_condition *condition);

#endif
