/* The thread that looks after a store with limits: it counts what the store holds, soon after the
 * start and every hour; removes the documents that are too old, likewise; and keeps the ledger's
 * figures on the disk, once a second at most. After a portion of the objects it pauses, so that a
 * million of them do not keep the disk from others.
 */
#ifndef TARN_SERVER_STORE_STORE_JANITOR_H
#define TARN_SERVER_STORE_STORE_JANITOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct store;

struct store_janitor {
    /* Constant once it runs. */
    struct store *store;
    bool is_running;
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool stops; /* guarded by lock */

    /* The thread's own. */
    unsigned visits;             /* of objects, since the start */
    unsigned long saved_changes; /* of the ledger when its figures were last written ... */
    int64_t saved_ns;            /* ... and when that was */
};

/* Starts the thread if the store has limits. Returns 0, or -1 with errno. */
int store_janitor_start(struct store_janitor *janitor, struct store *store);

/* Ends it, if it runs; no other thread may be in the store. */
void store_janitor_stop(struct store_janitor *janitor);

#endif
