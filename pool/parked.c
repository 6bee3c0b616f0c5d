#include "pool/parked.h"

#include "pool/clock.h"
#include "pool/deadline_heap.h"
#include "pool/sync.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_PER_WAIT 128

struct parked {
    /* Constant after create. */
    int epoll_fd;
    int kick_fd;

    /* Guarded by lock. Invariant: an item is in the heap of its rank if and only if it is parked;
     * and it is armed when the lock is free. So the lock is held over epoll_ctl, which does not
     * wait for anything but epoll's own short lock; without that an item whose deadline has
     * already passed could be taken out before it is armed, and be armed while it runs.
     */
    pthread_mutex_t lock;
    struct deadline_heap heaps[POOL_RANKS];
    size_t evictions; /* ordered and not yet done */
    bool draining;
};

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
    struct epoll_event kick = {.events = EPOLLIN, .data.ptr = NULL};
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
    sync_destroy(&parked->lock);
    (void)close(parked->kick_fd); /* neither holds data that could be lost */
    (void)close(parked->epoll_fd);
    free(parked);
}

static int arm(struct parked *parked, struct pool_item *item)
{
    struct epoll_event event = {
        .events = (item->interest == POOL_READABLE ? EPOLLIN : EPOLLOUT) | EPOLLONESHOT,
        .data.ptr = item,
    };
    int operation = item->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    item->registered = true;
    return epoll_ctl(parked->epoll_fd, operation, item->fd, &event);
}

int parked_add(struct parked *parked, struct pool_item *item)
{
    struct deadline_heap *heap = &parked->heaps[item->rank];
    bool leaves_at_once = false;
    sync_lock(&parked->lock);
    int result = deadline_heap_add(heap, item);
    if (result == 0 && arm(parked, item) != 0) {
        result = -1;
        item->registered = false;
        deadline_heap_remove(heap, item);
    } else {
        leaves_at_once = parked->draining && heap == &parked->heaps[POOL_EVICT_FIRST];
    }
    sync_unlock(&parked->lock);
    if (leaves_at_once)
        parked_kick(parked);
    return result;
}

/* Takes out an item that has not become ready: epoll must forget it, or it would be reported to
 * the poller while another thread runs or frees it.
 */
static struct pool_item *withdraw_locked(struct parked *parked, struct pool_item *item,
                                         enum pool_event event)
{
    deadline_heap_remove(&parked->heaps[item->rank], item);
    /* It can only fail for a descriptor that is not in the set, and then there is nothing to do. */
    (void)epoll_ctl(parked->epoll_fd, EPOLL_CTL_DEL, item->fd, NULL);
    item->registered = false;
    item->event = event;
    return item;
}

static size_t take_ready_locked(struct parked *parked, const struct epoll_event *events,
                                size_t event_count, struct pool_item *items[])
{
    size_t count = 0;
    for (size_t i = 0; i < event_count; i++) {
        struct pool_item *item = events[i].data.ptr;
        if (!item) {
            uint64_t kicks;
            /* Another value than the count of kicks, or EAGAIN, tells nothing of interest. */
            (void)!read(parked->kick_fd, &kicks, sizeof(kicks));
            continue;
        }
        deadline_heap_remove(&parked->heaps[item->rank], item);
        item->event = POOL_READY;
        items[count++] = item;
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
            items[count++] = withdraw_locked(parked, first, POOL_EXPIRED);
            first = deadline_heap_first(&parked->heaps[rank]);
        }
    }
    return count;
}

static struct pool_item *evictable_locked(struct parked *parked)
{
    struct pool_item *item = deadline_heap_first(&parked->heaps[POOL_EVICT_FIRST]);
    return item ? item : deadline_heap_first(&parked->heaps[POOL_EVICT_SECOND]);
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
        items[count++] = withdraw_locked(parked, item, POOL_EVICTED);
    }
    return count;
}

static size_t take_drained_locked(struct parked *parked, struct pool_item *items[], size_t size)
{
    size_t count = 0;
    struct pool_item *item;
    while (parked->draining && count < size &&
           (item = deadline_heap_first(&parked->heaps[POOL_EVICT_FIRST])))
        items[count++] = withdraw_locked(parked, item, POOL_DRAINED);
    return count;
}

/* How long the poller may wait, in milliseconds. */
static int wait_ms(struct parked *parked)
{
    int64_t now_ms = clock_now_ms();
    int64_t until_ms = now_ms + PARKED_WAIT_MAX_MS;
    sync_lock(&parked->lock);
    bool more_to_take = (parked->evictions > 0 && evictable_locked(parked)) ||
                        (parked->draining && parked->heaps[POOL_EVICT_FIRST].count > 0);
    if (more_to_take)
        until_ms = now_ms;
    for (int rank = 0; rank < POOL_RANKS; rank++) {
        const struct deadline_heap *heap = &parked->heaps[rank];
        if (heap->count && heap->entries[0].deadline_ms < until_ms)
            until_ms = heap->entries[0].deadline_ms;
    }
    sync_unlock(&parked->lock);
    return until_ms > now_ms ? (int)(until_ms - now_ms) : 0;
}

size_t parked_poll(struct parked *parked, bool may_wait, struct pool_item *items[], size_t size)
{
    struct epoll_event events[EVENTS_PER_WAIT];
    size_t for_ready = size - size / 4;
    int most = for_ready < EVENTS_PER_WAIT ? (int)for_ready : EVENTS_PER_WAIT;
    int ready = epoll_wait(parked->epoll_fd, events, most, may_wait ? wait_ms(parked) : 0);
    if (ready < 0)
        ready = 0; /* EINTR: as if nothing had come; the next poll sees it */

    int64_t now_us = clock_now_us();
    sync_lock(&parked->lock);
    size_t count = take_ready_locked(parked, events, (size_t)ready, items);
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
    if (ordered)
        parked->evictions++;
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
            item = withdraw_locked(parked, item, POOL_DRAINED);
    }
    sync_unlock(&parked->lock);
    return item;
}
