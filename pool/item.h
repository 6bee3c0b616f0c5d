/* What the pool moves around: an item embeds a struct pool_item, and the pool knows no more of it.
 *
 * An item has exactly one owner at each moment: the pusher, the queue, the worker that runs it,
 * the parked set, or the list of those that wait for the disk. Only the owner touches it.
 */
#ifndef TARN_POOL_ITEM_H
#define TARN_POOL_ITEM_H

#include <stdbool.h>
#include <stdint.h>

/* What an item waits for while it is parked. What the kernel tells are edges: who waits to read
 * must have read all that there was, to write as much as was taken.
 */
enum pool_interest { POOL_READABLE, POOL_WRITABLE };

/* Who must go first when room is needed: all of the first rank, the one with the earliest
 * deadline first, then all of the second. POOL_KEEP is never evicted.
 */
enum pool_rank { POOL_EVICT_FIRST, POOL_EVICT_SECOND, POOL_KEEP };
#define POOL_RANKS 3

/* Why an item runs. */
enum pool_event {
    POOL_NEW,        /* it has just been pushed */
    POOL_READY,      /* its descriptor is ready */
    POOL_EXPIRED,    /* its deadline has passed */
    POOL_EVICTED,    /* its room is needed; or it asked for another share and the pool ends */
    POOL_DRAINED,    /* the pool drains, and it was parked with POOL_EVICT_FIRST */
    POOL_CONTINUED,  /* it had asked for another share, by POOL_AGAIN, or has become ready while it
                      * was being parked */
    POOL_MAY_BLOCK,  /* it had asked to block, by POOL_BLOCK, and now may */
    POOL_UNPARKABLE, /* it could not be parked: the kernel or the heap has no memory for it */
};

/* What shall happen to an item that has run. */
enum pool_next {
    POOL_GONE,  /* nothing: it no longer exists, or no longer belongs to the pool */
    POOL_PARK,  /* park it, as its members say */
    POOL_AGAIN, /* it has used its share: to the back of the queue */
    POOL_BLOCK, /* its next step blocks in the disk: run it again where that is allowed */
};

struct pool_item {
    /* Set by the item's owner before it answers POOL_PARK. */
    int fd;
    enum pool_interest interest;
    enum pool_rank rank;
    int64_t deadline_ms; /* absolute, CLOCK_MONOTONIC */

    /* The pool's own; zero in a new item. */
    enum pool_event event;
    int64_t came_us;  /* with POOL_READY: something had come for it by then (CLOCK_MONOTONIC);
                       * INT64_MAX: nobody knows */
    int64_t ready_us; /* since when it has waited for a worker; who runs it may reset it */
    bool registered;  /* epoll knows the descriptor, until it is closed; and then: */
    enum pool_interest watched;
    uint32_t heap_index;    /* its place in the heap of its rank, while it is parked */
    struct pool_item *next; /* while it waits for the disk */
};

#endif
