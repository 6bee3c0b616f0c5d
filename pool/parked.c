#include "pool/parked.h"

#include "pool/clock.h"
#include "pool/deadline_heap.h"
#include "pool/sync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_PER_WAIT 128

/* A descriptor of an item, whether that is parked or not. */
struct slot {
    struct pool_item *item; /* parked; NULL: its owner is somebody else, or there is none */
    uint64_t parked_at;     /* number of polls that had begun by then */
    uint32_t generation;    /* tells the items that have had the descriptor from one another */
    uint8_t looks; /* that its item still has to take, for edges that it may not have seen */
    bool has_end;  /* there is one, behind what is still to be read */
};

/* Epoll keeps a descriptor, edge-triggered, and is told of it again only when an item waits for
 * something else than before: to arm it for each wait costs a system call, 5 % of what a small
 * request costs. So an event may come while the item is not parked, or exists no longer. Hence it
 * does not name the item, but its slot, where it is noted: no edge is lost, and none reaches a
 * later item with the same descriptor.
 */
struct parked {
    /* Constant after create. */
    int epoll_fd;
    int kick_fd;

    /* Guarded by lock. Invariant: an item is in the heap of its rank, and in its slot, if and only
     * if it is parked.
     */
    pthread_mutex_t lock;
    struct deadline_heap heaps[POOL_RANKS];
    struct slot *slots; /* by descriptor */
    size_t slot_count;
    uint64_t polls;                   /* that have begun */
    size_t evictions;                 /* ordered and not yet done */
    uint64_t evict_until[POOL_RANKS]; /* whoever came later is not meant by the last order */
    bool draining;
};

#define FIRST_SLOTS 256

/* The peer's end, or an error, which may lie behind bytes: a short read does not show it, and its
 * edge may be over by then. So from now on an item does not wait to read: its next try finds the
 * end.
 */
#define ENDS (EPOLLRDHUP | EPOLLHUP | EPOLLERR)

/* No descriptor has this number. */
#define KICK UINT64_MAX

struct parked *parked_create(void)
{
    struct parked *parked = calloc(1, sizeof(*parked));
    if (!parked)
        return NULL;
    parked->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (parked->epoll_fd < 0)
        goto fail_epoll;
    parked->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (parked->kick_fd < 0)
        goto fail_kick;
    struct epoll_event kick = {.events = EPOLLIN, .data.u64 = KICK};
    if (epoll_ctl(parked->epoll_fd, EPOLL_CTL_ADD, parked->kick_fd, &kick) != 0)
        goto fail_lock;
    errno = pthread_mutex_init(&parked->lock, NULL);
    if (errno != 0)
        goto fail_lock;
    return parked;

fail_lock:
    (void)close(parked->kick_fd); /* nothing was written through it */
fail_kick:
    (void)close(parked->epoll_fd);
fail_epoll:
    free(parked);
    return NULL;
}

void parked_destroy(struct parked *parked)
{
    if (!parked)
        return;
    for (int rank = 0; rank < POOL_RANKS; rank++)
        deadline_heap_deinit(&parked->heaps[rank]);
    free(parked->slots);
    sync_destroy(&parked->lock);
    (void)close(parked->kick_fd); /* neither holds data that could be lost */
    (void)close(parked->epoll_fd);
    free(parked);
}

/* --- descriptors --------------------------------------------------------------------------- */

/* Returns 0, or -1 with errno. */
static int make_slot_locked(struct parked *parked, int fd)
{
    if (fd < 0) {
        errno = EBADF;
        return -1;
    }
    size_t count = parked->slot_count ? parked->slot_count : FIRST_SLOTS;
    while (count <= (size_t)fd)
        count *= 2;
    if (count == parked->slot_count)
        return 0;
    struct slot *slots = reallocarray(parked->slots, count, sizeof(struct slot));
    if (!slots)
        return -1;
    memset(slots + parked->slot_count, 0, (count - parked->slot_count) * sizeof(struct slot));
    parked->slots = slots;
    parked->slot_count = count;
    return 0;
}

/* Has epoll watch the descriptor for what the item waits for; what there is now is an edge to it.
 * Returns 0, or -1 with errno.
 */
static int watch_locked(struct parked *parked, struct pool_item *item)
{
    if (make_slot_locked(parked, item->fd) != 0)
        return -1;
    struct slot *slot = &parked->slots[item->fd];
    slot->looks = 0;
    slot->has_end = false;
    slot->generation += !item->registered;
    struct epoll_event event = {
        .events = (item->interest == POOL_READABLE ? EPOLLIN : EPOLLOUT) | EPOLLRDHUP | EPOLLPRI |
                  EPOLLET,
        .data.u64 = (uint64_t)slot->generation << 32 | (uint32_t)item->fd,
    };
    int operation = item->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    item->registered = epoll_ctl(parked->epoll_fd, operation, item->fd, &event) == 0;
    item->watched = item->interest;
    return item->registered ? 0 : -1;
}

/* The slot that an event is about; NULL if its item is gone. */
static struct slot *slot_of_locked(struct parked *parked, uint64_t name)
{
    struct slot *slot = &parked->slots[(uint32_t)name];
    return slot->generation == name >> 32 ? slot : NULL;
}

/* --- in and out ---------------------------------------------------------------------------- */

static enum parked_outcome add_locked(struct parked *parked, struct pool_item *item)
{
    bool is_watched = item->registered && item->watched == item->interest;
    if (!is_watched && watch_locked(parked, item) != 0)
        return PARKED_FAILED;
    struct slot *slot = &parked->slots[item->fd];
    if (slot->looks > 0) {
        slot->looks--;
        return PARKED_READY;
    }
    if (slot->has_end && item->interest == POOL_READABLE)
        return PARKED_READY;
    if (deadline_heap_add(&parked->heaps[item->rank], item) != 0)
        return PARKED_FAILED;
    slot->item = item;
    slot->parked_at = parked->polls;
    return PARKED_DONE;
}

enum parked_outcome parked_add(struct parked *parked, struct pool_item *item)
{
    bool may_leave_at_once = item->rank == POOL_EVICT_FIRST;
    sync_lock(&parked->lock);
    enum parked_outcome outcome = add_locked(parked, item);
    bool kick = outcome == PARKED_DONE && may_leave_at_once && parked->draining;
    sync_unlock(&parked->lock);
    if (kick)
        parked_kick(parked);
    return outcome;
}

static struct pool_item *take_locked(struct parked *parked, struct pool_item *item,
                                     enum pool_event event)
{
    deadline_heap_remove(&parked->heaps[item->rank], item);
    parked->slots[item->fd].item = NULL;
    item->event = event;
    return item;
}

/* Takes a ready item out. If it was parked only after this poll had begun, the event may have been
 * reported before, for what the item has read since.
 */
static struct pool_item *take_ready_one_locked(struct parked *parked, struct slot *slot,
                                               int64_t now_us)
{
    slot->item->came_us = slot->parked_at < parked->polls ? now_us : INT64_MAX;
    return take_locked(parked, slot->item, POOL_READY);
}

/* Notes what the item will not see by itself. A read ends before urgent data, and after it. */
static void note_locked(struct slot *slot, uint32_t events)
{
    uint8_t looks = (uint8_t)((slot->item ? 0 : 1) + (events & EPOLLPRI ? 1 : 0));
    if (slot->looks < looks)
        slot->looks = looks;
    slot->has_end |= (events & ENDS) != 0;
}

static void take_kicks(struct parked *parked)
{
    uint64_t kicks;
    /* Another value than the count of kicks, or EAGAIN, tells nothing of interest. */
    (void)!read(parked->kick_fd, &kicks, sizeof(kicks));
}

static size_t take_ready_locked(struct parked *parked, const struct epoll_event *events,
                                size_t event_count, int64_t now_us, struct pool_item *items[])
{
    size_t count = 0;
    for (size_t i = 0; i < event_count; i++) {
        if (events[i].data.u64 == KICK) {
            take_kicks(parked);
            continue;
        }
        struct slot *slot = slot_of_locked(parked, events[i].data.u64);
        if (!slot)
            continue;
        note_locked(slot, events[i].events);
        if (slot->item)
            items[count++] = take_ready_one_locked(parked, slot, now_us);
    }
    return count;
}

static size_t take_expired_locked(struct parked *parked, int64_t now_ms, struct pool_item *items[],
                                  size_t size)
{
    size_t count = 0;
    for (int rank = 0; rank < POOL_RANKS; rank++) {
        struct pool_item *first = deadline_heap_first(&parked->heaps[rank]);
        while (count < size && first && first->deadline_ms <= now_ms) {
            items[count++] = take_locked(parked, first, POOL_EXPIRED);
            first = deadline_heap_first(&parked->heaps[rank]);
        }
    }
    return count;
}

static struct pool_item *evictable_locked(struct parked *parked)
{
    for (int rank = POOL_EVICT_FIRST; rank <= POOL_EVICT_SECOND; rank++) {
        const struct deadline_heap *heap = &parked->heaps[rank];
        if (heap->count > 0 && heap->entries[0].arrival < parked->evict_until[rank])
            return heap->entries[0].item;
    }
    return NULL;
}

static size_t take_evicted_locked(struct parked *parked, struct pool_item *items[], size_t size)
{
    size_t count = 0;
    while (count < size && parked->evictions > 0) {
        struct pool_item *item = evictable_locked(parked);
        if (!item) {
            parked->evictions = 0;
            break;
        }
        parked->evictions--;
        items[count++] = take_locked(parked, item, POOL_EVICTED);
    }
    return count;
}

static size_t take_drained_locked(struct parked *parked, struct pool_item *items[], size_t size)
{
    size_t count = 0;
    struct pool_item *item;
    while (parked->draining && count < size &&
           (item = deadline_heap_first(&parked->heaps[POOL_EVICT_FIRST])))
        items[count++] = take_locked(parked, item, POOL_DRAINED);
    return count;
}

/* How long the poller may wait, in milliseconds. */
static int wait_ms_locked(struct parked *parked)
{
    int64_t now_ms = clock_now_ms();
    int64_t until_ms = now_ms + PARKED_WAIT_MAX_MS;
    bool more_to_take = (parked->evictions > 0 && evictable_locked(parked)) ||
                        (parked->draining && parked->heaps[POOL_EVICT_FIRST].count > 0);
    if (more_to_take)
        until_ms = now_ms;
    for (int rank = 0; rank < POOL_RANKS; rank++) {
        const struct deadline_heap *heap = &parked->heaps[rank];
        if (heap->count && heap->entries[0].deadline_ms < until_ms)
            until_ms = heap->entries[0].deadline_ms;
    }
    return until_ms > now_ms ? (int)(until_ms - now_ms) : 0;
}

size_t parked_poll(struct parked *parked, bool may_wait, struct pool_item *items[], size_t size)
{
    struct epoll_event events[EVENTS_PER_WAIT];
    size_t for_ready = size - size / 4;
    int most = for_ready < EVENTS_PER_WAIT ? (int)for_ready : EVENTS_PER_WAIT;
    sync_lock(&parked->lock);
    parked->polls++;
    int timeout_ms = may_wait ? wait_ms_locked(parked) : 0;
    sync_unlock(&parked->lock);
    int ready = epoll_wait(parked->epoll_fd, events, most, timeout_ms);
    if (ready < 0)
        ready = 0; /* EINTR: as if nothing had come; the next poll sees it */

    int64_t now_us = clock_now_us();
    sync_lock(&parked->lock);
    size_t count = take_ready_locked(parked, events, (size_t)ready, now_us, items);
    count += take_expired_locked(parked, now_us / 1000, items + count, size - count);
    count += take_evicted_locked(parked, items + count, size - count);
    count += take_drained_locked(parked, items + count, size - count);
    sync_unlock(&parked->lock);
    for (size_t i = 0; i < count; i++)
        items[i]->ready_us = now_us;
    return count;
}

void parked_kick(struct parked *parked)
{
    uint64_t one = 1;
    /* EAGAIN means that the counter is full: the poller is being kicked already. */
    (void)!write(parked->kick_fd, &one, sizeof(one));
}

bool parked_evict(struct parked *parked)
{
    sync_lock(&parked->lock);
    size_t evictable =
        parked->heaps[POOL_EVICT_FIRST].count + parked->heaps[POOL_EVICT_SECOND].count;
    bool ordered = evictable > parked->evictions;
    if (ordered) {
        parked->evictions++;
        for (int rank = 0; rank < POOL_RANKS; rank++)
            parked->evict_until[rank] = parked->heaps[rank].arrivals;
    }
    sync_unlock(&parked->lock);
    if (ordered)
        parked_kick(parked);
    return ordered;
}

void parked_drain(struct parked *parked)
{
    sync_lock(&parked->lock);
    parked->draining = true;
    sync_unlock(&parked->lock);
    parked_kick(parked);
}

void parked_count(struct parked *parked, size_t out_counts[POOL_RANKS])
{
    sync_lock(&parked->lock);
    for (int rank = 0; rank < POOL_RANKS; rank++)
        out_counts[rank] = parked->heaps[rank].count;
    sync_unlock(&parked->lock);
}

struct pool_item *parked_take_any(struct parked *parked)
{
    struct pool_item *item = NULL;
    sync_lock(&parked->lock);
    for (int rank = 0; rank < POOL_RANKS && !item; rank++) {
        item = deadline_heap_first(&parked->heaps[rank]);
        if (item)
            item = take_locked(parked, item, POOL_DRAINED);
    }
    sync_unlock(&parked->lock);
    return item;
}
