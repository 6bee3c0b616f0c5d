/* Queue and pool under stress: no item is lost, none comes twice, and nothing hangs.
 *
 * The first argument, or the environment variable TARN_STRESS_OPERATIONS, says how many
 * operations the queue has to stand; a push and a pop are one each.
 */
#include "pool/clock.h"
#include "pool/pool.h"
#include "tests/unit/threads.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif

#ifdef __SANITIZE_THREAD__
#define OPERATIONS_USUAL 200000
#define MOVES_PER_TASK   200
#define STOPS            24
#else
#define OPERATIONS_USUAL 400000
#define MOVES_PER_TASK   800
#define STOPS            50
#endif

static long operations = OPERATIONS_USUAL;

static void start_thread(pthread_t *thread, void *(*work)(void *), void *argument)
{
    assert_int_equal(pthread_create(thread, NULL, work, argument), 0);
}

/* Numbers that look random; the state is one thread's. */
static uint32_t next_number(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* --- one place, many workers --------------------------------------------------------------- */

#define PUSHERS         4
#define WORKERS         64
#define PUSHED_AT_ATIME 128 /* the items of one pusher, which are used again and again */

struct ticket {
    struct pool_item item;
    long number; /* of all pushes, from 0 */
    atomic_bool free;
};

struct pusher {
    struct ticket tickets[PUSHED_AT_ATIME];
    long first, end; /* the numbers that it pushes */
};

static struct queue *queue;
static atomic_uchar *seen; /* how often each number has come out */
static atomic_long seen_count;
static int poller_fd;

static void wake_poller(void *context)
{
    threads_check(eventfd_write(*(int *)context, 1) == 0);
}

static void *push_all(void *argument)
{
    struct pusher *pusher = argument;
    size_t place = 0;
    for (long number = pusher->first; number < pusher->end; number++) {
        struct ticket *ticket;
        do {
            place = (place + 1) % PUSHED_AT_ATIME;
            ticket = &pusher->tickets[place];
        } while (!atomic_load(&ticket->free));
        atomic_store(&ticket->free, false);
        ticket->number = number;
        enum queue_push_result result;
        do
            result = queue_push(queue, &ticket->item, 1000);
        while (result == QUEUE_FULL);
        threads_check(result == QUEUE_OK);
    }
    return NULL;
}

static void *take_turns(void *argument)
{
    unsigned worker = *(unsigned *)argument;
    eventfd_t ignored;
    for (;;) {
        struct pool_item *item;
        struct ticket *ticket;
        switch (queue_next(queue, worker, &item)) {
        case QUEUE_RUN:
            ticket = (struct ticket *)item;
            atomic_fetch_add(&seen[ticket->number], 1);
            atomic_fetch_add(&seen_count, 1);
            atomic_store(&ticket->free, true);
            break;
        case QUEUE_POLL:
            threads_check(eventfd_read(poller_fd, &ignored) == 0);
            threads_check(queue_polled(queue, worker, NULL, 0) == 0);
            break;
        case QUEUE_GLANCE:
            threads_check(queue_polled(queue, worker, NULL, 0) == 0);
            break;
        case QUEUE_END:
            return NULL;
        default:
            abort();
        }
    }
}

static void create_queue(void)
{
    poller_fd = eventfd(0, EFD_CLOEXEC);
    assert_true(poller_fd >= 0);
    queue = queue_create(&(struct queue_options){
        .capacity = 1,
        .workers = WORKERS,
        .running_max = 2,
        .blocking_max = 1,
        .wake_poller = wake_poller,
        .context = &poller_fd,
    });
    assert_non_null(queue);
}

static void queue_one_place_many_workers_loses_nothing(void **state)
{
    (void)state;
    static struct pusher pushers[PUSHERS];
    static unsigned numbers[WORKERS];
    pthread_t pushing[PUSHERS], working[WORKERS];
    long pushes = operations / 2;

    create_queue();
    seen = calloc((size_t)pushes, sizeof(*seen));
    assert_non_null(seen);
    for (unsigned i = 0; i < WORKERS; i++) {
        numbers[i] = i;
        start_thread(&working[i], take_turns, &numbers[i]);
    }
    for (int i = 0; i < PUSHERS; i++) {
        pushers[i].first = pushes * i / PUSHERS;
        pushers[i].end = pushes * (i + 1) / PUSHERS;
        for (int n = 0; n < PUSHED_AT_ATIME; n++)
            atomic_store(&pushers[i].tickets[n].free, true);
        start_thread(&pushing[i], push_all, &pushers[i]);
    }
    for (int i = 0; i < PUSHERS; i++)
        assert_int_equal(pthread_join(pushing[i], NULL), 0);
    while (atomic_load(&seen_count) < pushes)
        (void)usleep(100);
    queue_close(queue);
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_join(working[i], NULL), 0);

    for (long i = 0; i < pushes; i++)
        assert_int_equal(seen[i], 1);
    assert_null(queue_take_rest(queue));
    queue_destroy(queue);
    assert_int_equal(close(poller_fd), 0);
    free(seen);
}

/* --- everything at once -------------------------------------------------------------------- */

#define TASKS          48
#define QUEUE_CAPACITY 32
#define BIT(event)     (1U << (event))
#define WHILE_PARKED   (BIT(POOL_READY) | BIT(POOL_EXPIRED) | BIT(POOL_CONTINUED))

/* An item that wanders at random between the queue, the parked set, the disk and a worker. */
struct task {
    struct pool_item item;
    uint32_t numbers;
    unsigned expected; /* the events that may come next, by BIT() */
    int moves_left;
    atomic_bool busy;
    atomic_int finishes; /* how often it has ended, or been discarded */
};

static struct pool *pool;
static struct task tasks[TASKS];
static atomic_int finished_count;
static atomic_bool over;
static atomic_bool
    stopping; /* what became ready while it was being parked finds the queue closed */

static enum pool_next finish(struct task *task)
{
    atomic_store(&task->busy, false);
    atomic_fetch_add(&task->finishes, 1);
    atomic_fetch_add(&finished_count, 1);
    return POOL_GONE;
}

static void check_event(struct task *task, enum pool_event event)
{
    threads_check(BIT(event) & task->expected);
    eventfd_t ignored;
    if (event == POOL_READY && task->item.interest == POOL_READABLE &&
        task->item.came_us != INT64_MAX)
        threads_check(eventfd_read(task->item.fd, &ignored) == 0);
    if (event == POOL_EXPIRED)
        threads_check(clock_now_ms() >= task->item.deadline_ms);
    if (event == POOL_EVICTED && task->expected & BIT(POOL_EXPIRED) && !atomic_load(&stopping))
        threads_check(task->item.rank != POOL_KEEP);
}

static enum pool_next go_parking(struct task *task)
{
    eventfd_t ignored;
    task->item.interest = next_number(&task->numbers) % 4 ? POOL_READABLE : POOL_WRITABLE;
    (void)eventfd_read(task->item.fd, &ignored); /* who waits to read must have read all there is */
    task->item.rank = (enum pool_rank)(next_number(&task->numbers) % POOL_RANKS);
    task->item.deadline_ms = clock_now_ms() - 1 + next_number(&task->numbers) % 10;
    task->expected = WHILE_PARKED | BIT(POOL_EVICTED);
    return POOL_PARK;
}

static enum pool_next go_blocking(struct task *task, unsigned worker)
{
    task->expected = BIT(POOL_MAY_BLOCK);
    if (next_number(&task->numbers) % 2)
        return POOL_BLOCK;
    unsigned pause_us = next_number(&task->numbers) % 100;
    atomic_store(&task->busy, false); /* it may be another's at once */
    if (!pool_blocking_begin(pool, &task->item, worker))
        return POOL_GONE;
    threads_check(!atomic_exchange(&task->busy, true));
    (void)usleep(pause_us);
    pool_blocking_end(pool, worker);
    return go_parking(task);
}

/* Leaves, and is pushed as if it were another. */
static enum pool_next go_and_come_back(struct task *task)
{
    task->expected = BIT(POOL_NEW);
    atomic_store(&task->busy, false);
    if (pool_push(pool, &task->item, 0) == QUEUE_OK)
        return POOL_GONE;
    threads_check(!atomic_exchange(&task->busy, true));
    return go_parking(task);
}

static enum pool_next wander(struct task *task, unsigned worker)
{
    uint32_t number = next_number(&task->numbers) % 256;
    if (number == 0)
        (void)usleep(3000); /* a stall that nobody has announced */
    if (number < 96)
        return go_parking(task);
    if (number < 160)
        return go_blocking(task, worker);
    if (number < 192)
        return go_and_come_back(task);
    task->expected = BIT(POOL_CONTINUED) | BIT(POOL_EVICTED);
    return POOL_AGAIN;
}

static enum pool_next run(struct pool_item *item, enum pool_event event, unsigned worker,
                          void *context)
{
    struct task *task = (struct task *)item;
    (void)context;
    threads_check(!atomic_exchange(&task->busy, true)); /* one owner at a time */
    check_event(task, event);
    if (event == POOL_MAY_BLOCK)
        (void)usleep(next_number(&task->numbers) % 100);
    if (--task->moves_left == 0 || atomic_load(&over))
        return finish(task);
    enum pool_next next = wander(task, worker);
    if (next != POOL_GONE)
        atomic_store(&task->busy, false);
    return next;
}

static void discard(struct pool_item *item, void *context)
{
    struct task *task = (struct task *)item;
    (void)context;
    threads_check(!atomic_exchange(&task->busy, true));
    (void)finish(task);
}

/* Makes items ready, and orders evictions, all the time. */
static void *disturb(void *argument)
{
    uint32_t *numbers = argument;
    while (!atomic_load(&over)) {
        uint32_t number = next_number(numbers);
        threads_check(eventfd_write(tasks[number % TASKS].item.fd, 1) == 0);
        if (number / TASKS % 8 == 0)
            (void)pool_evict(pool);
        if (number / TASKS % 64 == 1)
            (void)usleep(number / TASKS % 500);
    }
    return NULL;
}

static void create_pool(unsigned workers, int moves)
{
    atomic_store(&over, false);
    atomic_store(&stopping, false);
    atomic_store(&finished_count, 0);
    pool = pool_create(&(struct pool_options){
        .workers = workers, .queue_capacity = QUEUE_CAPACITY, .run = run, .discard = discard});
    assert_non_null(pool);
    for (unsigned i = 0; i < TASKS; i++) {
        int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        assert_true(fd >= 0);
        tasks[i] = (struct task){
            .item.fd = fd, .numbers = i + workers, .expected = BIT(POOL_NEW), .moves_left = moves};
    }
    assert_int_equal(pool_start(pool), 0);
}

static void destroy_pool(pthread_t disturber)
{
    atomic_store(&over, true);
    atomic_store(&stopping, true);
    assert_int_equal(pthread_join(disturber, NULL), 0);
    pool_stop(pool);
    pool_destroy(pool);
    for (int i = 0; i < TASKS; i++) {
        assert_int_equal(tasks[i].finishes, 1);
        assert_int_equal(close(tasks[i].item.fd), 0);
    }
}

static const unsigned worker_counts[] = {1, 2, 3, 4, 8, 20};
#define WORKER_COUNTS (sizeof(worker_counts) / sizeof(worker_counts[0]))

static void pool_wandering_items_all_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < WORKER_COUNTS; i++) {
        uint32_t numbers = (uint32_t)i;
        pthread_t disturber;
        create_pool(worker_counts[i], MOVES_PER_TASK);
        start_thread(&disturber, disturb, &numbers);
        for (int n = 0; n < TASKS; n++)
            while (pool_push(pool, &tasks[n].item, 1000) != QUEUE_OK)
                ;
        while (atomic_load(&finished_count) < TASKS)
            (void)usleep(1000);
        struct pool_figures figures;
        pool_figures(pool, &figures);
        assert_int_equal(figures.queue.queued + figures.queue.waiting_for_disk, 0);
        destroy_pool(disturber);
    }
}

/* The end comes at any moment, wherever the items are. */
static void pool_stopped_while_items_wander_keeps_none(void **state)
{
    (void)state;
    uint32_t pauses = 0;
    for (int round = 0; round < STOPS; round++) {
        uint32_t numbers = (uint32_t)round;
        pthread_t disturber;
        create_pool(worker_counts[(size_t)round % WORKER_COUNTS], INT32_MAX);
        start_thread(&disturber, disturb, &numbers);
        for (int n = 0; n < TASKS; n++)
            while (pool_push(pool, &tasks[n].item, 1000) != QUEUE_OK)
                ;
        (void)usleep(next_number(&pauses) % 20000);
        atomic_store(&stopping, round % 2);
        if (round % 2)
            pool_stop(pool); /* else it is over for the items, too */
        destroy_pool(disturber);
    }
}

int main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_one_place_many_workers_loses_nothing),
        cmocka_unit_test(pool_wandering_items_all_end),
        cmocka_unit_test(pool_stopped_while_items_wander_keeps_none),
    };
    const char *wanted = argc > 1 ? argv[1] : getenv("TARN_STRESS_OPERATIONS");
    if (wanted)
        operations = strtol(wanted, NULL, 10);
    alarm(120 + (unsigned)(operations / 20000)); /* so that it does not hang for ever */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
