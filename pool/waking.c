#include "pool/waking.h"

#include "pool/sync.h"

#include <assert.h>

#define WATCH_INTERVAL_NS 2000000

static void begin_to_run(struct seat *seat)
{
    seat->running = true;
    seat->moves++; /* else the watch, having seen it wait all the time, would find it stalled */
}

void waking_stand_up_locked(struct queue *queue, struct seat *seat)
{
    assert(!seat->running);
    begin_to_run(seat);
    queue->running++;
}

void waking_sit_down_locked(struct queue *queue, struct seat *seat)
{
    if (seat->running)
        queue->running--;
    seat->running = false;
}

void waking_alert_watch_locked(struct queue *queue)
{
    if (queue->watch_idle) {
        queue->watch_idle = false;
        sync_signal(&queue->watch);
    }
}

void waking_wake_one_locked(struct queue *queue)
{
    bool may_run = queue->running < queue->options.running_max;
    if (may_run && queue->sleeping > queue->permits) {
        queue->permits++;
        queue->running++;
        sync_signal(&queue->not_empty);
    } else if (may_run && queue->watching && !queue->watch_permit) {
        queue->watch_permit = true;
        queue->running++;
        sync_signal(&queue->watch);
    } else if (queue->watching && !queue->watch_permit) {
        waking_alert_watch_locked(queue);
    } else if (queue->sleeping == queue->permits && queue->poller_waits) {
        queue->poller_waits = false;
        queue->options.wake_poller(queue->options.context);
    }
}

/* A running worker that has not moved since the last look is stalled. */
static void find_stalled_locked(struct queue *queue)
{
    for (unsigned i = 0; i < queue->options.workers; i++) {
        struct seat *seat = &queue->seats[i];
        if (seat->running && seat->moves == seat->moves_at_watch)
            waking_sit_down_locked(queue, seat);
        seat->moves_at_watch = seat->moves;
    }
}

/* Looks whether the running workers have moved. The watch itself joins in if they are too few. */
static void look_locked(struct queue *queue)
{
    find_stalled_locked(queue);
    if (!queue->watch_permit && queue_needs_watch_locked(queue) &&
        queue->running < queue->options.running_max) {
        queue->watch_permit = true;
        queue->running++;
    }
}

/* Keeps watch until this worker is to run, or the queue is closed. */
static void watch_locked(struct queue *queue, struct seat *seat)
{
    /* It waits without a clock only after a look: so it is woken no more often than it looks, even
     * if there is something to watch thousands of times a second, for some microseconds. Otherwise
     * 3 clients with 7,000 requests a second cost 15 % more CPU time.
     */
    bool has_looked = true;
    queue->watching = true;
    while (!queue->closed && !queue->watch_permit) {
        if (has_looked && !queue_needs_watch_locked(queue)) {
            queue->watch_idle = true;
            sync_wait(&queue->watch, &queue->lock);
            queue->watch_idle = false;
            has_looked = false;
            continue;
        }
        has_looked =
            !sync_wait_until(&queue->watch, &queue->lock, sync_now_ns() + WATCH_INTERVAL_NS);
        if (has_looked)
            look_locked(queue);
    }
    if (queue->watch_permit)
        begin_to_run(seat);
    queue->watch_permit = false;
    queue->watching = false;
    if (queue->sleeping > queue->permits)
        sync_signal(&queue->not_empty); /* one of them keeps watch now */
}

void waking_sleep_locked(struct queue *queue, struct seat *seat)
{
    queue->sleeping++;
    while (!queue->closed && queue->permits == 0 && queue->watching)
        sync_wait(&queue->not_empty, &queue->lock);
    queue->sleeping--;
    if (queue->permits > 0) {
        queue->permits--;
        begin_to_run(seat);
        if (!queue->watching && queue->sleeping > queue->permits)
            sync_signal(&queue->not_empty); /* the call to keep watch may have come to this one */
    } else if (!queue->closed) {
        watch_locked(queue, seat);
    }
}
