/* The promise that a new name in the store's folder lasts.
 *
 * A round covers the names that are made between its begin and its end. When a sync of the folder
 * fails, nobody knows which names are on the disk: every round under way fails, and no new one
 * begins before the folder has been opened and synced anew. (A sync is never simply repeated: the
 * kernel tells a failure once and then takes the lost pages for clean.)
 */
#ifndef TARN_SERVER_STORE_STORE_SYNC_H
#define TARN_SERVER_STORE_STORE_SYNC_H

#include <pthread.h>
#include <stdbool.h>

struct store_sync {
    int folder;     /* constant; borrowed */
    bool is_wanted; /* constant; false: there is nothing to promise, and rounds do nothing */
    pthread_mutex_t lock;
    bool is_suspect;        /* guarded by lock: a sync failed, and none has succeeded since */
    unsigned long failures; /* guarded by lock: syncs that failed so far */
};

struct store_round {
    int fd;                 /* of the folder, opened before any of the round's names was made */
    unsigned long failures; /* when the round began */
};

/* Returns 0, or -1 with errno. */
int store_sync_init(struct store_sync *sync, int folder, bool is_wanted);
void store_sync_deinit(struct store_sync *sync);

/* Begins a round. Returns 0, or -1 with errno: no name may be made. */
int store_sync_begin(struct store_sync *sync, struct store_round *round);

/* Ends a round without a promise, when no name was made. Keeps errno. */
void store_sync_cancel(struct store_round *round);

/* Ends a round. Returns 0: its names last; or -1 with errno: they must be removed. */
int store_sync_end(struct store_sync *sync, struct store_round *round);

#endif
