/* The promise that a change of names in the store's folder lasts; group commit.
 *
 * A thread begins, changes names, and waits for a round: a sync of the folder that began after the
 * change. One thread syncs for all that wait; those who come meanwhile wait for the next round,
 * which one of them leads. So a round covers the changes that were made before its sync began, and
 * no others. A few rounds may be under way at once: otherwise a change would wait for two syncs,
 * the one that it has just missed and its own.
 *
 * When a sync fails nobody knows which names are on the disk: whoever had begun by then fails, and
 * nobody begins before the folder has been opened and synced anew. (A sync is never simply
 * repeated: the kernel tells a failure once and then takes the lost pages for clean. It does so
 * for each descriptor, thus rounds that are under way at once have descriptors of their own.)
 *
 * Any thread. The lock is not held over a system call.
 */
#ifndef TARN_SERVER_STORE_STORE_SYNC_H
#define TARN_SERVER_STORE_STORE_SYNC_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* How many rounds may be under way at once. */
#define STORE_SYNC_LANES 2

struct store_sync {
    /* Constant. */
    int folder;     /* borrowed */
    bool is_wanted; /* false: there is nothing to promise, and nothing is done */

    pthread_mutex_t lock;
    pthread_cond_t turns[STORE_SYNC_LANES + 1]; /* who waits for round n waits at n % size */
    pthread_cond_t renewed;                     /* who waits for the folder to be synced anew */

    /* Guarded by lock; the descriptor of a busy lane is its thread's. */
    struct store_lane {
        int fd; /* of the folder; opened before any name was changed that it is to sync */
        bool is_busy;
    } lanes[STORE_SYNC_LANES];
    uint64_t begun;         /* rounds so far */
    uint64_t done;          /* the last of them that has ended well, and all before it */
    bool is_suspect;        /* a sync failed, and none has succeeded since */
    bool is_renewing;       /* a thread syncs the folder anew */
    unsigned long failures; /* syncs that failed so far ... */
    int error;              /* ... and the errno of the last */
};

/* What a thread that changes names has to remember. */
struct store_round {
    unsigned long failures; /* when it began */
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
