/* For the tests of the queue: its items, workers' turns, and workers that have to wait for them. */
#ifndef TARN_TESTS_UNIT_QUEUE_FIXTURE_H
#define TARN_TESTS_UNIT_QUEUE_FIXTURE_H

#include "pool/queue.h"

#include "pool/clock.h"
#include "pool/sync.h"
#include "tests/unit/threads.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#define HANG_S    120
#define ITEMS_MAX 128
#define LONG_MS   10000 /* nothing that works takes so long */
#define LOOK_NS   2000000

static struct pool_item items[ITEMS_MAX];
static sem_t kicks; /* one for each call of wake_poller */

static inline void wake_poller(void *context)
{
    threads_check(context == &kicks && sem_post(&kicks) == 0);
}

static inline int kick_count(void)
{
    int count;
    assert_int_equal(sem_getvalue(&kicks, &count), 0);
    return count;
}

static inline struct queue *create_with(struct queue_options options)
{
    for (int i = 0; i < ITEMS_MAX; i++)
        items[i] = (struct pool_item){.fd = i};
    assert_int_equal(sem_init(&kicks, 0, 0), 0);
    options.wake_poller = wake_poller;
    options.context = &kicks;
    struct queue *queue = queue_create(&options);
    assert_non_null(queue);
    return queue;
}

static inline struct queue *create(size_t capacity, unsigned workers, unsigned running_max,
                                   unsigned blocking_max)
{
    return create_with((struct queue_options){
        .capacity = capacity,
        .workers = workers,
        .running_max = running_max,
        .blocking_max = blocking_max,
    });
}

/* For one worker. */
static inline struct queue *create_glancing(size_t capacity, int64_t glance_us)
{
    return create_with((struct queue_options){
        .capacity = capacity,
        .workers = 1,
        .running_max = 1,
        .blocking_max = 1,
        .glance_us = glance_us,
    });
}

/* Closes the queue, and destroys it with what is left. */
static inline void end(struct queue *queue)
{
    queue_close(queue);
    while (queue_take_rest(queue))
        ;
    queue_destroy(queue);
}

static inline void push(struct queue *queue, int index)
{
    assert_int_equal(queue_push(queue, &items[index], 0), QUEUE_OK);
}

/* The worker's next turn, which must be this one and come at once. */
static inline void assert_turn(struct queue *queue, unsigned worker, enum queue_turn turn)
{
    struct pool_item *item;
    assert_int_equal(queue_next(queue, worker, &item), turn);
}

static inline void assert_runs(struct queue *queue, unsigned worker, enum queue_turn turn,
                               int index)
{
    struct pool_item *item = NULL;
    assert_int_equal(queue_next(queue, worker, &item), turn);
    assert_ptr_equal(item, &items[index]);
}

static inline struct queue_figures figures_of(struct queue *queue)
{
    struct queue_figures figures;
    queue_figures(queue, &figures);
    return figures;
}

/* --- workers that have to wait for their turn ---------------------------------------------- */

struct waiter {
    struct queue *queue;
    unsigned worker;
    pthread_t thread;
    atomic_int tid;
    sem_t answered;
    enum queue_turn turn;
    struct pool_item *item;
    long switches; /* how often it has gone to sleep meanwhile */
    int64_t answered_ns;
};

static inline void *wait_for_turn(void *argument)
{
    struct waiter *waiter = argument;
    atomic_store(&waiter->tid, gettid());
    waiter->turn = queue_next(waiter->queue, waiter->worker, &waiter->item);
    waiter->answered_ns = sync_now_ns();
    struct rusage usage;
    threads_check(getrusage(RUSAGE_THREAD, &usage) == 0);
    waiter->switches = usage.ru_nvcsw;
    threads_check(sem_post(&waiter->answered) == 0);
    return NULL;
}

/* Starts a thread that asks for the worker's next turn, without looking for the answer. */
static inline void ask(struct waiter *waiter, struct queue *queue, unsigned worker)
{
    *waiter = (struct waiter){.queue = queue, .worker = worker};
    assert_int_equal(sem_init(&waiter->answered, 0, 0), 0);
    assert_int_equal(pthread_create(&waiter->thread, NULL, wait_for_turn, waiter), 0);
}

static inline void ask_and_sleep(struct waiter *waiter, struct queue *queue, unsigned worker)
{
    ask(waiter, queue, worker);
    threads_wait_asleep(&waiter->tid);
}

static inline bool has_answer_within(struct waiter *waiter, int64_t ms)
{
    return threads_wait_for(&waiter->answered, ms);
}

static inline void assert_answer(struct waiter *waiter, enum queue_turn turn)
{
    assert_true(has_answer_within(waiter, LONG_MS));
    assert_int_equal(pthread_join(waiter->thread, NULL), 0);
    assert_int_equal(waiter->turn, turn);
}

#endif
