/* The promise that a change of names in the store's folder lasts; group commit.
 *
 * A thread begins, changes names, and waits for a sync of the folder that began after the change.
 * One thread syncs for all that wait. Those who come meanwhile wait for the next sync, which the
 * first of them leads for all of them. So a sync is for the changes that were made before it began,
 * and for no others.
 *
 * When a sync fails nobody knows which names are on the disk: whoever had begun by then fails, and
 * nobody begins before the folder has been opened and synced anew. (A sync is never simply
 * repeated: the kernel tells a failure once and then takes the lost pages for clean.)
 *
 * Any thread. The lock is not held over a system call.
 */
#ifndef TARN_SERVER_STORE_STORE_SYNC_H
#define TARN_SERVER_STORE_STORE_SYNC_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct store_sync_waiter;

struct store_sync {
    /* Constant. */
    int folder;     /* borrowed */
    bool is_wanted; /* false: there is nothing to promise, and nothing is done */

    /* Changed under the lock. Odd: the last sync has failed. It is another after each failure. */
    atomic_ulong epoch;

    /* Owned by the thread that syncs. */
    int fd; /* of the folder; opened before any name was changed that it is to sync */

    pthread_mutex_t lock;
    pthread_cond_t renewed; /* those who want to begin after a failure */

    /* Guarded by lock. */
    bool is_syncing; /* a thread syncs, or has been told to */
    int error;       /* errno of the last failure */

    /* For the next sync; a thread is to lead it, or syncs now and passes that on. */
    struct store_sync_waiter *first;
    struct store_sync_waiter **end;
};

/* What a thread that changes names has to remember. */
struct store_round {
    unsigned long epoch; /* when it began */
};

/* Returns 0, or -1 with errno. */
int store_sync_init(struct store_sync *sync, int folder, bool is_wanted);

/* No thread may be in it any more. */
void store_sync_deinit(struct store_sync *sync);

/* To be called before names are changed. Returns 0, or -1 with errno: none may be. A thread that
 * has begun need not wait, if it has changed nothing.
 */
int store_sync_begin(struct store_sync *sync, struct store_round *out_round);

/* Waits until the changes last. Returns 0; or -1 with errno: they must be undone. */
int store_sync_wait(struct store_sync *sync, const struct store_round *round);

#endif
