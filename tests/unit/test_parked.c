/* The parked set: each item comes out once, for the right reason and at the right time. */
#include "pool/parked.h"

#include "pool/clock.h"
#include "tests/unit/threads.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define HANG_S    60
#define FAR_MS    1000000
#define ITEMS_MAX 16

/* A set, and items on eventfds that become readable when they are poked. */
struct fixture {
    struct parked *parked;
    struct pool_item items[ITEMS_MAX];
    struct pool_item *out[ITEMS_MAX];
};

static int setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.parked = parked_create()};
    assert_non_null(fixture.parked);
    for (int i = 0; i < ITEMS_MAX; i++) {
        fixture.items[i].fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        assert_true(fixture.items[i].fd >= 0);
        fixture.items[i].deadline_ms = clock_now_ms() + FAR_MS + i;
    }
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    while (parked_take_any(fixture->parked))
        ;
    parked_destroy(fixture->parked);
    for (int i = 0; i < ITEMS_MAX; i++)
        (void)close(fixture->items[i].fd); /* some tests have closed it already */
    return 0;
}

static void poke(const struct pool_item *item)
{
    assert_int_equal(eventfd_write(item->fd, 1), 0);
}

static void park(struct fixture *fixture, int index)
{
    assert_int_equal(parked_add(fixture->parked, &fixture->items[index]), PARKED_DONE);
}

static void park_ranked(struct fixture *fixture, int index, enum pool_rank rank)
{
    fixture->items[index].rank = rank;
    park(fixture, index);
}

static size_t look(struct fixture *fixture)
{
    return parked_poll(fixture->parked, false, fixture->out, ITEMS_MAX);
}

static size_t count_of(struct fixture *fixture, enum pool_rank rank)
{
    size_t counts[POOL_RANKS];
    parked_count(fixture->parked, counts);
    return counts[rank];
}

/* One look takes out exactly this one. */
static void assert_only(struct fixture *fixture, int index, enum pool_event event)
{
    assert_int_equal(look(fixture), 1);
    assert_ptr_equal(fixture->out[0], &fixture->items[index]);
    assert_int_equal(fixture->out[0]->event, event);
}

/* --- ready --------------------------------------------------------------------------------- */

static void parked_nothing_ready_returns_none(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(look(fixture), 0);
    park(fixture, 0);
    assert_int_equal(look(fixture), 0);
    assert_int_equal(count_of(fixture, POOL_EVICT_FIRST), 1);
}

static void parked_readable_comes_out(void **state)
{
    struct fixture *fixture = *state;
    park(fixture, 0);
    park(fixture, 1);
    poke(&fixture->items[1]);
    assert_only(fixture, 1, POOL_READY);
    assert_int_equal(count_of(fixture, POOL_EVICT_FIRST), 1);
}

/* For the log, which tells how long a request has waited. */
static void parked_item_has_the_time_at_which_it_came_out(void **state)
{
    struct fixture *fixture = *state;
    park(fixture, 0);
    poke(&fixture->items[0]);
    int64_t before_us = clock_now_us();
    assert_only(fixture, 0, POOL_READY);
    assert_in_range(fixture->items[0].ready_us, before_us, clock_now_us());
    assert_int_equal(fixture->items[0].came_us, fixture->items[0].ready_us);
}

static void parked_writable_comes_out(void **state)
{
    struct fixture *fixture = *state;
    fixture->items[3].interest = POOL_WRITABLE;
    park(fixture, 3);
    assert_only(fixture, 3, POOL_READY);
}

static void parked_peer_closed_is_ready(void **state)
{
    struct fixture *fixture = *state;
    for (int interest = POOL_READABLE; interest <= POOL_WRITABLE; interest++) {
        int ends[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        struct pool_item item = {.fd = ends[0],
                                 .interest = (enum pool_interest)interest,
                                 .deadline_ms = clock_now_ms() + FAR_MS};
        assert_int_equal(close(ends[1]), 0);
        assert_int_equal(parked_add(fixture->parked, &item), PARKED_DONE);
        assert_int_equal(look(fixture), 1);
        assert_ptr_equal(fixture->out[0], &item);
        assert_int_equal(item.event, POOL_READY);
        assert_int_equal(close(ends[0]), 0);
    }
}

static void parked_ready_item_comes_once(void **state)
{
    struct fixture *fixture = *state;
    park(fixture, 0);
    poke(&fixture->items[0]);
    assert_only(fixture, 0, POOL_READY);
    park(fixture, 0); /* without having read it */
    assert_int_equal(look(fixture), 0);
    poke(&fixture->items[0]);
    assert_only(fixture, 0, POOL_READY);
}

static void parked_edge_that_came_while_it_ran_is_not_lost(void **state)
{
    struct fixture *fixture = *state;
    struct pool_item *item = &fixture->items[0];
    park(fixture, 0);
    poke(item);
    assert_only(fixture, 0, POOL_READY);
    poke(item); /* it is running now */
    assert_int_equal(look(fixture), 0);
    assert_int_equal(parked_add(fixture->parked, item), PARKED_READY);
    assert_int_equal(count_of(fixture, POOL_EVICT_FIRST), 0);
    park(fixture, 0);
    assert_int_equal(look(fixture), 0);
    poke(item);
    assert_only(fixture, 0, POOL_READY);
    poke(item);
    park(fixture, 0); /* nobody has looked meanwhile: epoll still has it */
    assert_only(fixture, 0, POOL_READY);
}

static void parked_again_after_each_event_comes_out(void **state)
{
    struct fixture *fixture = *state;
    struct pool_item *item = &fixture->items[0];
    item->deadline_ms = 0;
    for (int round = 0; round < 3; round++) {
        park(fixture, 0);
        assert_only(fixture, 0, POOL_EXPIRED);
    }
    item->deadline_ms = clock_now_ms() + FAR_MS;
    poke(item);
    park(fixture, 0);
    assert_only(fixture, 0, POOL_READY);
    assert_int_equal(eventfd_read(item->fd, &(eventfd_t){0}), 0);
    park(fixture, 0);
    assert_true(parked_evict(fixture->parked));
    assert_only(fixture, 0, POOL_EVICTED);
    poke(item);
    park(fixture, 0);
    assert_only(fixture, 0, POOL_READY);
}

/* A short read does not show the end that has come with the bytes. */
static void parked_end_behind_bytes_is_not_lost(void **state)
{
    struct fixture *fixture = *state;
    int ends[2];
    char bytes[8];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    struct pool_item item = {.fd = ends[0], .deadline_ms = clock_now_ms() + FAR_MS};
    assert_int_equal(parked_add(fixture->parked, &item), PARKED_DONE);
    assert_int_equal(write(ends[1], "abc", 3), 3);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(look(fixture), 1);
    assert_int_equal(read(item.fd, bytes, sizeof(bytes)), 3);
    for (int times = 0; times < 3; times++)
        assert_int_equal(parked_add(fixture->parked, &item), PARKED_READY);
    assert_int_equal(read(item.fd, bytes, sizeof(bytes)), 0);
    assert_int_equal(close(ends[0]), 0);
}

/* A change of what it waits for is told to epoll, which then looks at what there is. */
static void parked_for_something_else_comes_out_for_that(void **state)
{
    struct fixture *fixture = *state;
    struct pool_item *item = &fixture->items[0];
    park(fixture, 0);
    poke(item);
    assert_only(fixture, 0, POOL_READY);
    for (int round = 0; round < 2; round++) {
        item->interest = POOL_WRITABLE;
        park(fixture, 0);
        assert_only(fixture, 0, POOL_READY);
        item->interest = POOL_READABLE;
        park(fixture, 0);
        assert_only(fixture, 0, POOL_READY);
    }
}

static void parked_more_ready_than_places_leaves_the_rest(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        size_t size, taken;
    } cases[] = {{1, 1}, {2, 2}, {3, 3}, {4, 3}, {5, 4}, {8, 6}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int n = 0; n < 8; n++) {
            poke(&fixture->items[n]);
            park(fixture, n);
        }
        size_t count = parked_poll(fixture->parked, false, fixture->out, cases[i].size);
        assert_int_equal(count, cases[i].taken);
        assert_int_equal(look(fixture), 8 - count);
    }
}

/* Under a flood of ready items the others come out all the same. */
static void parked_flood_of_ready_keeps_places_for_others(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 8; i++) {
        poke(&fixture->items[i]);
        park_ranked(fixture, i, POOL_KEEP);
    }
    fixture->items[8].deadline_ms = 0;
    park_ranked(fixture, 8, POOL_KEEP);
    park_ranked(fixture, 9, POOL_EVICT_FIRST);
    assert_true(parked_evict(fixture->parked));
    assert_int_equal(parked_poll(fixture->parked, false, fixture->out, 8), 8);
    assert_int_equal(fixture->items[8].event, POOL_EXPIRED);
    assert_int_equal(fixture->items[9].event, POOL_EVICTED);
}

/* --- deadlines ----------------------------------------------------------------------------- */

static void parked_deadline_passed_comes_out_at_once(void **state)
{
    struct fixture *fixture = *state;
    int64_t now_ms = clock_now_ms();
    const int64_t deadlines_ms[] = {INT64_MIN, -1, 0, now_ms - 1, now_ms};
    for (int i = 0; i < 5; i++) {
        fixture->items[i].deadline_ms = deadlines_ms[i];
        park(fixture, i);
        assert_only(fixture, i, POOL_EXPIRED);
    }
}

static void parked_poller_waits_until_the_deadline(void **state)
{
    struct fixture *fixture = *state;
    for (int64_t ms = 0; ms < 60; ms += 10) {
        int64_t deadline_ms = clock_now_ms() + ms;
        fixture->items[5].deadline_ms = deadline_ms;
        park_ranked(fixture, 5, POOL_KEEP);
        park(fixture, 6);
        size_t count = parked_poll(fixture->parked, true, fixture->out, ITEMS_MAX);
        assert_true(clock_now_ms() >= deadline_ms);
        assert_int_equal(count, 1);
        assert_ptr_equal(fixture->out[0], &fixture->items[5]);
        assert_int_equal(fixture->out[0]->event, POOL_EXPIRED);
        assert_ptr_equal(parked_take_any(fixture->parked), &fixture->items[6]);
    }
}

static void parked_deadline_to_come_stays_in(void **state)
{
    struct fixture *fixture = *state;
    for (int round = 0; round < 20; round++) {
        fixture->items[0].deadline_ms = clock_now_ms() + 2;
        park(fixture, 0);
        while (look(fixture) == 0)
            ;
        assert_true(clock_now_ms() >= fixture->items[0].deadline_ms);
    }
}

static void parked_ready_and_expired_is_ready(void **state)
{
    struct fixture *fixture = *state;
    fixture->items[0].deadline_ms = 0;
    poke(&fixture->items[0]);
    park(fixture, 0);
    assert_only(fixture, 0, POOL_READY);
    assert_int_equal(look(fixture), 0);
}

static void parked_expired_come_out_by_rank_and_deadline(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 6; i++) {
        fixture->items[i].deadline_ms = 100 - i;
        park_ranked(fixture, i, i < 3 ? POOL_KEEP : POOL_EVICT_FIRST);
    }
    assert_int_equal(look(fixture), 6);
    for (int i = 0; i < 6; i++)
        assert_ptr_equal(fixture->out[i], &fixture->items[5 - i]);
}

static void parked_wait_is_capped(void **state)
{
    struct fixture *fixture = *state;
    park(fixture, 0); /* its deadline is far beyond */
    int64_t start_ms = clock_now_ms();
    assert_int_equal(parked_poll(fixture->parked, true, fixture->out, ITEMS_MAX), 0);
    int64_t waited_ms = clock_now_ms() - start_ms;
    assert_in_range(waited_ms, PARKED_WAIT_MAX_MS - 1, 2 * PARKED_WAIT_MAX_MS - 1);
}

/* --- eviction and drain -------------------------------------------------------------------- */

static void parked_evicts_by_rank_then_deadline(void **state)
{
    struct fixture *fixture = *state;
    park_ranked(fixture, 4, POOL_KEEP);
    park_ranked(fixture, 0, POOL_EVICT_SECOND);
    park_ranked(fixture, 1, POOL_EVICT_SECOND);
    park_ranked(fixture, 3, POOL_EVICT_FIRST);
    park_ranked(fixture, 2, POOL_EVICT_FIRST);
    static const int order[] = {2, 3, 0, 1};
    for (int i = 0; i < 4; i++) {
        assert_true(parked_evict(fixture->parked));
        assert_only(fixture, order[i], POOL_EVICTED);
    }
    assert_false(parked_evict(fixture->parked));
    assert_int_equal(look(fixture), 0);
    assert_int_equal(count_of(fixture, POOL_KEEP), 1);
}

static void parked_evicts_no_more_than_there_are(void **state)
{
    struct fixture *fixture = *state;
    assert_false(parked_evict(fixture->parked));
    for (int i = 0; i < 3; i++)
        park(fixture, i);
    for (int i = 0; i < 3; i++)
        assert_true(parked_evict(fixture->parked));
    assert_false(parked_evict(fixture->parked));
    assert_int_equal(look(fixture), 3);
    park(fixture, 3);
    assert_int_equal(look(fixture), 0);
}

static void parked_eviction_lapses_when_the_items_have_left(void **state)
{
    struct fixture *fixture = *state;
    park(fixture, 0);
    assert_true(parked_evict(fixture->parked));
    poke(&fixture->items[0]);
    assert_only(fixture, 0, POOL_READY); /* it leaves, so there is the room that was needed */
    park(fixture, 1);
    assert_int_equal(look(fixture), 0);
}

static void parked_evictions_beyond_the_places_come_next(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 5; i++)
        park(fixture, i);
    for (int i = 0; i < 5; i++)
        assert_true(parked_evict(fixture->parked));
    size_t taken = parked_poll(fixture->parked, true, fixture->out, 4);
    assert_int_equal(taken, 4);
    /* The kick has been used up; the poller does not wait nevertheless. */
    int64_t start_ms = clock_now_ms();
    assert_int_equal(parked_poll(fixture->parked, true, fixture->out, 4), 1);
    assert_true(clock_now_ms() - start_ms < PARKED_WAIT_MAX_MS / 2);
}

static void parked_evicts_those_of_one_deadline_as_they_came(void **state)
{
    struct fixture *fixture = *state;
    static const int came[] = {3, 1, 4, 0, 2};
    static const int order[] = {3, 4, 0, 2, 1};
    for (int i = 0; i < 5; i++) {
        fixture->items[came[i]].deadline_ms = fixture->items[0].deadline_ms;
        park(fixture, came[i]);
    }
    poke(&fixture->items[1]);
    assert_only(fixture, 1, POOL_READY);
    park(fixture, 1); /* now it is the last that came */
    for (int i = 0; i < 5; i++) {
        assert_true(parked_evict(fixture->parked));
        assert_only(fixture, order[i], POOL_EVICTED);
    }
}

static void parked_several_orders_take_as_many_by_rank(void **state)
{
    struct fixture *fixture = *state;
    static const int order[] = {3, 4, 1};
    park_ranked(fixture, 0, POOL_KEEP);
    park_ranked(fixture, 1, POOL_EVICT_SECOND);
    park_ranked(fixture, 2, POOL_EVICT_SECOND);
    park_ranked(fixture, 3, POOL_EVICT_FIRST);
    park_ranked(fixture, 4, POOL_EVICT_FIRST);
    for (int i = 0; i < 3; i++)
        assert_true(parked_evict(fixture->parked));
    assert_int_equal(look(fixture), 3);
    for (int i = 0; i < 3; i++) {
        assert_ptr_equal(fixture->out[i], &fixture->items[order[i]]);
        assert_int_equal(fixture->out[i]->event, POOL_EVICTED);
    }
    assert_int_equal(look(fixture), 0);
}

/* An order is about those who were there: who came later, maybe in their place, is no victim. */
static void parked_later_than_the_order_is_no_victim(void **state)
{
    struct fixture *fixture = *state;
    park(fixture, 0);
    assert_true(parked_evict(fixture->parked));
    poke(&fixture->items[0]);
    park(fixture, 1);
    assert_only(fixture, 0, POOL_READY);
    assert_int_equal(look(fixture), 0);
}

static void parked_later_with_an_earlier_deadline_is_no_victim(void **state)
{
    struct fixture *fixture = *state;
    park(fixture, 1);
    assert_true(parked_evict(fixture->parked));
    park(fixture, 0);
    (void)look(fixture);
    poke(&fixture->items[0]);
    assert_only(fixture, 0, POOL_READY);
}

static void parked_later_with_the_first_rank_is_no_victim(void **state)
{
    struct fixture *fixture = *state;
    park_ranked(fixture, 0, POOL_EVICT_SECOND);
    assert_true(parked_evict(fixture->parked));
    park_ranked(fixture, 1, POOL_EVICT_FIRST);
    assert_only(fixture, 0, POOL_EVICTED);
    assert_int_equal(look(fixture), 0);
}

static void parked_next_order_is_about_the_later_ones_too(void **state)
{
    struct fixture *fixture = *state;
    park(fixture, 0);
    assert_true(parked_evict(fixture->parked));
    park(fixture, 1);
    assert_true(parked_evict(fixture->parked));
    park(fixture, 2);
    assert_int_equal(look(fixture), 2);
    assert_ptr_equal(fixture->out[0], &fixture->items[0]);
    assert_ptr_equal(fixture->out[1], &fixture->items[1]);
    assert_int_equal(look(fixture), 0);
}

static void parked_order_with_nobody_to_evict_is_forgotten(void **state)
{
    struct fixture *fixture = *state;
    park_ranked(fixture, 0, POOL_KEEP);
    assert_false(parked_evict(fixture->parked));
    park_ranked(fixture, 1, POOL_EVICT_FIRST);
    park_ranked(fixture, 2, POOL_EVICT_SECOND);
    assert_int_equal(look(fixture), 0);
}

static void parked_order_that_has_lapsed_does_not_add_to_the_next(void **state)
{
    struct fixture *fixture = *state;
    park(fixture, 0);
    assert_true(parked_evict(fixture->parked));
    poke(&fixture->items[0]);
    assert_only(fixture, 0, POOL_READY);
    park(fixture, 1);
    park(fixture, 2);
    assert_true(parked_evict(fixture->parked));
    assert_only(fixture, 1, POOL_EVICTED);
    assert_int_equal(look(fixture), 0);
}

static void parked_drain_takes_first_rank_now_and_later(void **state)
{
    struct fixture *fixture = *state;
    park_ranked(fixture, 0, POOL_EVICT_FIRST);
    park_ranked(fixture, 1, POOL_EVICT_SECOND);
    park_ranked(fixture, 2, POOL_KEEP);
    parked_drain(fixture->parked);
    assert_only(fixture, 0, POOL_DRAINED);
    park_ranked(fixture, 3, POOL_KEEP);
    assert_int_equal(look(fixture), 0);
    park_ranked(fixture, 4, POOL_EVICT_FIRST);
    assert_only(fixture, 4, POOL_DRAINED);
}

/* --- the poller's wait --------------------------------------------------------------------- */

struct poller {
    struct fixture *fixture;
    atomic_int tid;
    size_t count;
    int64_t waited_ms;
};

static void *poll_once(void *argument)
{
    struct poller *poller = argument;
    struct fixture *fixture = poller->fixture;
    int64_t start_ms = clock_now_ms();
    atomic_store(&poller->tid, gettid());
    poller->count = parked_poll(fixture->parked, true, fixture->out, ITEMS_MAX);
    poller->waited_ms = clock_now_ms() - start_ms;
    return NULL;
}

/* What happens while a poller waits ends its wait. */
static void poll_while(struct fixture *fixture, void (*act)(struct fixture *), size_t count)
{
    struct poller poller = {.fixture = fixture};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, poll_once, &poller), 0);
    threads_wait_asleep(&poller.tid);
    act(fixture);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(poller.count, count);
    assert_true(poller.waited_ms < PARKED_WAIT_MAX_MS / 2);
}

static void kick(struct fixture *fixture)
{
    parked_kick(fixture->parked);
}

static void evict(struct fixture *fixture)
{
    assert_true(parked_evict(fixture->parked));
}

static void drain(struct fixture *fixture)
{
    parked_drain(fixture->parked);
}

static void park_second(struct fixture *fixture)
{
    park(fixture, 1);
}

static void park_third_ready(struct fixture *fixture)
{
    poke(&fixture->items[2]);
    park_ranked(fixture, 2, POOL_KEEP);
}

static void parked_wait_ends_when_something_happens(void **state)
{
    struct fixture *fixture = *state;
    poll_while(fixture, kick, 0);
    poll_while(fixture, park_third_ready, 1);
    park(fixture, 0);
    poll_while(fixture, evict, 1);
    park(fixture, 0);
    poll_while(fixture, drain, 1);
    poll_while(fixture, park_second, 1); /* since it drains */
    assert_int_equal(fixture->out[0]->event, POOL_DRAINED);
}

static void parked_kicks_before_the_wait_end_it_once(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 3; i++)
        parked_kick(fixture->parked);
    fixture->items[0].deadline_ms = clock_now_ms() + 50;
    park(fixture, 0);
    assert_int_equal(parked_poll(fixture->parked, true, fixture->out, ITEMS_MAX), 0);
    assert_int_equal(parked_poll(fixture->parked, true, fixture->out, ITEMS_MAX), 1);
    assert_int_equal(fixture->out[0]->event, POOL_EXPIRED);
}

/* --- descriptors --------------------------------------------------------------------------- */

static void parked_refused_by_epoll_stays_the_callers(void **state)
{
    struct fixture *fixture = *state;
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC); /* epoll takes no regular file */
    assert_true(file >= 0);
    const struct {
        int fd, error;
        bool registered;
    } cases[] = {{-1, EBADF, false}, {file, EPERM, false}, {fixture->items[0].fd, ENOENT, true}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pool_item item = {
            .fd = cases[i].fd, .interest = POOL_WRITABLE, .registered = cases[i].registered};
        errno = 0;
        assert_int_equal(parked_add(fixture->parked, &item), PARKED_FAILED);
        assert_int_equal(errno, cases[i].error);
        assert_false(item.registered);
        assert_int_equal(count_of(fixture, POOL_EVICT_FIRST), 0);
        assert_int_equal(look(fixture), 0);
    }
    assert_int_equal(close(file), 0);
}

/* The number of a closed descriptor is given to the next one: nothing of the old may show. */
static void parked_descriptor_closed_and_reused_is_new(void **state)
{
    struct fixture *fixture = *state;
    struct pool_item old = {.fd = fixture->items[0].fd, .deadline_ms = clock_now_ms() + FAR_MS};
    assert_int_equal(parked_add(fixture->parked, &old), PARKED_DONE);
    poke(&old);
    assert_int_equal(look(fixture), 1);
    assert_ptr_equal(fixture->out[0], &old);
    assert_int_equal(close(old.fd), 0);
    assert_int_equal(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), old.fd);

    park(fixture, 0);
    assert_int_equal(look(fixture), 0);
    poke(&fixture->items[0]);
    assert_only(fixture, 0, POOL_READY);
}

/* A child that inherited the descriptor keeps what it names alive beyond close(). */
static void parked_descriptor_closed_but_held_elsewhere_is_silent(void **state)
{
    struct fixture *fixture = *state;
    int copy = dup(fixture->items[0].fd);
    assert_true(copy >= 0);
    park(fixture, 0);
    poke(&fixture->items[0]);
    assert_only(fixture, 0, POOL_READY);
    assert_int_equal(close(fixture->items[0].fd), 0);
    assert_int_equal(eventfd_write(copy, 1), 0);
    assert_int_equal(look(fixture), 0);
    assert_int_equal(close(copy), 0);
}

static void parked_take_any_empties_the_set(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 9; i++)
        park_ranked(fixture, i, (enum pool_rank)(i % POOL_RANKS));
    for (int i = 0; i < 9; i++)
        assert_non_null(parked_take_any(fixture->parked));
    assert_null(parked_take_any(fixture->parked));
    poke(&fixture->items[0]);
    assert_int_equal(look(fixture), 0);
}

static void parked_destroy_of_null_is_allowed(void **state)
{
    (void)state;
    parked_destroy(NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parked_nothing_ready_returns_none),
        TEST(parked_readable_comes_out),
        TEST(parked_item_has_the_time_at_which_it_came_out),
        TEST(parked_writable_comes_out),
        TEST(parked_peer_closed_is_ready),
        TEST(parked_ready_item_comes_once),
        TEST(parked_edge_that_came_while_it_ran_is_not_lost),
        TEST(parked_end_behind_bytes_is_not_lost),
        TEST(parked_for_something_else_comes_out_for_that),
        TEST(parked_again_after_each_event_comes_out),
        TEST(parked_more_ready_than_places_leaves_the_rest),
        TEST(parked_flood_of_ready_keeps_places_for_others),
        TEST(parked_deadline_passed_comes_out_at_once),
        TEST(parked_poller_waits_until_the_deadline),
        TEST(parked_deadline_to_come_stays_in),
        TEST(parked_ready_and_expired_is_ready),
        TEST(parked_expired_come_out_by_rank_and_deadline),
        TEST(parked_wait_is_capped),
        TEST(parked_evicts_by_rank_then_deadline),
        TEST(parked_evicts_no_more_than_there_are),
        TEST(parked_eviction_lapses_when_the_items_have_left),
        TEST(parked_evictions_beyond_the_places_come_next),
        TEST(parked_evicts_those_of_one_deadline_as_they_came),
        TEST(parked_several_orders_take_as_many_by_rank),
        TEST(parked_later_than_the_order_is_no_victim),
        TEST(parked_later_with_an_earlier_deadline_is_no_victim),
        TEST(parked_later_with_the_first_rank_is_no_victim),
        TEST(parked_next_order_is_about_the_later_ones_too),
        TEST(parked_order_with_nobody_to_evict_is_forgotten),
        TEST(parked_order_that_has_lapsed_does_not_add_to_the_next),
        TEST(parked_drain_takes_first_rank_now_and_later),
        TEST(parked_wait_ends_when_something_happens),
        TEST(parked_kicks_before_the_wait_end_it_once),
        TEST(parked_refused_by_epoll_stays_the_callers),
        TEST(parked_descriptor_closed_and_reused_is_new),
        TEST(parked_descriptor_closed_but_held_elsewhere_is_silent),
        TEST(parked_take_any_empties_the_set),
        cmocka_unit_test(parked_destroy_of_null_is_allowed),
    };
    alarm(HANG_S);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
