/* The ledger: what is reserved is never more than allowed, and a count is exact whatever comes and
 * goes meanwhile; where it cannot be, it says so.
 */
#include "server/store/store_ledger.h"
#include "tests/support/failing_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>

static struct store_ledger ledger;

/* With limits, and counted: nothing is there. */
static int create(void **state)
{
    (void)state;
    if (store_ledger_init(&ledger, &(struct store_options){.max_files = 3, .max_bytes = 100}) != 0)
        return -1;
    (void)store_ledger_begin_count(&ledger);
    return store_ledger_end_count(&ledger, &(struct store_sum){0}) ? 0 : -1;
}

static int destroy(void **state)
{
    (void)state;
    store_ledger_deinit(&ledger);
    return 0;
}

static void assert_figures(uint64_t files, uint64_t bytes)
{
    struct store_usage usage;
    unsigned long changes;
    store_ledger_read(&ledger, &usage, &changes);
    assert_true(usage.is_known);
    assert_int_equal(usage.files, files);
    assert_int_equal(usage.bytes, bytes);
}

static struct store_change file_of(ino_t inode, uint64_t bytes)
{
    return (struct store_change){.files = 1, .bytes = bytes, .inode = inode};
}

static void add(ino_t inode, uint64_t bytes)
{
    struct store_change change = file_of(inode, bytes);
    assert_int_equal(store_ledger_reserve(&ledger, &change), 0);
    store_ledger_settle(&ledger, &change);
}

static struct stat found(ino_t inode, off_t bytes)
{
    return (struct stat){.st_ino = inode, .st_size = bytes};
}

static bool counts(ino_t inode)
{
    struct stat info = found(inode, 0);
    return store_ledger_counts(&ledger, &info);
}

static void ledger_reserves_up_to_the_limits(void **state)
{
    (void)state;
    struct store_change large = file_of(1, 100);
    struct store_change small = file_of(2, 1);
    struct store_change empty[2] = {file_of(3, 0), file_of(4, 0)};
    assert_int_equal(store_ledger_reserve(&ledger, &large), 0);
    assert_int_equal(store_ledger_reserve(&ledger, &small), -1);
    assert_int_equal(errno, EDQUOT);
    assert_int_equal(store_ledger_reserve(&ledger, &empty[0]), 0);
    assert_int_equal(store_ledger_reserve(&ledger, &empty[1]), 0);
    assert_figures(3, 100);
    assert_int_equal(store_ledger_check(&ledger, 1, 0), -1);
    assert_int_equal(store_ledger_check(&ledger, 0, 0), 0);
    store_ledger_give_back(&ledger, &large);
    assert_int_equal(store_ledger_check(&ledger, 1, 100), 0);
    assert_int_equal(store_ledger_check(&ledger, 1, 101), -1);
    assert_int_equal(store_ledger_check(&ledger, 1, UINT64_MAX), -1);
    store_ledger_settle(&ledger, &empty[1]);
    store_ledger_give_back(&ledger, &empty[0]);
    assert_figures(1, 0);
}

static void ledger_that_knows_too_little_goes_down_to_nothing(void **state)
{
    (void)state;
    struct stat gone = found(1, 50);
    add(1, 10);
    store_ledger_removed(&ledger, &gone);
    store_ledger_removed(&ledger, &gone);
    assert_figures(0, 0);
}

static void ledger_over_its_limits_takes_what_needs_no_room(void **state)
{
    (void)state;
    store_ledger_recall(&ledger, 10, 1000);
    struct store_change smaller = {.inode = 2, .replaced = 1, .freed_bytes = 10};
    assert_int_equal(store_ledger_check(&ledger, 1, 0), -1);
    assert_int_equal(store_ledger_reserve(&ledger, &smaller), 0);
    store_ledger_settle(&ledger, &smaller);
    assert_figures(10, 990);
}

static void ledger_without_limits_does_nothing(void **state)
{
    (void)state;
    struct store_ledger none;
    struct store_change change = file_of(1, UINT64_MAX);
    assert_int_equal(store_ledger_init(&none, &(struct store_options){0}), 0);
    assert_int_equal(store_ledger_check(&none, UINT64_MAX, UINT64_MAX), 0);
    assert_int_equal(store_ledger_reserve(&none, &change), 0);
    store_ledger_settle(&none, &change);
    assert_int_equal(store_ledger_reserve(&none, &change), 0);
    store_ledger_give_back(&none, &change);
    store_ledger_deinit(&none);
}

/* -- Counting -- */

static void ledger_counts_each_object_once(void **state)
{
    (void)state;
    struct store_change before = file_of(1, 5); /* it may be visible or not when the count begins */
    struct store_change failing = file_of(2, 7);
    struct store_change after = file_of(4, 11);
    assert_int_equal(store_ledger_reserve(&ledger, &before), 0);
    assert_int_equal(store_ledger_reserve(&ledger, &failing), 0);
    assert_int_equal(store_ledger_begin_count(&ledger), 0);
    assert_false(counts(1));
    assert_true(counts(3));
    store_ledger_settle(&ledger, &before);
    store_ledger_give_back(&ledger, &failing);
    assert_false(counts(1));
    assert_int_equal(store_ledger_reserve(&ledger, &after), 0);
    assert_false(counts(4));
    assert_true(store_ledger_end_count(&ledger, &(struct store_sum){1, 20})); /* number 3 */
    assert_figures(3, 5 + 20 + 11);
    store_ledger_settle(&ledger, &after);
    assert_figures(3, 5 + 20 + 11);
}

static void ledger_counts_what_comes_and_goes_meanwhile(void **state)
{
    (void)state;
    assert_int_equal(store_ledger_begin_count(&ledger), 0);
    add(1, 5);
    struct store_change larger = {.inode = 2, .bytes = 3, .replaced = 1};
    assert_int_equal(store_ledger_reserve(&ledger, &larger), 0);
    store_ledger_settle(&ledger, &larger);
    struct stat gone = found(2, 8);
    store_ledger_removed(&ledger, &gone);
    assert_true(store_ledger_end_count(&ledger, &(struct store_sum){2, 10}));
    assert_figures(2, 10);
}

static void ledger_tells_when_a_count_was_disturbed(void **state)
{
    (void)state;
    struct stat gone = found(1, 5);
    struct store_change replacing = {.inode = 2, .replaced = 1};
    struct store_change several = {.files = 2, .bytes = 2};

    add(1, 5);
    assert_int_equal(store_ledger_begin_count(&ledger), 0);
    store_ledger_removed(&ledger, &gone);
    assert_false(store_ledger_end_count(&ledger, &(struct store_sum){1, 5}));
    assert_figures(0, 0);

    assert_int_equal(store_ledger_begin_count(&ledger), 0);
    assert_int_equal(store_ledger_reserve(&ledger, &replacing), 0);
    store_ledger_settle(&ledger, &replacing);
    assert_false(store_ledger_end_count(&ledger, &(struct store_sum){0}));

    assert_int_equal(store_ledger_reserve(&ledger, &several), 0);
    assert_int_equal(store_ledger_begin_count(&ledger), 0);
    assert_false(store_ledger_end_count(&ledger, &(struct store_sum){0}));
    store_ledger_give_back(&ledger, &several);

    assert_int_equal(store_ledger_begin_count(&ledger), 0);
    assert_true(store_ledger_end_count(&ledger, &(struct store_sum){0}));
}

static void ledger_remembers_a_bounded_number(void **state)
{
    (void)state;
    for (ino_t more = 0; more <= 1; more++) {
        assert_int_equal(store_ledger_begin_count(&ledger), 0);
        for (ino_t inode = 1; inode <= STORE_INODES_MAX + more; inode++) {
            struct store_change change = file_of(inode * 4096, 1);
            assert_int_equal(store_ledger_reserve(&ledger, &change), 0);
            store_ledger_give_back(&ledger, &change);
        }
        assert_false(counts(4096));
        assert_false(counts((ino_t)STORE_INODES_MAX * 4096));
        assert_true(counts(4097));
        assert_int_equal(store_ledger_end_count(&ledger, &(struct store_sum){0}), more == 0);
    }
}

static void ledger_without_memory_does_not_count(void **state)
{
    (void)state;
    failing_memory_after(0);
    int result = store_ledger_begin_count(&ledger);
    assert_true(failing_memory_end());
    assert_int_equal(result, -1);
    add(1, 5);
    assert_figures(1, 5);
}

static void ledger_keeps_its_figures_when_a_count_is_cancelled(void **state)
{
    (void)state;
    store_ledger_recall(&ledger, 1, 2);
    assert_int_equal(store_ledger_begin_count(&ledger), 0);
    add(1, 5);
    store_ledger_cancel_count(&ledger);
    assert_figures(2, 7);
}

int main(void)
{
#define LEDGER_TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)
    const struct CMUnitTest tests[] = {
        LEDGER_TEST(ledger_reserves_up_to_the_limits),
        LEDGER_TEST(ledger_that_knows_too_little_goes_down_to_nothing),
        LEDGER_TEST(ledger_over_its_limits_takes_what_needs_no_room),
        cmocka_unit_test(ledger_without_limits_does_nothing),
        LEDGER_TEST(ledger_counts_each_object_once),
        LEDGER_TEST(ledger_counts_what_comes_and_goes_meanwhile),
        LEDGER_TEST(ledger_tells_when_a_count_was_disturbed),
        LEDGER_TEST(ledger_remembers_a_bounded_number),
        LEDGER_TEST(ledger_without_memory_does_not_count),
        LEDGER_TEST(ledger_keeps_its_figures_when_a_count_is_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
