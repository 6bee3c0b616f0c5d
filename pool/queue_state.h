/* What the queue's lock guards; private to pool/queue.c and pool/waking.c. */
#ifndef TARN_POOL_QUEUE_STATE_H
#define TARN_POOL_QUEUE_STATE_H

#include "pool/queue.h"

#include <pthread.h>

/* What is known of one worker. */
struct seat {
    bool running;   /* counted in queue->running; one that blocks or is found stalled is not */
    bool blocking;  /* counted in queue->blocking */
    uint64_t moves; /* how often it has come for a turn, or has begun to run */
    uint64_t moves_at_watch;
};

/* Items in the order of their arrival. */
struct lane {
    struct pool_item **ring; /* as large as the queue's capacity; constant */
    size_t first;
    size_t count;
};

struct queue {
    /* Constant after create. */
    struct queue_options options;
    size_t capacity_for_new;

    pthread_mutex_t lock;
    pthread_cond_t not_empty; /* sleepers: a permit, or the watch is vacant */
    pthread_cond_t not_full;  /* pushers */
    pthread_cond_t watch;     /* the one that keeps watch */

    /* Guarded by lock. Invariants:
     * running = seats that are running + permits + (watch_permit ? 1 : 0);
     * permits <= sleeping;
     * if nobody keeps watch, a sleeper without a permit has been signalled to do so.
     */
    struct lane ready;                /* items that come back, out of the parked set */
    struct lane arrivals;             /* new ones, and those that have used their share */
    size_t new_count;                 /* of these */
    size_t count_most;                /* of both lanes together */
    unsigned turns_ahead;             /* that `ready` has had while somebody waited there */
    struct pool_item *deferred_first; /* those that wait for the disk */
    struct pool_item *deferred_last;
    size_t deferred_count;
    struct seat *seats;
    unsigned running;
    unsigned blocking;
    unsigned sleeping; /* wait on not_empty */
    unsigned permits;  /* sleepers that have been told to run and are not awake yet */
    unsigned pushers;  /* wait on not_full */
    unsigned items_since_poll;
    int64_t polled_us; /* when somebody has polled last; 0 if options.glance_us is */
    bool polling;      /* somebody has the turn of polling */
    bool poller_waits; /* ... and waits in it, and has not been woken */
    bool watching;     /* somebody keeps watch */
    bool watch_idle;   /* ... without a clock, since there is nothing to watch */
    bool watch_permit; /* ... and has been told to run instead */
    bool closed;
};

/* How many items wait in the two lanes. */
static inline size_t queue_count_locked(const struct queue *queue)
{
    return queue->ready.count + queue->arrivals.count;
}

/* Whether an item waits that could run now. */
static inline bool queue_has_work_locked(const struct queue *queue)
{
    return queue_count_locked(queue) > 0 ||
           (queue->deferred_first && queue->blocking < queue->options.blocking_max);
}

/* Whether somebody must see to it that the running workers move. */
static inline bool queue_needs_watch_locked(const struct queue *queue)
{
    return queue_has_work_locked(queue) || !queue->polling;
}

#endif
