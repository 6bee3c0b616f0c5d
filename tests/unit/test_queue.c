/* The queue of the workers: what it takes and gives back, who gets which turn, who is woken. */
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

static void wake_poller(void *context)
{
    threads_check(context == &kicks && sem_post(&kicks) == 0);
}

static int kick_count(void)
{
    int count;
    assert_int_equal(sem_getvalue(&kicks, &count), 0);
    return count;
}

static struct queue *create_with(struct queue_options options)
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

static struct queue *create(size_t capacity, unsigned workers, unsigned running_max,
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
static struct queue *create_glancing(size_t capacity, int64_t glance_us)
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
static void end(struct queue *queue)
{
    queue_close(queue);
    while (queue_take_rest(queue))
        ;
    queue_destroy(queue);
}

static void push(struct queue *queue, int index)
{
    assert_int_equal(queue_push(queue, &items[index], 0), QUEUE_OK);
}

/* The worker's next turn, which must be this one and come at once. */
static void assert_turn(struct queue *queue, unsigned worker, enum queue_turn turn)
{
    struct pool_item *item;
    assert_int_equal(queue_next(queue, worker, &item), turn);
}

static void assert_runs(struct queue *queue, unsigned worker, enum queue_turn turn, int index)
{
    struct pool_item *item = NULL;
    assert_int_equal(queue_next(queue, worker, &item), turn);
    assert_ptr_equal(item, &items[index]);
}

static struct queue_figures figures_of(struct queue *queue)
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

static void *wait_for_turn(void *argument)
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
static void ask(struct waiter *waiter, struct queue *queue, unsigned worker)
{
    *waiter = (struct waiter){.queue = queue, .worker = worker};
    assert_int_equal(sem_init(&waiter->answered, 0, 0), 0);
    assert_int_equal(pthread_create(&waiter->thread, NULL, wait_for_turn, waiter), 0);
}

static void ask_and_sleep(struct waiter *waiter, struct queue *queue, unsigned worker)
{
    ask(waiter, queue, worker);
    threads_wait_asleep(&waiter->tid);
}

static bool has_answer_within(struct waiter *waiter, int64_t ms)
{
    return threads_wait_for(&waiter->answered, ms);
}

static void assert_answer(struct waiter *waiter, enum queue_turn turn)
{
    assert_true(has_answer_within(waiter, LONG_MS));
    assert_int_equal(pthread_join(waiter->thread, NULL), 0);
    assert_int_equal(waiter->turn, turn);
}

/* --- before the start: limits and order ---------------------------------------------------- */

static void queue_push_new_items_fills_three_quarters(void **state)
{
    (void)state;
    static const struct {
        size_t capacity, limit;
    } cases[] = {{1, 1}, {2, 2}, {3, 3}, {4, 3}, {5, 4}, {7, 6}, {8, 6}, {9, 7}, {100, 75}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct queue *queue = create(cases[i].capacity, 1, 1, 1);
        size_t count = 0;
        while (queue_push(queue, &items[count], 0) == QUEUE_OK)
            count++;
        assert_int_equal(count, cases[i].limit);
        assert_int_equal(queue_push(queue, &items[count], 0), QUEUE_FULL);
        assert_int_equal(figures_of(queue).queued, count);
        end(queue);
    }
}

static void queue_push_some_takes_what_fits_in_order(void **state)
{
    (void)state;
    struct queue *queue = create(8, 1, 1, 1);
    struct pool_item *some[8];
    for (int i = 0; i < 8; i++)
        some[i] = &items[i];
    assert_true(queue_is_empty(queue));
    assert_int_equal(queue_push_some(queue, some, 0), 0);
    assert_int_equal(queue_push_some(queue, some, 4), 4);
    assert_false(queue_is_empty(queue));
    assert_int_equal(queue_push_some(queue, some + 4, 4), 2);
    assert_int_equal(queue_push_some(queue, some + 6, 2), 0);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(items[i].event, POOL_NEW);
        assert_runs(queue, 0, QUEUE_RUN, i);
    }
    assert_true(queue_is_empty(queue));
    queue_close(queue);
    assert_int_equal(queue_push_some(queue, some, 1), 0);
    end(queue);
}

static void queue_return_fills_the_rest(void **state)
{
    (void)state;
    struct queue *queue = create(8, 1, 1, 1);
    for (int i = 0; i < 6; i++)
        push(queue, i);
    assert_int_equal(queue_push(queue, &items[6], 0), QUEUE_FULL);
    assert_int_equal(queue_return(queue, &items[6], false), QUEUE_OK);
    assert_int_equal(queue_return(queue, &items[7], false), QUEUE_OK);
    assert_int_equal(queue_return(queue, &items[8], false), QUEUE_FULL);
    assert_int_equal(figures_of(queue).queued, 8);
    end(queue);
}

/* Items under way fill the queue as long as they are many: a new one gets a place among them. */
static void queue_push_among_returned_items_fits(void **state)
{
    (void)state;
    struct queue *queue = create(8, 1, 1, 1);
    for (int i = 0; i < 7; i++)
        assert_int_equal(queue_return(queue, &items[i], false), QUEUE_OK);
    push(queue, 7);
    assert_int_equal(queue_push(queue, &items[8], 0), QUEUE_FULL);
    assert_runs(queue, 0, QUEUE_RUN, 0);
    push(queue, 8);
    end(queue);
}

static void queue_push_after_taking_fits_again(void **state)
{
    (void)state;
    struct queue *queue = create(4, 1, 1, 1);
    for (int i = 0; i < 3; i++)
        push(queue, i);
    assert_int_equal(queue_return(queue, &items[3], false), QUEUE_OK);
    for (int i = 0; i < 3; i++) { /* each takes a new one out, and leaves the returned one in */
        assert_int_equal(queue_push(queue, &items[4 + i], 0), QUEUE_FULL);
        assert_runs(queue, 0, QUEUE_RUN, i);
        push(queue, 4 + i);
    }
    end(queue);
}

static void queue_event_says_how_the_item_came(void **state)
{
    (void)state;
    struct queue *queue = create(4, 1, 1, 1);
    items[0].event = POOL_EXPIRED;
    items[1].event = POOL_EXPIRED;
    push(queue, 0);
    assert_int_equal(queue_return(queue, &items[1], false), QUEUE_OK);
    assert_int_equal(items[0].event, POOL_NEW);
    assert_int_equal(items[1].event, POOL_CONTINUED);
    end(queue);
}

/* For the log, which tells how long a request has waited. */
static void queue_item_has_the_time_at_which_it_came(void **state)
{
    (void)state;
    struct queue *queue = create(4, 1, 1, 1);
    int64_t before_us = clock_now_us();
    push(queue, 0);
    assert_int_equal(queue_return(queue, &items[1], false), QUEUE_OK);
    for (int i = 0; i < 2; i++)
        assert_in_range(items[i].ready_us, before_us, clock_now_us());
    end(queue);
}

static void queue_items_run_in_order(void **state)
{
    (void)state;
    for (size_t capacity = 1; capacity <= 5; capacity++) {
        struct queue *queue = create(capacity, 1, 1, 1);
        int pushed = 0, taken = 0;
        while (taken < 15) {
            while (queue_return(queue, &items[pushed], false) == QUEUE_OK)
                pushed++;
            assert_runs(queue, 0, QUEUE_RUN, taken++);
        }
        assert_int_equal(figures_of(queue).queued_most, capacity);
        end(queue);
    }
}

/* --- a full queue -------------------------------------------------------------------------- */

static void queue_push_full_waits_as_long_as_told(void **state)
{
    (void)state;
    struct queue *queue = create(1, 1, 1, 1);
    push(queue, 0);
    static const unsigned waits_ms[] = {0, 1, 20};
    for (size_t i = 0; i < sizeof(waits_ms) / sizeof(waits_ms[0]); i++) {
        int64_t start_ns = sync_now_ns();
        assert_int_equal(queue_push(queue, &items[1], waits_ms[i]), QUEUE_FULL);
        assert_true(sync_now_ns() - start_ns >= (int64_t)waits_ms[i] * 1000000);
    }
    end(queue);
}

struct pusher {
    struct queue *queue;
    pthread_t thread;
    atomic_int tid;
    int index;
    enum queue_push_result result;
};

static void *push_patiently(void *argument)
{
    struct pusher *pusher = argument;
    atomic_store(&pusher->tid, gettid());
    pusher->result = queue_push(pusher->queue, &items[pusher->index], LONG_MS);
    return NULL;
}

static void start_pusher(struct pusher *pusher, struct queue *queue, int index)
{
    *pusher = (struct pusher){.queue = queue, .index = index};
    assert_int_equal(pthread_create(&pusher->thread, NULL, push_patiently, pusher), 0);
    threads_wait_asleep(&pusher->tid);
}

static void queue_push_full_gets_the_room_that_comes(void **state)
{
    (void)state;
    struct queue *queue = create(2, 1, 1, 1);
    struct pusher pushers[2];
    push(queue, 0);
    push(queue, 1);
    start_pusher(&pushers[0], queue, 2);
    start_pusher(&pushers[1], queue, 3);
    int64_t start_ms = clock_now_ms();
    assert_runs(queue, 0, QUEUE_RUN, 0);
    assert_runs(queue, 0, QUEUE_RUN, 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(pushers[i].thread, NULL), 0);
        assert_int_equal(pushers[i].result, QUEUE_OK);
    }
    assert_true(clock_now_ms() - start_ms < LONG_MS / 2);
    end(queue);
}

/* --- turns --------------------------------------------------------------------------------- */

static void queue_next_empty_is_to_poll(void **state)
{
    (void)state;
    struct queue *queue = create(4, 1, 1, 1);
    assert_turn(queue, 0, QUEUE_POLL);
    assert_int_equal(queue_polled(queue, 0, NULL, 0), 0);
    assert_turn(queue, 0, QUEUE_POLL);
    assert_int_equal(figures_of(queue).running, 0);
    end(queue);
}

static void queue_next_has_one_poller(void **state)
{
    (void)state;
    struct queue *queue = create(4, 3, 3, 1);
    struct waiter waiters[2];
    assert_turn(queue, 0, QUEUE_POLL);
    ask_and_sleep(&waiters[0], queue, 1);
    ask_and_sleep(&waiters[1], queue, 2);
    assert_int_equal(queue_polled(queue, 0, NULL, 0), 0);
    assert_turn(queue, 0, QUEUE_POLL);
    for (int i = 0; i < 2; i++)
        assert_false(has_answer_within(&waiters[i], 0));
    queue_close(queue);
    for (int i = 0; i < 2; i++)
        assert_answer(&waiters[i], QUEUE_END);
    end(queue);
}

static void queue_polled_takes_what_fits_and_runs_it_first_in_order(void **state)
{
    (void)state;
    static const struct {
        size_t before, found, fit;
    } cases[] = {{0, 0, 0}, {0, 1, 1}, {0, 3, 3}, {0, 4, 4}, {0, 5, 4},
                 {3, 1, 1}, {3, 2, 1}, {4, 1, 0}, {4, 0, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct queue *queue = create(4, 1, 1, 1);
        struct pool_item *found[8];
        assert_turn(queue, 0, QUEUE_POLL);
        for (size_t n = 0; n < cases[i].before; n++)
            assert_int_equal(queue_return(queue, &items[n], false), QUEUE_OK);
        for (size_t n = 0; n < cases[i].found; n++)
            found[n] = &items[cases[i].before + n];
        assert_int_equal(queue_polled(queue, 0, found, cases[i].found), cases[i].fit);
        for (size_t n = 0; n < cases[i].fit; n++)
            assert_runs(queue, 0, QUEUE_RUN, (int)(cases[i].before + n));
        for (size_t n = 0; n < cases[i].before; n++)
            assert_runs(queue, 0, QUEUE_RUN, (int)n);
        assert_turn(queue, 0, QUEUE_POLL);
        end(queue);
    }
}

/* Else under a flood more and more would be begun, and few ended. */
static void queue_items_that_come_back_have_three_of_four_turns(void **state)
{
    static const int order[] = {3, 4, 5, 0, 6, 7, 1, 2};
    struct pool_item *found[5];
    (void)state;
    struct queue *queue = create(16, 1, 1, 1);
    assert_turn(queue, 0, QUEUE_POLL);
    push(queue, 0);
    assert_int_equal(queue_return(queue, &items[1], false), QUEUE_OK);
    push(queue, 2);
    for (int i = 0; i < 5; i++)
        found[i] = &items[3 + i];
    assert_int_equal(queue_polled(queue, 0, found, 5), 5);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        assert_runs(queue, 0, QUEUE_RUN, order[i]);
    end(queue);
}

/* They have gone ahead of nobody. */
static void queue_turns_without_somebody_in_the_line_are_not_counted(void **state)
{
    struct pool_item *found[8];
    (void)state;
    struct queue *queue = create(16, 1, 1, 1);
    assert_turn(queue, 0, QUEUE_POLL);
    for (int i = 0; i < 7; i++)
        found[i] = &items[i];
    assert_int_equal(queue_polled(queue, 0, found, 7), 7);
    for (int i = 0; i < 3; i++)
        assert_runs(queue, 0, QUEUE_RUN, i);
    push(queue, 8);
    for (int i = 3; i < 6; i++)
        assert_runs(queue, 0, QUEUE_RUN, i);
    assert_runs(queue, 0, QUEUE_RUN, 8);
    assert_runs(queue, 0, QUEUE_RUN, 6);
    end(queue);
}

/* Items that take long would keep the parked ones out for as many times as long. */
static void queue_next_after_a_while_is_a_glance(void **state)
{
    struct pool_item *none[1];
    (void)state;
    struct queue *queue = create_glancing(8, 1000);
    assert_turn(queue, 0, QUEUE_POLL);
    for (int i = 0; i < 3; i++)
        push(queue, i);
    assert_int_equal(queue_polled(queue, 0, none, 0), 0);
    assert_runs(queue, 0, QUEUE_RUN, 0);
    (void)usleep(1000);
    assert_turn(queue, 0, QUEUE_GLANCE);
    assert_int_equal(queue_polled(queue, 0, none, 0), 0);
    assert_runs(queue, 0, QUEUE_RUN, 1); /* no second one before an item has run */
    end(queue);
}

/* They would fill the queue, and keep new ones out. */
static void queue_next_is_no_glance_while_many_that_came_back_wait(void **state)
{
    struct pool_item *found[34];
    (void)state;
    struct queue *queue = create(40, 1, 1, 1);
    assert_turn(queue, 0, QUEUE_POLL);
    for (int i = 0; i < 34; i++)
        found[i] = &items[i];
    assert_int_equal(queue_polled(queue, 0, found, 34), 34);
    for (int i = 0; i < 19; i++)
        assert_runs(queue, 0, QUEUE_RUN, i);
    assert_turn(queue, 0, QUEUE_GLANCE); /* fifteen are left */
    end(queue);
}

static void queue_returned_item_may_go_ahead(void **state)
{
    (void)state;
    struct queue *queue = create(4, 1, 1, 1);
    push(queue, 0);
    assert_int_equal(queue_return(queue, &items[1], true), QUEUE_OK);
    assert_runs(queue, 0, QUEUE_RUN, 1);
    assert_runs(queue, 0, QUEUE_RUN, 0);
    end(queue);
}

static void queue_next_of_an_empty_queue_is_no_glance_after_a_while(void **state)
{
    (void)state;
    struct queue *queue = create_glancing(8, 1000);
    push(queue, 0);
    assert_runs(queue, 0, QUEUE_RUN, 0);
    (void)usleep(1000);
    assert_turn(queue, 0, QUEUE_POLL);
    end(queue);
}

static void queue_next_after_sixteen_items_is_a_glance(void **state)
{
    (void)state;
    struct queue *queue = create(ITEMS_MAX, 2, 2, 1);
    for (int i = 0; i < 36; i++)
        assert_int_equal(queue_return(queue, &items[i], false), QUEUE_OK);
    for (int i = 0; i < 16; i++)
        assert_runs(queue, 0, QUEUE_RUN, i);
    assert_turn(queue, 0, QUEUE_GLANCE);
    assert_runs(queue, 1, QUEUE_RUN, 16); /* there is one poller, and the other runs on */
    assert_int_equal(queue_polled(queue, 0, NULL, 0), 0);
    for (int i = 17; i < 33; i++) /* they are counted anew */
        assert_runs(queue, 0, QUEUE_RUN, i);
    assert_turn(queue, 0, QUEUE_GLANCE);
    end(queue);
}

static void queue_next_after_a_poll_counts_items_anew(void **state)
{
    (void)state;
    struct queue *queue = create(ITEMS_MAX, 1, 1, 1);
    int taken = 0, pushed = 0;
    for (int count = 14; count <= 16; count++) {
        assert_turn(queue, 0, QUEUE_POLL);
        assert_int_equal(queue_polled(queue, 0, NULL, 0), 0);
        for (int i = 0; i < count; i++)
            push(queue, pushed++);
        while (taken < pushed)
            assert_runs(queue, 0, QUEUE_RUN, taken++);
        if (count == 16)
            assert_turn(queue, 0, QUEUE_GLANCE); /* though the queue is empty: the next one waits */
    }
    end(queue);
}

/* --- the disk ------------------------------------------------------------------------------ */

static void queue_block_begin_is_bounded(void **state)
{
    (void)state;
    static const unsigned bounds[] = {1, 2, 3, 13};
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        unsigned bound = bounds[i];
        struct queue *queue = create(ITEMS_MAX, bound + 2, bound + 2, bound);
        for (unsigned n = 0; n <= bound; n++) {
            push(queue, (int)n);
            assert_runs(queue, n, QUEUE_RUN, (int)n);
        }
        for (unsigned n = 0; n < bound; n++)
            assert_true(queue_block_begin(queue, n, &items[n]));
        assert_int_equal(figures_of(queue).running, 1);
        assert_false(queue_block_begin(queue, bound, &items[bound]));
        assert_int_equal(figures_of(queue).blocking, bound);
        assert_int_equal(figures_of(queue).waiting_for_disk, 1);
        assert_turn(queue, bound, QUEUE_POLL); /* what waits for the disk is nothing to run */

        queue_block_end(queue, 0);
        assert_int_equal(figures_of(queue).running, 1);
        assert_runs(queue, 0, QUEUE_RUN_BLOCKING, (int)bound);
        assert_int_equal(figures_of(queue).blocking, bound);
        assert_int_equal(figures_of(queue).running, 0);
        assert_int_equal(figures_of(queue).waiting_for_disk, 0);
        for (unsigned n = 0; n < bound; n++)
            queue_block_end(queue, n);
        assert_int_equal(figures_of(queue).blocking, 0);
        assert_int_equal(figures_of(queue).running, bound);
        end(queue);
    }
}

static void queue_deferred_run_in_order_and_before_queued(void **state)
{
    (void)state;
    struct queue *queue = create(8, 3, 3, 1);
    for (int i = 0; i < 5; i++)
        assert_int_equal(queue_return(queue, &items[i], false), QUEUE_OK);
    assert_runs(queue, 0, QUEUE_RUN, 0);
    assert_true(queue_block_begin(queue, 0, &items[0]));
    for (int i = 1; i < 4; i++) {
        assert_runs(queue, 1, QUEUE_RUN, i);
        assert_false(queue_block_begin(queue, 1, &items[i]));
    }
    for (int i = 1; i < 4; i++) {
        queue_block_end(queue, 0);
        assert_runs(queue, 0, QUEUE_RUN_BLOCKING, i);
    }
    queue_block_end(queue, 0);
    assert_runs(queue, 0, QUEUE_RUN, 4);
    end(queue);
}

static void queue_block_begin_twice_counts_once(void **state)
{
    (void)state;
    struct queue *queue = create(8, 2, 2, 1);
    push(queue, 0);
    assert_runs(queue, 0, QUEUE_RUN, 0);
    for (int round = 0; round < 3; round++) {
        assert_true(queue_block_begin(queue, 0, &items[0]));
        assert_true(queue_block_begin(queue, 0, &items[0]));
        assert_int_equal(figures_of(queue).blocking, 1);
        assert_int_equal(figures_of(queue).running, 0);
        queue_block_end(queue, 0);
        queue_block_end(queue, 0);
        assert_int_equal(figures_of(queue).blocking, 0);
        assert_int_equal(figures_of(queue).running, 1);
    }
    end(queue);
}

/* --- who is woken -------------------------------------------------------------------------- */

static void queue_push_wakes_the_poller_if_nobody_else_is_there(void **state)
{
    (void)state;
    struct queue *queue = create(4, 1, 1, 1);
    push(queue, 0);
    assert_int_equal(kick_count(), 0); /* nobody polls */
    assert_runs(queue, 0, QUEUE_RUN, 0);
    push(queue, 1);
    assert_int_equal(kick_count(), 0); /* it runs */
    assert_runs(queue, 0, QUEUE_RUN, 1);
    assert_turn(queue, 0, QUEUE_POLL);
    push(queue, 2);
    assert_int_equal(kick_count(), 1);
    push(queue, 3);
    assert_int_equal(kick_count(), 1); /* it is awake already */
    assert_int_equal(queue_polled(queue, 0, NULL, 0), 0);
    assert_runs(queue, 0, QUEUE_RUN, 2);
    end(queue);
}

/* Sleepers first: the poller would have to be relieved by one of them. */
static void queue_push_wakes_a_sleeper_rather_than_the_poller(void **state)
{
    (void)state;
    struct queue *queue = create(8, 4, 4, 1);
    struct waiter waiters[3];
    assert_turn(queue, 0, QUEUE_POLL);
    for (unsigned i = 0; i < 3; i++)
        ask_and_sleep(&waiters[i], queue, i + 1);
    for (int i = 0; i < 3; i++) {
        push(queue, i);
        assert_int_equal(figures_of(queue).running, i + 1);
    }
    for (int i = 0; i < 3; i++)
        assert_answer(&waiters[i], QUEUE_RUN);
    assert_int_equal(kick_count(), 0);
    push(queue, 3);
    assert_int_equal(kick_count(), 1);
    end(queue);
}

static void queue_push_while_enough_run_wakes_nobody(void **state)
{
    (void)state;
    struct queue *queue = create(8, 4, 1, 1);
    struct waiter waiters[2];
    assert_turn(queue, 1, QUEUE_POLL);
    push(queue, 0);
    assert_runs(queue, 0, QUEUE_RUN, 0);
    ask_and_sleep(&waiters[0], queue, 2);
    ask_and_sleep(&waiters[1], queue, 3);
    for (int i = 1; i < 4; i++) {
        push(queue, i);
        assert_in_range(figures_of(queue).running, 0, 1);
    }
    queue_close(queue);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(waiters[i].thread, NULL), 0);
    end(queue);
}

static void queue_polled_wakes_no_more_than_may_run(void **state)
{
    (void)state;
    for (unsigned running_max = 1; running_max <= 4; running_max++) {
        struct queue *queue = create(8, 4, running_max, 1);
        struct waiter waiters[3];
        struct pool_item *found[6];
        for (int i = 0; i < 6; i++)
            found[i] = &items[i];
        assert_turn(queue, 0, QUEUE_POLL);
        for (unsigned i = 0; i < 3; i++)
            ask_and_sleep(&waiters[i], queue, i + 1);
        assert_int_equal(queue_polled(queue, 0, found, 6), 6);
        assert_int_equal(figures_of(queue).running, running_max);
        queue_close(queue);
        for (int i = 0; i < 3; i++)
            assert_int_equal(pthread_join(waiters[i].thread, NULL), 0);
        end(queue);
    }
}

static void queue_polled_one_item_wakes_nobody(void **state)
{
    (void)state;
    struct queue *queue = create(8, 3, 3, 1);
    struct waiter waiters[2];
    struct pool_item *found[1] = {&items[0]};
    assert_turn(queue, 0, QUEUE_POLL);
    ask_and_sleep(&waiters[0], queue, 1);
    ask_and_sleep(&waiters[1], queue, 2);
    assert_int_equal(queue_polled(queue, 0, found, 1), 1);
    assert_int_equal(figures_of(queue).running, 1);
    queue_close(queue);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(waiters[i].thread, NULL), 0);
    end(queue);
}

/* One that comes back while enough run goes to sleep, and leaves the work to them. */
static void queue_next_while_enough_run_waits(void **state)
{
    (void)state;
    struct queue *queue = create(8, 2, 1, 1);
    struct waiter waiter;
    for (int i = 0; i < 3; i++)
        push(queue, i);
    assert_runs(queue, 0, QUEUE_RUN, 0);
    assert_true(queue_block_begin(queue, 0, &items[0]));
    assert_runs(queue, 1, QUEUE_RUN, 1);
    queue_block_end(queue, 0);
    assert_int_equal(figures_of(queue).running, 2);
    ask_and_sleep(&waiter, queue, 0);
    assert_in_range(figures_of(queue).running, 0, 1);
    queue_close(queue);
    assert_int_equal(pthread_join(waiter.thread, NULL), 0);
    end(queue);
}

static void queue_block_begin_wakes_a_sleeper_for_work(void **state)
{
    (void)state;
    struct queue *queue = create(8, 3, 1, 1);
    struct waiter waiter;
    assert_turn(queue, 1, QUEUE_POLL);
    push(queue, 0);
    assert_runs(queue, 0, QUEUE_RUN, 0);
    ask_and_sleep(&waiter, queue, 2);
    assert_int_equal(queue_return(queue, &items[1], false), QUEUE_OK);
    assert_int_equal(figures_of(queue).running, 1);
    assert_true(queue_block_begin(queue, 0, &items[0]));
    assert_int_equal(figures_of(queue).running, 1); /* the sleeper, from this very moment */
    assert_answer(&waiter, QUEUE_RUN);
    assert_ptr_equal(waiter.item, &items[1]);
    end(queue);
}

static void queue_block_begin_wakes_a_sleeper_to_poll(void **state)
{
    (void)state;
    struct queue *queue = create(8, 2, 1, 1);
    struct waiter waiter;
    push(queue, 0);
    assert_runs(queue, 0, QUEUE_RUN, 0);
    ask(&waiter, queue, 1);
    assert_true(queue_block_begin(queue, 0, &items[0]));
    assert_answer(&waiter, QUEUE_POLL);
    end(queue);
}

static void queue_block_begin_without_need_wakes_nobody(void **state)
{
    (void)state;
    struct queue *queue = create(8, 3, 1, 1);
    struct waiter waiter;
    assert_turn(queue, 1, QUEUE_POLL);
    push(queue, 0);
    assert_runs(queue, 0, QUEUE_RUN, 0);
    ask_and_sleep(&waiter, queue, 2);
    for (int times = 0; times < 100; times++) {
        assert_true(queue_block_begin(queue, 0, &items[0]));
        assert_int_equal(figures_of(queue).running, 0);
        queue_block_end(queue, 0);
    }
    queue_close(queue);
    assert_answer(&waiter, QUEUE_END);
    end(queue);
}

/* --- the watch ----------------------------------------------------------------------------- */

/* Each worker that has an item never comes back: the next one takes over, to the last. */
static void queue_watch_joins_in_when_runners_stall(void **state)
{
    (void)state;
    for (unsigned running_max = 1; running_max <= 3; running_max++) {
        struct queue *queue = create(32, 20, running_max, 1);
        struct waiter waiters[20];
        for (int i = 0; i < 20; i++)
            assert_int_equal(queue_return(queue, &items[i], false), QUEUE_OK);
        for (unsigned i = 0; i < 20; i++)
            ask(&waiters[i], queue, i);
        int polls = 0;
        for (int i = 0; i < 20; i++) {
            assert_true(has_answer_within(&waiters[i], LONG_MS));
            assert_int_equal(pthread_join(waiters[i].thread, NULL), 0);
            polls += waiters[i].turn == QUEUE_GLANCE;
        }
        assert_int_equal(polls, 1); /* after sixteen items */
        assert_int_equal(figures_of(queue).queued, 1);
        end(queue);
    }
}

static void queue_watch_takes_over_polling_when_runners_stall(void **state)
{
    (void)state;
    struct queue *queue = create(8, 2, 1, 1);
    struct waiter waiter;
    push(queue, 0);
    assert_runs(queue, 0, QUEUE_RUN, 0); /* and that is the last of it */
    ask(&waiter, queue, 1);
    assert_answer(&waiter, QUEUE_POLL);
    end(queue);
}

/* It had nothing to watch while the poller waited; now that one runs what it has found. */
static void queue_watch_takes_over_polling_when_the_poller_stalls(void **state)
{
    (void)state;
    struct queue *queue = create(8, 2, 1, 1);
    struct waiter waiter;
    struct pool_item *found[1] = {&items[0]};
    assert_turn(queue, 0, QUEUE_POLL);
    ask_and_sleep(&waiter, queue, 1);
    assert_int_equal(queue_polled(queue, 0, found, 1), 1);
    assert_runs(queue, 0, QUEUE_RUN, 0);
    assert_answer(&waiter, QUEUE_POLL);
    end(queue);
}

/* Two run and stall, and the only other one polls: it must be called, for it sees no clock. */
static void queue_push_calls_the_poller_to_watch_runners(void **state)
{
    (void)state;
    struct queue *queue = create(8, 3, 2, 1);
    struct waiter waiter;
    push(queue, 0);
    assert_runs(queue, 0, QUEUE_RUN, 0);
    assert_turn(queue, 2, QUEUE_POLL);
    assert_int_equal(queue_return(queue, &items[1], false), QUEUE_OK);
    assert_runs(queue, 1, QUEUE_RUN, 1);
    push(queue, 2);
    assert_int_equal(kick_count(), 1);
    assert_int_equal(queue_polled(queue, 2, NULL, 0), 0);
    ask(&waiter, queue, 2);
    assert_answer(&waiter, QUEUE_RUN);
    assert_ptr_equal(waiter.item, &items[2]);
    end(queue);
}

/* The watch idles; then work comes back by a worker that may not run on, since another runs. When
 * that one stalls, the work must not be forgotten.
 */
static void queue_watch_sees_work_that_a_worker_leaves(void **state)
{
    (void)state;
    struct queue *queue = create(8, 4, 1, 1);
    struct waiter watch, leaver;
    assert_turn(queue, 3, QUEUE_POLL);
    push(queue, 0);
    assert_runs(queue, 0, QUEUE_RUN, 0);
    assert_true(queue_block_begin(queue, 0, &items[0]));
    assert_int_equal(queue_return(queue, &items[1], false), QUEUE_OK);
    assert_runs(queue, 1, QUEUE_RUN, 1); /* and stalls */
    ask_and_sleep(&watch, queue, 2);
    queue_block_end(queue, 0);
    assert_int_equal(queue_return(queue, &items[0], false), QUEUE_OK);
    ask(&leaver, queue, 0);
    assert_true(has_answer_within(&watch, LONG_MS / 5));
    queue_close(queue);
    assert_int_equal(pthread_join(watch.thread, NULL), 0);
    assert_int_equal(watch.turn, QUEUE_RUN);
    assert_int_equal(pthread_join(leaver.thread, NULL), 0);
    end(queue);
}

/* The same with an item that had to wait for the disk, and may go there now. */
static void queue_watch_sees_that_the_disk_is_free(void **state)
{
    (void)state;
    struct queue *queue = create(8, 4, 1, 1);
    struct waiter watch;
    assert_turn(queue, 3, QUEUE_POLL);
    push(queue, 0);
    assert_runs(queue, 0, QUEUE_RUN, 0);
    assert_true(queue_block_begin(queue, 0, &items[0]));
    assert_int_equal(queue_return(queue, &items[1], false), QUEUE_OK);
    assert_runs(queue, 1, QUEUE_RUN, 1);
    assert_false(queue_block_begin(queue, 1, &items[1]));
    ask_and_sleep(&watch, queue, 2);
    queue_block_end(queue, 0); /* and now both stall */
    assert_answer(&watch, QUEUE_RUN_BLOCKING);
    assert_ptr_equal(watch.item, &items[1]);
    end(queue);
}

/* A worker that comes and goes for so long that the watch has looked several times. */
static void take_turns(struct queue *queue, unsigned worker, int index)
{
    int64_t until_ns = sync_now_ns() + 5 * LOOK_NS;
    while (sync_now_ns() < until_ns) {
        struct pool_item *item;
        assert_int_equal(queue_return(queue, &items[index], false), QUEUE_OK);
        while (queue_next(queue, worker, &item) == QUEUE_GLANCE)
            assert_int_equal(queue_polled(queue, worker, NULL, 0), 0);
        (void)sched_yield();
    }
}

/* How long the watch waits after a worker that was blocked begins to run, and stalls; 0 if this
 * thread was itself kept off the CPU, and found stalled.
 */
static int64_t measure_patience_ns(void)
{
    struct queue *queue = create(8, 3, 1, 2);
    struct waiter watch;
    push(queue, 0);
    assert_runs(queue, 0, QUEUE_RUN, 0);
    assert_true(queue_block_begin(queue, 0, &items[0]));
    push(queue, 1);
    assert_runs(queue, 1, QUEUE_RUN, 1);
    ask(&watch, queue, 2);
    take_turns(queue, 1, 1);

    bool joined_early = has_answer_within(&watch, 0);
    int64_t begin_ns = sync_now_ns();
    queue_block_end(queue, 0);
    assert_true(queue_block_begin(queue, 1, &items[1]));
    bool one_runs = figures_of(queue).running == 1;
    assert_true(joined_early || has_answer_within(&watch, LONG_MS));
    assert_int_equal(pthread_join(watch.thread, NULL), 0);
    end(queue);
    return one_runs && !joined_early ? watch.answered_ns - begin_ns : 0;
}

/* A worker that has not moved, because it was blocked, is not stalled when it begins to run: from
 * then on the watch must have looked twice before it joins in.
 */
static void queue_watch_gives_a_worker_its_time(void **state)
{
    (void)state;
    for (int measured = 0; measured < 10;) {
        int64_t patience_ns = measure_patience_ns();
        if (patience_ns != 0) {
            assert_true(patience_ns >= LOOK_NS);
            measured++;
        }
    }
}

/* While somebody polls and nothing is queued, the sleeping workers cost nothing. */
static void queue_watch_with_nothing_to_watch_sleeps(void **state)
{
    (void)state;
    struct queue *queue = create(8, 3, 3, 1);
    struct waiter waiters[2];
    assert_turn(queue, 0, QUEUE_POLL);
    ask_and_sleep(&waiters[0], queue, 1);
    ask_and_sleep(&waiters[1], queue, 2);
    assert_false(has_answer_within(&waiters[0], 200)); /* a hundred looks, if there were any */
    queue_close(queue);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(waiters[i].thread, NULL), 0);
        assert_in_range(waiters[i].switches, 0, 20);
    }
    end(queue);
}

/* --- closing ------------------------------------------------------------------------------- */

static void queue_closed_takes_nothing_and_ends_turns(void **state)
{
    (void)state;
    struct queue *queue = create(4, 2, 2, 1);
    push(queue, 0);
    queue_close(queue);
    assert_int_equal(queue_push(queue, &items[1], 0), QUEUE_CLOSED);
    assert_int_equal(queue_push(queue, &items[1], LONG_MS), QUEUE_CLOSED);
    assert_int_equal(queue_return(queue, &items[1], false), QUEUE_CLOSED);
    assert_turn(queue, 0, QUEUE_END);
    assert_turn(queue, 0, QUEUE_END);
    assert_turn(queue, 1, QUEUE_END);
    end(queue);
}

static void queue_close_ends_all_waits(void **state)
{
    (void)state;
    struct queue *queue = create(1, 5, 1, 1);
    struct waiter waiters[3];
    struct pusher pusher;
    assert_turn(queue, 1, QUEUE_POLL);
    assert_int_equal(queue_return(queue, &items[0], false), QUEUE_OK);
    assert_runs(queue, 0, QUEUE_RUN, 0);
    for (unsigned i = 0; i < 3; i++)
        ask_and_sleep(&waiters[i], queue, i + 2);
    assert_true(queue_block_begin(queue, 0, &items[0])); /* so that nobody is stalled */
    assert_int_equal(queue_return(queue, &items[1], false), QUEUE_OK); /* and nobody is woken */
    start_pusher(&pusher, queue, 2);
    int64_t start_ms = clock_now_ms();
    queue_close(queue);
    assert_int_equal(kick_count(), 1);
    for (int i = 0; i < 3; i++)
        assert_answer(&waiters[i], QUEUE_END);
    assert_int_equal(pthread_join(pusher.thread, NULL), 0);
    assert_int_equal(pusher.result, QUEUE_CLOSED);
    assert_true(clock_now_ms() - start_ms < LONG_MS / 2);
    end(queue);
}

static void queue_closed_gives_back_queued_then_deferred(void **state)
{
    (void)state;
    struct queue *queue = create(8, 2, 2, 1);
    for (int i = 0; i < 4; i++)
        push(queue, i);
    assert_runs(queue, 0, QUEUE_RUN, 0);
    assert_true(queue_block_begin(queue, 0, &items[0]));
    assert_runs(queue, 1, QUEUE_RUN, 1);
    assert_false(queue_block_begin(queue, 1, &items[1]));
    queue_close(queue);
    queue_block_end(queue, 0);
    assert_ptr_equal(queue_take_rest(queue), &items[2]);
    assert_ptr_equal(queue_take_rest(queue), &items[3]);
    assert_ptr_equal(queue_take_rest(queue), &items[1]);
    assert_null(queue_take_rest(queue));
    queue_destroy(queue);
}

/* The poller had taken items out of the parked set when the queue was closed. */
static void queue_closed_keeps_what_was_polled(void **state)
{
    (void)state;
    struct queue *queue = create(4, 1, 1, 1);
    struct pool_item *found[5];
    for (int i = 0; i < 5; i++)
        found[i] = &items[i];
    assert_turn(queue, 0, QUEUE_POLL);
    queue_close(queue);
    assert_int_equal(queue_polled(queue, 0, found, 5), 4);
    assert_turn(queue, 0, QUEUE_END);
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(queue_take_rest(queue), &items[i]);
    assert_null(queue_take_rest(queue));
    queue_destroy(queue);
}

static void queue_destroy_of_null_is_allowed(void **state)
{
    (void)state;
    queue_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_push_new_items_fills_three_quarters),
        cmocka_unit_test(queue_push_some_takes_what_fits_in_order),
        cmocka_unit_test(queue_return_fills_the_rest),
        cmocka_unit_test(queue_push_among_returned_items_fits),
        cmocka_unit_test(queue_push_after_taking_fits_again),
        cmocka_unit_test(queue_event_says_how_the_item_came),
        cmocka_unit_test(queue_item_has_the_time_at_which_it_came),
        cmocka_unit_test(queue_items_run_in_order),
        cmocka_unit_test(queue_push_full_waits_as_long_as_told),
        cmocka_unit_test(queue_push_full_gets_the_room_that_comes),
        cmocka_unit_test(queue_next_empty_is_to_poll),
        cmocka_unit_test(queue_next_has_one_poller),
        cmocka_unit_test(queue_polled_takes_what_fits_and_runs_it_first_in_order),
        cmocka_unit_test(queue_items_that_come_back_have_three_of_four_turns),
        cmocka_unit_test(queue_turns_without_somebody_in_the_line_are_not_counted),
        cmocka_unit_test(queue_next_after_a_while_is_a_glance),
        cmocka_unit_test(queue_next_is_no_glance_while_many_that_came_back_wait),
        cmocka_unit_test(queue_returned_item_may_go_ahead),
        cmocka_unit_test(queue_next_of_an_empty_queue_is_no_glance_after_a_while),
        cmocka_unit_test(queue_next_after_sixteen_items_is_a_glance),
        cmocka_unit_test(queue_next_after_a_poll_counts_items_anew),
        cmocka_unit_test(queue_block_begin_is_bounded),
        cmocka_unit_test(queue_block_begin_twice_counts_once),
        cmocka_unit_test(queue_deferred_run_in_order_and_before_queued),
        cmocka_unit_test(queue_push_wakes_the_poller_if_nobody_else_is_there),
        cmocka_unit_test(queue_push_wakes_a_sleeper_rather_than_the_poller),
        cmocka_unit_test(queue_push_while_enough_run_wakes_nobody),
        cmocka_unit_test(queue_polled_wakes_no_more_than_may_run),
        cmocka_unit_test(queue_polled_one_item_wakes_nobody),
        cmocka_unit_test(queue_next_while_enough_run_waits),
        cmocka_unit_test(queue_block_begin_wakes_a_sleeper_for_work),
        cmocka_unit_test(queue_block_begin_wakes_a_sleeper_to_poll),
        cmocka_unit_test(queue_block_begin_without_need_wakes_nobody),
        cmocka_unit_test(queue_watch_joins_in_when_runners_stall),
        cmocka_unit_test(queue_watch_takes_over_polling_when_runners_stall),
        cmocka_unit_test(queue_watch_takes_over_polling_when_the_poller_stalls),
        cmocka_unit_test(queue_push_calls_the_poller_to_watch_runners),
        cmocka_unit_test(queue_watch_sees_work_that_a_worker_leaves),
        cmocka_unit_test(queue_watch_sees_that_the_disk_is_free),
        cmocka_unit_test(queue_watch_gives_a_worker_its_time),
        cmocka_unit_test(queue_watch_with_nothing_to_watch_sleeps),
        cmocka_unit_test(queue_closed_takes_nothing_and_ends_turns),
        cmocka_unit_test(queue_close_ends_all_waits),
        cmocka_unit_test(queue_closed_gives_back_queued_then_deferred),
        cmocka_unit_test(queue_closed_keeps_what_was_polled),
        cmocka_unit_test(queue_destroy_of_null_is_allowed),
    };
    alarm(HANG_S);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
