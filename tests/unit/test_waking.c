/* The workers of a queue: who is woken, and what the watch sees. */
#include "tests/unit/queue_fixture.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    alarm(HANG_S);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
