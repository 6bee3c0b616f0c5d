/* A bounded pool of worker threads over items that mostly wait.
 *
 *             push                 next turn               park (epoll, with deadline)
 *   pusher ---------> queue -----------------> worker ------------------------.
 *                       ^                        |  runs the item until it    |
 *                       |                        |  would have to wait        v
 *                       '---- ready, expired <--------------------------- parked set
 *
 * A worker never waits for a peer: an item that would have to is parked, and the worker takes the
 * next. So the number of workers limits the work under way, not the items. pool/queue.h says how
 * the workers share their turns, pool/parked.h how parked items come back.
 */
#ifndef TARN_POOL_POOL_H
#define TARN_POOL_POOL_H

#include "pool/item.h"
#include "pool/queue.h"

struct pool;

#define POOL_WORKERS_MAX 1024

struct pool_options {
    unsigned workers;      /* 1 ... POOL_WORKERS_MAX */
    size_t queue_capacity; /* items; at least 4 */

    /* Runs an item, as far as it gets without waiting, on the thread of worker number `worker`.
     * Must only block in the disk, and then after pool_blocking_begin() or on POOL_MAY_BLOCK.
     */
    enum pool_next (*run)(struct pool_item *item, enum pool_event event, unsigned worker,
                          void *context);

    /* Disposes of an item that is left when the pool ends; no worker runs any more. */
    void (*discard)(struct pool_item *item, void *context);
    void *context; /* for both; must outlive the pool */
};

struct pool_figures {
    struct queue_figures queue;
    size_t parked[POOL_RANKS];
};

/* Makes a pool whose workers do not run yet: items can be pushed. Returns NULL with errno. */
struct pool *pool_create(const struct pool_options *options);

/* Starts the workers. Returns 0, or -1 with errno; then no worker runs. */
int pool_start(struct pool *pool);

/* Hands a new item over; it runs with POOL_NEW. Waits up to `wait_ms` for room in the queue. */
enum queue_push_result pool_push(struct pool *pool, struct pool_item *item, unsigned wait_ms);

/* The same for several, without waiting. Returns how many of them, from the first on, have been
 * handed over.
 */
size_t pool_push_some(struct pool *pool, struct pool_item *items[], size_t count);

/* Whether items wait for a worker. */
bool pool_is_busy(struct pool *pool);

/* Parks an item that has not been pushed, as its members say. Returns 0, or -1 with errno, the
 * item still being the caller's.
 */
int pool_park(struct pool *pool, struct pool_item *item);

/* Orders one parked item to make room (POOL_EVICTED). Returns false if there is none. */
bool pool_evict(struct pool *pool);

/* Takes home what is parked with POOL_EVICT_FIRST, now and from now on (POOL_DRAINED). */
void pool_drain(struct pool *pool);

/* The worker that runs is about to block in the disk, or has done so. pool_blocking_begin()
 * returns false if as many workers as may do so already (workers - 2, at least one): then the
 * item belongs to the pool, run() must return POOL_GONE, and the item runs again with
 * POOL_MAY_BLOCK. Instead of calling them, run() may answer POOL_BLOCK. With POOL_MAY_BLOCK it
 * has begun already, and ends at the latest when run() returns. To begin twice counts once.
 */
bool pool_blocking_begin(struct pool *pool, struct pool_item *item, unsigned worker);
void pool_blocking_end(struct pool *pool, unsigned worker);

void pool_figures(struct pool *pool, struct pool_figures *out_figures);

/* Ends the workers when each has finished the item it runs, and waits for them. Nobody may push
 * any more. NULL is allowed, also a pool that was not started.
 */
void pool_stop(struct pool *pool);

/* Discards the items that are left, and frees. pool_stop() must have been called. NULL is
 * allowed.
 */
void pool_destroy(struct pool *pool);

#endif
