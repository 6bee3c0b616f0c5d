/* The pool from end to end: threads, queue and parked set together, over real descriptors. */
#include "pool/pool.h"

#include "pool/clock.h"
#include "pool/sync.h"
#include "tests/unit/threads.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define HANG_S    240
#define LONG_MS   10000 /* nothing that works takes so long */
#define SOON_MS   500   /* far less than the poller's longest wait, far more than any work here */
#define FAR_MS    1000000
#define TASKS_MAX 256
#define COUNT(x)  (sizeof(x) / sizeof((x)[0]))

struct task;
typedef enum pool_next step_fn(struct task *task, enum pool_event event, unsigned worker);

/* An item, what it does when it runs, and what has happened to it. */
struct task {
    struct pool_item item;
    step_fn *step;
    int peer;        /* the other end of its socket */
    atomic_int left; /* a count for the step's own use */
    atomic_bool busy;
    atomic_int runs;
    atomic_int finishes;
    atomic_int discards;
    atomic_int last_event;
};

static const unsigned worker_counts[] = {1, 2, 3, 4, 20};

static struct pool *pool;
static unsigned workers;
static struct task tasks[TASKS_MAX];
static sem_t done;       /* one for each task that has said finish() */
static sem_t gate;       /* steps wait here, for the test to let them go */
static sem_t arrived;    /* ... after having said so */
static atomic_int count; /* for the steps' own use */

static void post(sem_t *semaphore)
{
    threads_check(sem_post(semaphore) == 0);
}

static void wait_for_times(sem_t *semaphore, size_t times)
{
    for (size_t i = 0; i < times; i++)
        assert_true(threads_wait_for(semaphore, LONG_MS));
}

static enum pool_next run(struct pool_item *item, enum pool_event event, unsigned worker,
                          void *context)
{
    struct task *task = (struct task *)item;
    threads_check(context == &pool && worker < workers);
    threads_check(!atomic_exchange(&task->busy, true)); /* one owner at a time */
    atomic_fetch_add(&task->runs, 1);
    atomic_store(&task->last_event, (int)event);
    enum pool_next next = task->step(task, event, worker);
    if (next != POOL_GONE)
        atomic_store(&task->busy, false);
    return next;
}

static void discard(struct pool_item *item, void *context)
{
    struct task *task = (struct task *)item;
    threads_check(context == &pool);
    atomic_fetch_add(&task->discards, 1);
}

/* A pool that has not started, and tasks that all take this step. */
static void create(unsigned worker_count, size_t capacity, step_fn *step)
{
    workers = worker_count;
    atomic_store(&count, 0);
    for (int i = 0; i < TASKS_MAX; i++)
        tasks[i] = (struct task){.step = step, .item.fd = -1, .peer = -1};
    assert_int_equal(sem_init(&done, 0, 0), 0);
    assert_int_equal(sem_init(&gate, 0, 0), 0);
    assert_int_equal(sem_init(&arrived, 0, 0), 0);
    pool = pool_create(&(struct pool_options){.workers = worker_count,
                                              .queue_capacity = capacity,
                                              .run = run,
                                              .discard = discard,
                                              .context = &pool});
    assert_non_null(pool);
}

static void start(void)
{
    assert_int_equal(pool_start(pool), 0);
}

static void end(void)
{
    pool_stop(pool);
    pool_destroy(pool);
    for (int i = 0; i < TASKS_MAX; i++) {
        if (tasks[i].item.fd >= 0)
            assert_int_equal(close(tasks[i].item.fd), 0);
        if (tasks[i].peer >= 0)
            assert_int_equal(close(tasks[i].peer), 0);
    }
}

static void push(int index)
{
    assert_int_equal(pool_push(pool, &tasks[index].item, LONG_MS), QUEUE_OK);
}

/* Gives tasks a socket each, to be parked on until it is readable. */
static void open_sockets(int from, int to)
{
    for (int i = from; i < to; i++) {
        int ends[2];
        int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
        assert_int_equal(socketpair(AF_UNIX, type, 0, ends), 0);
        tasks[i].item.fd = ends[0];
        tasks[i].item.deadline_ms = clock_now_ms() + FAR_MS;
        tasks[i].peer = ends[1];
    }
}

static void poke(int index)
{
    assert_int_equal(write(tasks[index].peer, "x", 1), 1);
}

static void park(int index)
{
    assert_int_equal(pool_park(pool, &tasks[index].item), 0);
}

/* The last touch of a step that returns POOL_GONE. */
static enum pool_next finish(struct task *task)
{
    atomic_fetch_add(&task->finishes, 1);
    atomic_store(&task->busy, false);
    post(&done);
    return POOL_GONE;
}

static enum pool_next step_finish(struct task *task, enum pool_event event, unsigned worker)
{
    (void)event;
    (void)worker;
    return finish(task);
}

/* Parks at first, then finishes. */
static enum pool_next step_park(struct task *task, enum pool_event event, unsigned worker)
{
    (void)worker;
    return event == POOL_NEW ? POOL_PARK : finish(task);
}

/* Blocks without a word, until the test opens the gate. */
static enum pool_next step_stall(struct task *task, enum pool_event event, unsigned worker)
{
    (void)event;
    (void)worker;
    post(&arrived);
    threads_check(threads_wait_for(&gate, LONG_MS));
    return finish(task);
}

/* --- items come and go --------------------------------------------------------------------- */

static void pool_pushed_items_run_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(worker_counts); i++) {
        create(worker_counts[i], 16, step_finish);
        push(0);
        push(1);
        start();
        for (int n = 2; n < TASKS_MAX; n++)
            push(n);
        wait_for_times(&done, TASKS_MAX);
        for (int n = 0; n < TASKS_MAX; n++) {
            assert_int_equal(tasks[n].runs, 1);
            assert_int_equal(tasks[n].last_event, POOL_NEW);
        }
        end();
    }
}

/* Sends back each byte that comes, and finishes when the peer has closed. */
static enum pool_next step_echo(struct task *task, enum pool_event event, unsigned worker)
{
    (void)worker;
    char byte;
    ssize_t length;
    threads_check(event == POOL_NEW || event == POOL_READY || event == POOL_CONTINUED);
    while ((length = read(task->item.fd, &byte, 1)) == 1)
        threads_check(write(task->item.fd, &byte, 1) == 1);
    return length < 0 ? POOL_PARK : finish(task);
}

static void read_answer(int index)
{
    struct pollfd peer = {.fd = tasks[index].peer, .events = POLLIN};
    char byte;
    assert_int_equal(poll(&peer, 1, LONG_MS), 1);
    assert_int_equal(read(peer.fd, &byte, 1), 1);
}

static void pool_parked_items_come_back(void **state)
{
    (void)state;
    enum { SOCKETS = 64 };
    for (size_t i = 0; i < COUNT(worker_counts); i++) {
        create(worker_counts[i], 16, step_echo);
        start();
        open_sockets(0, SOCKETS);
        for (int n = 0; n < SOCKETS; n++)
            push(n);
        for (int round = 0; round < 20; round++) {
            for (int n = 0; n < SOCKETS; n++)
                poke(n);
            for (int n = 0; n < SOCKETS; n++)
                read_answer(n);
        }
        for (int n = 0; n < SOCKETS; n++) {
            assert_int_equal(close(tasks[n].peer), 0);
            tasks[n].peer = -1;
        }
        wait_for_times(&done, SOCKETS);
        end();
    }
}

static void pool_item_parked_from_outside_runs(void **state)
{
    (void)state;
    create(1, 4, step_finish);
    open_sockets(0, 2);
    park(0);
    start();
    park(1);
    struct pool_figures figures;
    pool_figures(pool, &figures);
    assert_int_equal(figures.parked[POOL_EVICT_FIRST], 2);
    poke(1);
    wait_for_times(&done, 1);
    assert_int_equal(tasks[1].last_event, POOL_READY);
    poke(0);
    wait_for_times(&done, 1);
    end();
}

static void pool_deadline_passed_expires(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(worker_counts); i++) {
        create(worker_counts[i], 4, step_finish);
        open_sockets(0, 1);
        tasks[0].item.deadline_ms = clock_now_ms() + 20;
        park(0);
        start();
        wait_for_times(&done, 1);
        int64_t late_ms = clock_now_ms() - tasks[0].item.deadline_ms;
        assert_true(late_ms >= 0 && late_ms < SOON_MS);
        assert_int_equal(tasks[0].last_event, POOL_EXPIRED);
        end();
    }
}

static void pool_evict_and_drain_reach_parked_items(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(worker_counts); i++) {
        create(worker_counts[i], 4, step_finish);
        start();
        assert_false(pool_evict(pool));
        open_sockets(0, 3);
        for (int n = 0; n < 3; n++) {
            tasks[n].item.rank = (enum pool_rank)n;
            park(n);
        }
        assert_true(pool_evict(pool));
        assert_true(threads_wait_for(&done, SOON_MS));
        assert_int_equal(tasks[POOL_EVICT_FIRST].last_event, POOL_EVICTED);
        assert_true(pool_evict(pool));
        assert_true(threads_wait_for(&done, SOON_MS));
        assert_int_equal(tasks[POOL_EVICT_SECOND].last_event, POOL_EVICTED);
        assert_false(pool_evict(pool));

        tasks[0].step = step_park;
        push(0);
        pool_drain(pool);
        assert_true(threads_wait_for(&done, SOON_MS));
        assert_int_equal(tasks[0].last_event, POOL_DRAINED);
        assert_int_equal(tasks[POOL_KEEP].runs, 0);
        end();
    }
}

static void pool_item_that_cannot_be_parked_runs(void **state)
{
    (void)state;
    create(1, 4, step_park);
    tasks[0].item.fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_true(tasks[0].item.fd >= 0);
    start();
    push(0);
    wait_for_times(&done, 1);
    assert_int_equal(tasks[0].last_event, POOL_UNPARKABLE);
    end();
}

/* --- shares -------------------------------------------------------------------------------- */

/* Takes `left` shares; the tasks are numbered in the order in which they finish. */
static enum pool_next step_shares(struct task *task, enum pool_event event, unsigned worker)
{
    (void)worker;
    threads_check(event == (task->runs == 1 ? POOL_NEW : POOL_CONTINUED));
    if (--task->left > 0)
        return POOL_AGAIN;
    task->left = atomic_fetch_add(&count, 1);
    return finish(task);
}

static void pool_item_with_many_shares_lets_others_pass(void **state)
{
    (void)state;
    create(1, 8, step_shares);
    static const int shares[] = {5, 1, 3, 2};
    static const int order[] = {3, 0, 2, 1};
    for (int i = 0; i < 4; i++) {
        tasks[i].left = shares[i];
        push(i);
    }
    start();
    wait_for_times(&done, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(tasks[i].left, order[i]);
    end();
}

static enum pool_next step_two_shares(struct task *task, enum pool_event event, unsigned worker)
{
    (void)worker;
    return event == POOL_NEW ? POOL_AGAIN : finish(task);
}

/* Fills the queue, where one waits already, and asks for another share: which comes at once. */
static enum pool_next step_fill_queue(struct task *task, enum pool_event event, unsigned worker)
{
    (void)worker;
    if (event == POOL_NEW) {
        for (int i = 2; i < 5; i++)
            threads_check(pool_push(pool, &tasks[i].item, 0) == QUEUE_OK);
        return POOL_AGAIN;
    }
    threads_check(event == POOL_CONTINUED);
    for (int i = 0; i < 5; i++)
        threads_check(tasks[i].finishes == 0);
    return finish(task);
}

static void pool_again_with_full_queue_continues_at_once(void **state)
{
    (void)state;
    create(1, 4, step_finish);
    tasks[0].step = step_two_shares;
    tasks[1].step = step_fill_queue;
    push(0);
    push(1);
    start();
    wait_for_times(&done, 5);
    end();
}

/* --- fairness ------------------------------------------------------------------------------ */

/* Wants share after share, until the test says that it is enough. */
static enum pool_next step_greedy(struct task *task, enum pool_event event, unsigned worker)
{
    (void)event;
    (void)worker;
    int64_t until_ns = sync_now_ns() + 20000;
    while (sync_now_ns() < until_ns)
        ;
    return atomic_load(&count) ? finish(task) : POOL_AGAIN;
}

/* They fill the queue all but one place. A new item gets in, and one that is parked comes back. */
static void pool_greedy_items_let_others_in(void **state)
{
    (void)state;
    enum { GREEDY = 15, PARKED = GREEDY, NEW };
    for (size_t i = 0; i < COUNT(worker_counts); i++) {
        create(worker_counts[i], GREEDY + 1, step_greedy);
        start();
        for (int n = 0; n < GREEDY; n++)
            push(n);
        open_sockets(PARKED, PARKED + 1);
        tasks[PARKED].step = step_finish;
        tasks[NEW].step = step_finish;
        poke(PARKED);
        park(PARKED);
        wait_for_times(&done, 1);
        assert_int_equal(tasks[PARKED].finishes, 1);
        push(NEW);
        wait_for_times(&done, 1);
        atomic_store(&count, 1);
        wait_for_times(&done, GREEDY);
        end();
    }
}

/* Its place is taken by a new one at once: for the pool it might be another. */
static enum pool_next step_flood(struct task *task, enum pool_event event, unsigned worker)
{
    (void)worker;
    threads_check(event == POOL_NEW);
    if (atomic_load(&count))
        return finish(task);
    atomic_store(&task->busy, false);
    threads_check(pool_push(pool, &task->item, 0) == QUEUE_OK);
    return POOL_GONE;
}

static void pool_flood_of_new_items_lets_parked_ones_in(void **state)
{
    (void)state;
    enum { FLOOD = 24, PARKED = FLOOD };
    for (size_t i = 0; i < COUNT(worker_counts); i++) {
        create(worker_counts[i], 32, step_flood);
        open_sockets(PARKED, PARKED + 10);
        start();
        for (int n = 0; n < FLOOD; n++)
            push(n);
        for (int n = PARKED; n < PARKED + 10; n++) {
            tasks[n].step = step_finish;
            park(n);
            poke(n);
            assert_true(threads_wait_for(&done, SOON_MS));
            assert_int_equal(tasks[n].finishes, 1);
        }
        atomic_store(&count, 1);
        wait_for_times(&done, FLOOD);
        end();
    }
}

/* --- the disk ------------------------------------------------------------------------------ */

static unsigned blocking_bound(void)
{
    return workers > 3 ? workers - 2 : 1;
}

/* Blocks until the gate is opened, no more at a time than may do so. */
static enum pool_next block(struct task *task)
{
    threads_check(atomic_fetch_add(&count, 1) < (int)blocking_bound());
    post(&arrived);
    threads_check(threads_wait_for(&gate, LONG_MS));
    atomic_fetch_sub(&count, 1);
    return finish(task);
}

static enum pool_next step_ask_to_block(struct task *task, enum pool_event event, unsigned worker)
{
    (void)worker;
    threads_check(event == POOL_NEW || event == POOL_MAY_BLOCK);
    return event == POOL_NEW ? POOL_BLOCK : block(task);
}

static enum pool_next step_say_that_it_blocks(struct task *task, enum pool_event event,
                                              unsigned worker)
{
    if (event == POOL_MAY_BLOCK)
        return block(task);
    threads_check(event == POOL_NEW);
    atomic_store(&task->busy, false); /* it may be another's at once */
    if (!pool_blocking_begin(pool, &task->item, worker))
        return POOL_GONE;
    atomic_store(&task->busy, true);
    enum pool_next next = block(task);
    pool_blocking_end(pool, worker);
    return next;
}

static void pool_more_blocking_items_than_slots(step_fn *step)
{
    for (size_t i = 0; i < COUNT(worker_counts); i++) {
        create(worker_counts[i], 64, step);
        start();
        for (int n = 0; n < 40; n++)
            push(n);
        wait_for_times(&arrived, blocking_bound()); /* as many as may block really do */
        tasks[40].step = step_finish;
        if (workers > 1) { /* meanwhile others run */
            push(40);
            assert_true(threads_wait_for(&done, SOON_MS));
            assert_int_equal(tasks[40].runs, 1);
        }
        for (int n = 0; n < 40; n++)
            post(&gate);
        wait_for_times(&done, 40);
        end();
    }
}

static void pool_more_blocking_items_than_slots_take_turns(void **state)
{
    (void)state;
    pool_more_blocking_items_than_slots(step_ask_to_block);
}

static void pool_more_announced_blocks_than_slots_take_turns(void **state)
{
    (void)state;
    pool_more_blocking_items_than_slots(step_say_that_it_blocks);
}

/* --- stalls -------------------------------------------------------------------------------- */

/* All workers but one block without a word; that one serves what is pushed, or becomes ready. */
static void pool_stalled_workers_but_one_serves_the_rest(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(worker_counts); i++) {
        create(worker_counts[i], 64, step_stall);
        start();
        open_sockets(100, 130);
        for (int n = 100; n < 130; n++) {
            tasks[n].step = step_finish;
            park(n);
        }
        for (unsigned n = 0; n < workers - 1; n++)
            push((int)n);
        wait_for_times(&arrived, workers - 1);
        for (int n = 0; n < 10; n++) {
            tasks[n + 50].step = step_finish;
            poke(n + 100);
            assert_true(threads_wait_for(&done, SOON_MS));
            push(n + 50);
            assert_true(threads_wait_for(&done, SOON_MS));
        }
        for (int n = 110; n < 130; n++)
            poke(n);
        wait_for_times(&done, 20);
        for (unsigned n = 0; n < workers - 1; n++)
            post(&gate);
        wait_for_times(&done, workers - 1);
        end();
    }
}

/* The first one waits until all others are done. */
static enum pool_next step_wait_for_others(struct task *task, enum pool_event event,
                                           unsigned worker)
{
    (void)event;
    (void)worker;
    if (atomic_fetch_add(&count, 1) == 0)
        threads_check(threads_wait_for(&gate, LONG_MS));
    return finish(task);
}

/* More become ready than the queue holds: who has taken them must not sit on them. */
static void pool_stalled_poller_keeps_no_items(void **state)
{
    (void)state;
    create(2, 4, step_wait_for_others);
    open_sockets(0, 30);
    for (int i = 0; i < 30; i++) {
        poke(i);
        park(i);
    }
    start();
    for (int i = 0; i < 29; i++)
        assert_true(threads_wait_for(&done, SOON_MS));
    post(&gate);
    wait_for_times(&done, 1);
    end();
}

/* --- the end ------------------------------------------------------------------------------- */

static void pool_stop_idle_comes_soon(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(worker_counts); i++) {
        create(worker_counts[i], 4, step_finish);
        start();
        push(0);
        wait_for_times(&done, 1);
        int64_t start_ms = clock_now_ms();
        end();
        assert_true(clock_now_ms() - start_ms < SOON_MS);
    }
}

static void *stop(void *unused)
{
    pool_stop(pool);
    return unused;
}

/* Runs when the pool is stopped, and has a wish then. */
static enum pool_next wish_at_the_end(struct task *task, enum pool_next wish)
{
    if (task->runs > 1)
        return finish(task);
    post(&arrived);
    threads_check(threads_wait_for(&gate, LONG_MS));
    return wish;
}

static enum pool_next step_again_at_the_end(struct task *task, enum pool_event event,
                                            unsigned worker)
{
    (void)worker;
    threads_check(event == (task->runs == 1 ? POOL_NEW : POOL_EVICTED));
    return wish_at_the_end(task, POOL_AGAIN);
}

static enum pool_next step_park_at_the_end(struct task *task, enum pool_event event,
                                           unsigned worker)
{
    (void)worker;
    threads_check(event == POOL_NEW);
    return wish_at_the_end(task, POOL_PARK);
}

/* Tasks 0 to 17 block, 18 and 19 run; so the later ones wait, for the disk or in the queue. */
static int occupy_all_workers(void)
{
    struct pool_figures figures;
    int next = 0;
    while (next < 18)
        push(next++);
    wait_for_times(&arrived, 18);
    for (next = 20; next < 25; next++)
        push(next);
    do
        pool_figures(pool, &figures);
    while (figures.queue.waiting_for_disk < 5);
    tasks[18].step = step_again_at_the_end;
    tasks[19].step = step_park_at_the_end;
    push(18);
    push(19);
    wait_for_times(&arrived, 2);
    while (pool_push(pool, &tasks[next].item, 0) == QUEUE_OK)
        next++;
    return next;
}

/* Workers in all states, and items with each possible owner: none is lost, none comes twice. */
static void pool_stop_in_every_state_discards_each_item_once(void **state)
{
    (void)state;
    create(20, 64, step_ask_to_block);
    start();
    open_sockets(19, 20);
    int used = occupy_all_workers();
    open_sockets(used, used + 10);
    for (int n = 0; n < 10; n++)
        park(used++);
    poke(used - 1); /* but nobody polls any more */

    pthread_t stopper;
    assert_int_equal(pthread_create(&stopper, NULL, stop, NULL), 0);
    while (pool_push(pool, &tasks[used].item, 0) == QUEUE_FULL)
        (void)sched_yield();
    for (int n = 0; n < 20; n++)
        post(&gate);
    assert_int_equal(pthread_join(stopper, NULL), 0);
    end();

    for (int n = 0; n < TASKS_MAX; n++) {
        assert_int_equal(tasks[n].finishes, n < 19);
        assert_int_equal(tasks[n].discards, n >= 19 && n < used);
    }
}

static void pool_not_started_discards_all(void **state)
{
    (void)state;
    create(4, 8, step_finish);
    open_sockets(6, 9);
    for (int i = 0; i < 6; i++)
        push(i);
    for (int i = 6; i < 9; i++)
        park(i);
    end();
    for (int i = 0; i < 9; i++) {
        assert_int_equal(tasks[i].runs, 0);
        assert_int_equal(tasks[i].discards, 1);
    }
}

/* No address space has room for such a stack. */
static void pool_start_without_threads_fails(void **state)
{
    (void)state;
    pthread_attr_t before, huge;
    assert_int_equal(pthread_getattr_default_np(&before), 0);
    assert_int_equal(pthread_attr_init(&huge), 0);
    assert_int_equal(pthread_attr_setstacksize(&huge, (size_t)1 << 50), 0);
    create(4, 8, step_finish);
    push(0);
    assert_int_equal(pthread_setattr_default_np(&huge), 0);
    errno = 0;
    int result = pool_start(pool);
    int error = errno;
    assert_int_equal(pthread_setattr_default_np(&before), 0);
    assert_int_equal(result, -1);
    assert_true(error == EAGAIN || error == ENOMEM);
    assert_int_equal(pool_push(pool, &tasks[1].item, LONG_MS), QUEUE_CLOSED);
    end();
    assert_int_equal(tasks[0].discards, 1);
    assert_int_equal(pthread_attr_destroy(&huge), 0);
    assert_int_equal(pthread_attr_destroy(&before), 0);
}

static void pool_null_is_allowed(void **state)
{
    (void)state;
    pool_stop(NULL);
    pool_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool_pushed_items_run_once),
        cmocka_unit_test(pool_parked_items_come_back),
        cmocka_unit_test(pool_item_parked_from_outside_runs),
        cmocka_unit_test(pool_deadline_passed_expires),
        cmocka_unit_test(pool_evict_and_drain_reach_parked_items),
        cmocka_unit_test(pool_item_that_cannot_be_parked_runs),
        cmocka_unit_test(pool_item_with_many_shares_lets_others_pass),
        cmocka_unit_test(pool_again_with_full_queue_continues_at_once),
        cmocka_unit_test(pool_greedy_items_let_others_in),
        cmocka_unit_test(pool_flood_of_new_items_lets_parked_ones_in),
        cmocka_unit_test(pool_more_blocking_items_than_slots_take_turns),
        cmocka_unit_test(pool_more_announced_blocks_than_slots_take_turns),
        cmocka_unit_test(pool_stalled_workers_but_one_serves_the_rest),
        cmocka_unit_test(pool_stalled_poller_keeps_no_items),
        cmocka_unit_test(pool_stop_idle_comes_soon),
        cmocka_unit_test(pool_stop_in_every_state_discards_each_item_once),
        cmocka_unit_test(pool_not_started_discards_all),
        cmocka_unit_test(pool_start_without_threads_fails),
        cmocka_unit_test(pool_null_is_allowed),
    };
    alarm(HANG_S);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
