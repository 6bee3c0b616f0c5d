/* The queue of the workers: what it takes and gives back, and who gets which turn. */
#include "tests/unit/queue_fixture.h"

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
static void queue_turns_while_no_arrival_waits_are_not_counted(void **state)
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
        cmocka_unit_test(queue_turns_while_no_arrival_waits_are_not_counted),
        cmocka_unit_test(queue_next_after_a_while_is_a_glance),
        cmocka_unit_test(queue_next_is_no_glance_while_many_that_came_back_wait),
        cmocka_unit_test(queue_returned_item_may_go_ahead),
        cmocka_unit_test(queue_next_of_an_empty_queue_is_no_glance_after_a_while),
        cmocka_unit_test(queue_next_after_sixteen_items_is_a_glance),
        cmocka_unit_test(queue_next_after_a_poll_counts_items_anew),
        cmocka_unit_test(queue_block_begin_is_bounded),
        cmocka_unit_test(queue_block_begin_twice_counts_once),
        cmocka_unit_test(queue_deferred_run_in_order_and_before_queued),
        cmocka_unit_test(queue_closed_takes_nothing_and_ends_turns),
        cmocka_unit_test(queue_close_ends_all_waits),
        cmocka_unit_test(queue_closed_gives_back_queued_then_deferred),
        cmocka_unit_test(queue_closed_keeps_what_was_polled),
        cmocka_unit_test(queue_destroy_of_null_is_allowed),
    };
    alarm(HANG_S);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
