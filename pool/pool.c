#include "pool/pool.h"

#include "pool/parked.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

/* What a worker has taken out of the parked set and finds no room for, it must run itself, one
 * after the other, while no other worker can help. So it takes fewer at a glance, when the queue is
 * not empty, and never more than the queue holds.
 */
#define POLL_BATCH   128
#define GLANCE_BATCH 64

/* The parked ones are kept out by the queue for about so long, and the item under way. */
#define GLANCE_US 1000

struct worker {
    struct pool *pool;
    unsigned number;
    pthread_t thread;
};

/* Constant after start; queue and parked set guard themselves. */
struct pool {
    struct pool_options options;
    struct queue *queue;
    struct parked *parked;
    struct worker *workers;
    unsigned started; /* threads that run; the starter's own */
};

static unsigned cpu_count(void)
{
    cpu_set_t cpus;
    if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0)
        return 2; /* more than 1024 CPUs, say: any number serves, this one does not stand still */
    return (unsigned)CPU_COUNT(&cpus);
}

static void wake_poller(void *context)
{
    parked_kick(context);
}

struct pool *pool_create(const struct pool_options *options)
{
    assert(options->workers >= 1 && options->workers <= POOL_WORKERS_MAX);
    assert(options->queue_capacity >= 4);
    struct pool *pool = calloc(1, sizeof(*pool));
    if (!pool)
        return NULL;
    pool->options = *options;
    pool->workers = calloc(options->workers, sizeof(struct worker));
    if (!pool->workers)
        goto fail_workers;
    pool->parked = parked_create();
    if (!pool->parked)
        goto fail_parked;
    pool->queue = queue_create(&(struct queue_options){
        .capacity = options->queue_capacity,
        .workers = options->workers,
        .running_max = cpu_count(),
        .blocking_max = options->workers > 3 ? options->workers - 2 : 1,
        .glance_us = GLANCE_US,
        .wake_poller = wake_poller,
        .context = pool->parked,
    });
    if (!pool->queue)
        goto fail_queue;
    return pool;

fail_queue:
    parked_destroy(pool->parked);
fail_parked:
    free(pool->workers);
fail_workers:
    free(pool);
    return NULL;
}

/* Sends an item to the back of the queue. Returns whether it is there; else *out_event is why it
 * has to run again.
 */
static bool return_item(struct pool *pool, struct pool_item *item, bool ahead,
                        enum pool_event *out_event)
{
    switch (queue_return(pool->queue, item, ahead)) {
    case QUEUE_OK:
        return true;
    case QUEUE_FULL:
        *out_event = POOL_CONTINUED; /* no room to wait in: another share at once */
        break;
    case QUEUE_CLOSED:
        *out_event = POOL_EVICTED;
        break;
    }
    return false;
}

/* Runs an item until it is gone, waits, or has used its share. */
static void run_item(struct worker *worker, struct pool_item *item, enum pool_event event,
                     bool may_block)
{
    struct pool *pool = worker->pool;
    for (;;) {
        bool is_ready = false; /* again, before it could be parked */
        enum pool_next next = pool->options.run(item, event, worker->number, pool->options.context);
        if (may_block)
            queue_block_end(pool->queue, worker->number);
        may_block = false;
        if (next == POOL_PARK) {
            switch (parked_add(pool->parked, item)) {
            case PARKED_DONE:
                return;
            case PARKED_READY:
                is_ready = true;
                next = POOL_AGAIN;
                break;
            case PARKED_FAILED:
                event = POOL_UNPARKABLE;
                continue;
            }
        }
        switch (next) {
        case POOL_GONE:
        case POOL_PARK: /* has been answered */
            return;
        case POOL_AGAIN:
            if (return_item(pool, item, is_ready, &event))
                return;
            break;
        case POOL_BLOCK:
            if (!queue_block_begin(pool->queue, worker->number, item))
                return;
            event = POOL_MAY_BLOCK;
            may_block = true;
            break;
        }
    }
}

static void poll_parked(struct worker *worker, bool may_wait)
{
    struct pool *pool = worker->pool;
    struct pool_item *items[POLL_BATCH];
    size_t size = may_wait ? POLL_BATCH : GLANCE_BATCH;
    if (size > pool->options.queue_capacity)
        size = pool->options.queue_capacity;
    size_t count = parked_poll(pool->parked, may_wait, items, size);
    size_t queued = queue_polled(pool->queue, worker->number, items, count);
    for (size_t i = queued; i < count; i++)
        run_item(worker, items[i], items[i]->event, false);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct pool_item *item;
    for (;;) {
        switch (queue_next(worker->pool->queue, worker->number, &item)) {
        case QUEUE_RUN:
            run_item(worker, item, item->event, false);
            break;
        case QUEUE_RUN_BLOCKING:
            run_item(worker, item, POOL_MAY_BLOCK, true);
            break;
        case QUEUE_POLL:
            poll_parked(worker, true);
            break;
        case QUEUE_GLANCE:
            poll_parked(worker, false);
            break;
        case QUEUE_END:
            return NULL;
        }
    }
}

/* Signals are the main thread's: a worker that inherited an open mask would be interrupted. */
static int start_thread(struct worker *worker)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    errno = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (errno != 0)
        return -1;
    int error = pthread_create(&worker->thread, NULL, work, worker);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL); /* cannot fail: it was the mask before */
    errno = error;
    return error ? -1 : 0;
}

int pool_start(struct pool *pool)
{
    for (unsigned i = 0; i < pool->options.workers; i++) {
        pool->workers[i].pool = pool;
        pool->workers[i].number = i;
        if (start_thread(&pool->workers[i]) != 0) {
            int error = errno;
            pool_stop(pool);
            errno = error;
            return -1;
        }
        pool->started++;
    }
    return 0;
}

enum queue_push_result pool_push(struct pool *pool, struct pool_item *item, unsigned wait_ms)
{
    return queue_push(pool->queue, item, wait_ms);
}

size_t pool_push_some(struct pool *pool, struct pool_item *items[], size_t count)
{
    return queue_push_some(pool->queue, items, count);
}

bool pool_is_busy(struct pool *pool)
{
    return !queue_is_empty(pool->queue);
}

int pool_park(struct pool *pool, struct pool_item *item)
{
    return parked_add(pool->parked, item) == PARKED_DONE ? 0 : -1;
}

bool pool_evict(struct pool *pool)
{
    return parked_evict(pool->parked);
}

void pool_drain(struct pool *pool)
{
    parked_drain(pool->parked);
}

bool pool_blocking_begin(struct pool *pool, struct pool_item *item, unsigned worker)
{
    return queue_block_begin(pool->queue, worker, item);
}

void pool_blocking_end(struct pool *pool, unsigned worker)
{
    queue_block_end(pool->queue, worker);
}

void pool_figures(struct pool *pool, struct pool_figures *out_figures)
{
    queue_figures(pool->queue, &out_figures->queue);
    parked_count(pool->parked, out_figures->parked);
}

void pool_stop(struct pool *pool)
{
    if (!pool)
        return;
    queue_close(pool->queue);
    while (pool->started > 0) {
        int error = pthread_join(pool->workers[--pool->started].thread, NULL);
        assert(error == 0);
        (void)error;
    }
}

void pool_destroy(struct pool *pool)
{
    if (!pool)
        return;
    struct pool_item *item;
    while ((item = queue_take_rest(pool->queue)) || (item = parked_take_any(pool->parked)))
        pool->options.discard(item, pool->options.context);
    queue_destroy(pool->queue);
    parked_destroy(pool->parked);
    free(pool->workers);
    free(pool);
}
