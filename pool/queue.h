/* The bounded queue of items that are to run, and the turns of the workers that drain it.
 *
 * One mutex, condition variables `not_empty` and `not_full`, and two lanes, each a ring: one for
 * the items that come back out of the parked set, the other for new ones and those that have used
 * their share. The first has three of four turns: what has been begun shall end, before more is
 * begun than the memory is good for.
 *
 * Beside the items the mutex guards who of the workers does what, since both decide together
 * whether a worker must be woken:
 *
 * - A worker is woken only if fewer than `running_max` (the CPUs) are running: more would take
 *   turns on the same CPUs and pay for the switches.
 * - The worker that finds the queue empty polls the parked set, unless another does. So in a busy
 *   server ready items come to a worker that is awake already.
 * - One sleeping worker is the watch. While work waits, or nobody polls, it looks every 2 ms
 *   whether the running workers have come back for another item; one that has not is stalled
 *   (in the disk, most likely), does not count as running, and its place is taken.
 *
 * All functions may be called from any thread, but a worker's number only by that worker.
 */
#ifndef TARN_POOL_QUEUE_H
#define TARN_POOL_QUEUE_H

#include "pool/item.h"

#include <stddef.h>

struct queue;

struct queue_options {
    size_t capacity;       /* items; at least 1 */
    unsigned workers;      /* at least 1; numbered from 0 */
    unsigned running_max;  /* how many may run at a time before nobody is woken; at least 1 */
    unsigned blocking_max; /* how many may block in the disk at a time; at least 1 */
    int64_t glance_us;     /* a glance is also due after so long; 0: after sixteen items only */

    /* Ends the wait of the worker whose turn is QUEUE_POLL. Called with the queue's lock held:
     * must not block, nor call the queue. Required.
     */
    void (*wake_poller)(void *context);
    void *context;
};

enum queue_push_result {
    QUEUE_OK,     /* the queue owns the item now */
    QUEUE_FULL,   /* the caller still owns it */
    QUEUE_CLOSED, /* likewise */
};

/* What a worker shall do next. */
enum queue_turn {
    QUEUE_RUN,          /* run the item */
    QUEUE_RUN_BLOCKING, /* the same as after queue_block_begin() */
    QUEUE_POLL,         /* poll the parked set, waiting; then queue_polled() */
    QUEUE_GLANCE,       /* the same without waiting: the queue has kept everybody busy for long */
    QUEUE_END,          /* the queue is closed */
};

struct queue_figures {
    size_t queued;
    size_t queued_most; /* since the start */
    size_t waiting_for_disk;
    unsigned running;
    unsigned blocking;
};

/* Returns NULL with errno. */
struct queue *queue_create(const struct queue_options *options);

/* No worker may be in it any more, and no item. NULL is allowed. */
void queue_destroy(struct queue *queue);

/* Appends a new item, its event POOL_NEW. New items may fill three quarters of the queue (rounded
 * up), the rest is kept for items that are under way; these may take the place of new ones, but
 * what they leave is anybody's. Waits up to `wait_ms` milliseconds for room.
 */
enum queue_push_result queue_push(struct queue *queue, struct pool_item *item, unsigned wait_ms);

/* The same for several new items, without waiting. Returns how many of them, from the first on, the
 * queue owns now.
 */
size_t queue_push_some(struct queue *queue, struct pool_item *items[], size_t count);

/* Appends an item that is under way, its event POOL_CONTINUED: to the new ones, since it has used
 * its share, or `ahead`, to those that come back. It may fill the whole queue; never waits. Wakes
 * nobody: it is for a worker, which must come for its next turn at once.
 */
enum queue_push_result queue_return(struct queue *queue, struct pool_item *item, bool ahead);

/* The next turn of a worker. Sleeps until there is one. For the two kinds of QUEUE_RUN *out_item
 * is the worker's from then on.
 */
enum queue_turn queue_next(struct queue *queue, unsigned worker, struct pool_item **out_item);

/* Ends a worker's turn of polling and appends what it has found, in order. Returns how many of
 * the items fit; the others are still the worker's, to be run at once. Works to the end, also when
 * the queue is closed.
 */
size_t queue_polled(struct queue *queue, unsigned worker, struct pool_item *items[], size_t count);

/* A worker that runs `item` is about to block in the disk: it does not count as running until
 * queue_block_end(), and another is woken if there is something to do.
 * Returns false if `blocking_max` workers do so already. Then the item belongs to the queue, and
 * comes back by QUEUE_RUN_BLOCKING when it is its turn. To begin twice counts once; to end what
 * has not begun, or has ended, does nothing.
 */
bool queue_block_begin(struct queue *queue, unsigned worker, struct pool_item *item);
void queue_block_end(struct queue *queue, unsigned worker);

/* Nothing can be pushed any more and every turn is QUEUE_END, though items may be left. */
void queue_close(struct queue *queue);

/* Takes out an item after the end: NULL when none is left. */
struct pool_item *queue_take_rest(struct queue *queue);

/* Whether no item waits for a worker. */
bool queue_is_empty(struct queue *queue);

void queue_figures(struct queue *queue, struct queue_figures *out_figures);

#endif
