/* The parked set: items that wait for their peer, each with a deadline. One epoll instance.
 *
 * It has no thread of its own. Workers add; one of them at a time, the poller, waits and takes
 * out: what is ready, what has expired, what is to be evicted, and what a drain sends home. Since
 * only the poller takes out, and the additions and the takings-out of one item are ordered by the
 * set's lock, an item is never with two owners.
 */
#ifndef TARN_POOL_PARKED_H
#define TARN_POOL_PARKED_H

#include "pool/item.h"

#include <stddef.h>

struct parked;

/* The longest that parked_poll() waits, whatever the deadlines: a deadline that is parked while
 * the poller waits is missed by no more than this.
 */
#define PARKED_WAIT_MAX_MS 1000

/* Returns NULL with errno. */
struct parked *parked_create(void);

/* All items must have been taken out. NULL is allowed. */
void parked_destroy(struct parked *parked);

enum parked_outcome {
    PARKED_DONE,   /* the item is another's: it must not be touched any more */
    PARKED_READY,  /* it is the caller's, since it has become ready again while it ran */
    PARKED_FAILED, /* likewise, with errno: the kernel or the heap has no memory for it */
};

/* Parks an item as its members say. From the first time on, epoll knows its descriptor until that
 * is closed, which must only happen while the item is not parked. The set reports edges: who waits
 * to read must have read all that there was, to write as much as was taken.
 * Never PARKED_READY the first time. Any thread.
 */
enum parked_outcome parked_add(struct parked *parked, struct pool_item *item);

/* Takes up to `size` items out, their `event` set. At most three quarters of them (rounded up) are
 * ready ones: a flood of these must not keep the others in. With `may_wait` it waits for the first
 * item, until parked_kick() or PARKED_WAIT_MAX_MS; else it only looks. Returns their number, maybe
 * 0. One thread at a time.
 */
size_t parked_poll(struct parked *parked, bool may_wait, struct pool_item *items[], size_t size);

/* Ends the poller's wait, or its next one. Any thread; does not block. */
void parked_kick(struct parked *parked);

/* Orders the eviction of one item, by rank and deadline, and kicks the poller.
 * Returns false, nothing ordered, if each item that could be evicted has already been ordered
 * to. Any thread.
 */
bool parked_evict(struct parked *parked);

/* From now on every item that is or comes to be parked with POOL_EVICT_FIRST is taken out at
 * once, with POOL_DRAINED. Any thread.
 */
void parked_drain(struct parked *parked);

/* How many items of each rank are parked. Any thread. */
void parked_count(struct parked *parked, size_t out_counts[POOL_RANKS]);

/* Takes out any one item; NULL when there is none. For the end, when nobody adds or polls. */
struct pool_item *parked_take_any(struct parked *parked);

#endif
