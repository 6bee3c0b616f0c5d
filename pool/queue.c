#include "pool/queue.h"

#include "pool/clock.h"
#include "pool/queue_state.h"
#include "pool/sync.h"
#include "pool/waking.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* After so many items in a row somebody looks at the parked set, even if the queue was never
 * empty: otherwise those that are already in it would starve the parked ones. Items that take long
 * are not waited for that often: options.glance_us. But not while that many have come back and
 * wait: more of them would fill the queue, and keep new ones out.
 */
#define ITEMS_PER_GLANCE 16

/* So many that come back go ahead of one that has arrived. */
#define TURNS_AHEAD_MAX 3

static int init_sync(struct queue *queue)
{
    errno = pthread_mutex_init(&queue->lock, NULL);
    if (errno != 0)
        return -1;
    if (sync_cond_init(&queue->not_empty) != 0)
        goto fail_not_empty;
    if (sync_cond_init(&queue->not_full) != 0)
        goto fail_not_full;
    if (sync_cond_init(&queue->watch) != 0)
        goto fail_watch;
    return 0;

fail_watch:
    sync_cond_destroy(&queue->not_full);
fail_not_full:
    sync_cond_destroy(&queue->not_empty);
fail_not_empty:
    sync_destroy(&queue->lock);
    return -1;
}

struct queue *queue_create(const struct queue_options *options)
{
    assert(options->capacity && options->workers && options->running_max && options->blocking_max);
    struct queue *queue = calloc(1, sizeof(*queue));
    if (!queue)
        return NULL;
    queue->options = *options;
    queue->capacity_for_new = options->capacity - options->capacity / 4;
    queue->ready.ring = calloc(options->capacity, sizeof(struct pool_item *));
    queue->arrivals.ring = calloc(options->capacity, sizeof(struct pool_item *));
    queue->seats = calloc(options->workers, sizeof(struct seat));
    if (!queue->ready.ring || !queue->arrivals.ring || !queue->seats || init_sync(queue) != 0)
        goto fail;
    return queue;

fail:
    free(queue->seats);
    free(queue->arrivals.ring);
    free(queue->ready.ring);
    free(queue);
    return NULL;
}

void queue_destroy(struct queue *queue)
{
    if (!queue)
        return;
    assert(queue_count_locked(queue) == 0 && !queue->deferred_first);
    sync_cond_destroy(&queue->watch);
    sync_cond_destroy(&queue->not_full);
    sync_cond_destroy(&queue->not_empty);
    sync_destroy(&queue->lock);
    free(queue->seats);
    free(queue->arrivals.ring);
    free(queue->ready.ring);
    free(queue);
}

/* --- items --------------------------------------------------------------------------------- */

static void append_locked(struct queue *queue, struct lane *lane, struct pool_item *item)
{
    size_t index = lane->first + lane->count;
    if (index >= queue->options.capacity)
        index -= queue->options.capacity;
    lane->ring[index] = item;
    lane->count++;
    if (queue_count_locked(queue) > queue->count_most)
        queue->count_most = queue_count_locked(queue);
}

static bool has_room_locked(const struct queue *queue)
{
    return queue_count_locked(queue) < queue->options.capacity;
}

static bool has_room_for_new_locked(const struct queue *queue)
{
    return queue->new_count < queue->capacity_for_new && has_room_locked(queue);
}

static void append_new_locked(struct queue *queue, struct pool_item *item, int64_t now_us)
{
    item->event = POOL_NEW;
    item->ready_us = now_us;
    append_locked(queue, &queue->arrivals, item);
    queue->new_count++;
    waking_wake_one_locked(queue);
}

/* Those that come back go ahead, so that they end: otherwise, under a flood, more and more would be
 * begun, each with its memory, and few ended. But now and then an arrival has its turn.
 */
static struct lane *next_lane_locked(struct queue *queue)
{
    bool somebody_waits = queue->arrivals.count > 0;
    bool is_ahead =
        queue->ready.count > 0 && !(somebody_waits && queue->turns_ahead == TURNS_AHEAD_MAX);
    queue->turns_ahead = is_ahead && somebody_waits ? queue->turns_ahead + 1 : 0;
    return is_ahead ? &queue->ready : &queue->arrivals;
}

static struct pool_item *take_queued_locked(struct queue *queue)
{
    if (queue_count_locked(queue) == 0)
        return NULL;
    struct lane *lane = next_lane_locked(queue);
    struct pool_item *item = lane->ring[lane->first];
    if (++lane->first == queue->options.capacity)
        lane->first = 0;
    lane->count--;
    queue->new_count -= lane == &queue->arrivals && item->event == POOL_NEW;
    if (queue->pushers && has_room_for_new_locked(queue))
        sync_signal(&queue->not_full);
    return item;
}

static struct pool_item *take_deferred_locked(struct queue *queue)
{
    struct pool_item *item = queue->deferred_first;
    if (!item)
        return NULL;
    queue->deferred_first = item->next;
    if (!queue->deferred_first)
        queue->deferred_last = NULL;
    item->next = NULL;
    queue->deferred_count--;
    return item;
}

enum queue_push_result queue_push(struct queue *queue, struct pool_item *item, unsigned wait_ms)
{
    enum queue_push_result result = QUEUE_OK;
    int64_t until_ns = 0;
    sync_lock(&queue->lock);
    while (!queue->closed && !has_room_for_new_locked(queue)) {
        if (until_ns == 0)
            until_ns = sync_now_ns() + (int64_t)wait_ms * 1000000;
        queue->pushers++;
        bool in_time = sync_wait_until(&queue->not_full, &queue->lock, until_ns);
        queue->pushers--;
        if (!in_time)
            break;
    }
    if (queue->closed) {
        result = QUEUE_CLOSED;
    } else if (!has_room_for_new_locked(queue)) {
        result = QUEUE_FULL;
    } else {
        append_new_locked(queue, item, clock_now_us());
    }
    sync_unlock(&queue->lock);
    return result;
}

size_t queue_push_some(struct queue *queue, struct pool_item *items[], size_t count)
{
    size_t pushed = 0;
    int64_t now_us = clock_now_us();
    sync_lock(&queue->lock);
    while (pushed < count && !queue->closed && has_room_for_new_locked(queue))
        append_new_locked(queue, items[pushed++], now_us);
    sync_unlock(&queue->lock);
    return pushed;
}

bool queue_is_empty(struct queue *queue)
{
    sync_lock(&queue->lock);
    bool empty = queue_count_locked(queue) == 0;
    sync_unlock(&queue->lock);
    return empty;
}

enum queue_push_result queue_return(struct queue *queue, struct pool_item *item, bool ahead)
{
    enum queue_push_result result = QUEUE_OK;
    sync_lock(&queue->lock);
    if (queue->closed) {
        result = QUEUE_CLOSED;
    } else if (!has_room_locked(queue)) {
        result = QUEUE_FULL;
    } else {
        item->event = POOL_CONTINUED;
        item->ready_us = clock_now_us();
        append_locked(queue, ahead ? &queue->ready : &queue->arrivals, item);
    }
    sync_unlock(&queue->lock);
    return result; /* nobody is woken: the caller comes for its next turn at once */
}

/* --- turns --------------------------------------------------------------------------------- */

/* The worker is about to block in the disk. */
static void leave_to_block_locked(struct queue *queue, struct seat *seat)
{
    seat->blocking = true;
    queue->blocking++;
    waking_sit_down_locked(queue, seat);
    if (queue_needs_watch_locked(queue))
        waking_wake_one_locked(queue);
}

/* Whether the queue has kept everybody from the parked set for long. */
static bool is_glance_due_locked(const struct queue *queue)
{
    if (queue->polling || queue->items_since_poll == 0 || queue->ready.count >= ITEMS_PER_GLANCE)
        return false;
    return queue->items_since_poll >= ITEMS_PER_GLANCE ||
           (queue->options.glance_us != 0 && queue_count_locked(queue) > 0 &&
            clock_now_us() - queue->polled_us >= queue->options.glance_us);
}

/* A turn for a worker that runs. Returns false if there is none: it does not run any more then. */
static bool choose_turn_locked(struct queue *queue, struct seat *seat, enum queue_turn *out_turn,
                               struct pool_item **out_item)
{
    if (queue->running > queue->options.running_max) {
        waking_sit_down_locked(queue, seat);
        if (queue_needs_watch_locked(queue))
            waking_alert_watch_locked(queue); /* it is left to those that run */
        return false;
    }
    if (is_glance_due_locked(queue)) {
        queue->polling = true;
        *out_turn = QUEUE_GLANCE;
        return true;
    }
    if (queue->blocking < queue->options.blocking_max &&
        (*out_item = take_deferred_locked(queue))) {
        leave_to_block_locked(queue, seat);
        *out_turn = QUEUE_RUN_BLOCKING;
        return true;
    }
    if ((*out_item = take_queued_locked(queue))) {
        queue->items_since_poll++;
        *out_turn = QUEUE_RUN;
        return true;
    }
    waking_sit_down_locked(queue, seat);
    if (queue->polling)
        return false;
    queue->polling = true;
    queue->poller_waits = true;
    *out_turn = QUEUE_POLL;
    return true;
}

enum queue_turn queue_next(struct queue *queue, unsigned worker, struct pool_item **out_item)
{
    enum queue_turn turn = QUEUE_END;
    sync_lock(&queue->lock);
    struct seat *seat = &queue->seats[worker];
    seat->moves++;
    if (!seat->running)
        waking_stand_up_locked(queue,
                               seat); /* its first turn, or the watch had taken it for stalled */
    while (!queue->closed && !choose_turn_locked(queue, seat, &turn, out_item))
        waking_sleep_locked(queue, seat);
    if (queue->closed)
        turn = QUEUE_END;
    sync_unlock(&queue->lock);
    return turn;
}

size_t queue_polled(struct queue *queue, unsigned worker, struct pool_item *items[], size_t count)
{
    size_t fit = 0;
    sync_lock(&queue->lock);
    struct seat *seat = &queue->seats[worker];
    queue->polling = false;
    queue->poller_waits = false;
    queue->items_since_poll = 0;
    if (queue->options.glance_us != 0)
        queue->polled_us = clock_now_us();
    if (!seat->running)
        waking_stand_up_locked(queue, seat);
    while (fit < count && has_room_locked(queue))
        append_locked(queue, &queue->ready, items[fit++]);
    /* This worker takes one itself, unless it has others to run that did not fit. */
    for (size_t i = fit == count; i < fit; i++)
        waking_wake_one_locked(queue);
    waking_alert_watch_locked(queue);
    sync_unlock(&queue->lock);
    return fit;
}

bool queue_block_begin(struct queue *queue, unsigned worker, struct pool_item *item)
{
    sync_lock(&queue->lock);
    struct seat *seat = &queue->seats[worker];
    bool allowed = seat->blocking || queue->blocking < queue->options.blocking_max;
    if (allowed && !seat->blocking) {
        leave_to_block_locked(queue, seat);
    } else if (!allowed) {
        item->next = NULL;
        if (queue->deferred_last)
            queue->deferred_last->next = item;
        else
            queue->deferred_first = item;
        queue->deferred_last = item;
        queue->deferred_count++;
    }
    sync_unlock(&queue->lock);
    return allowed;
}

void queue_block_end(struct queue *queue, unsigned worker)
{
    sync_lock(&queue->lock);
    struct seat *seat = &queue->seats[worker];
    if (seat->blocking) {
        seat->blocking = false;
        queue->blocking--;
        waking_stand_up_locked(queue, seat);
        if (queue->deferred_first)
            waking_alert_watch_locked(queue); /* the first of them may run now */
    }
    sync_unlock(&queue->lock);
}

void queue_close(struct queue *queue)
{
    sync_lock(&queue->lock);
    queue->closed = true;
    sync_broadcast(&queue->not_empty);
    sync_broadcast(&queue->not_full);
    sync_broadcast(&queue->watch);
    if (queue->poller_waits)
        queue->options.wake_poller(queue->options.context);
    sync_unlock(&queue->lock);
}

struct pool_item *queue_take_rest(struct queue *queue)
{
    sync_lock(&queue->lock);
    struct pool_item *item = take_queued_locked(queue);
    if (!item)
        item = take_deferred_locked(queue);
    sync_unlock(&queue->lock);
    return item;
}

void queue_figures(struct queue *queue, struct queue_figures *out_figures)
{
    sync_lock(&queue->lock);
    *out_figures = (struct queue_figures){
        .queued = queue_count_locked(queue),
        .queued_most = queue->count_most,
        .waiting_for_disk = queue->deferred_count,
        .running = queue->running,
        .blocking = queue->blocking,
    };
    sync_unlock(&queue->lock);
}
