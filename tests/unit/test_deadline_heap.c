/* The heap of deadlines: the earliest comes first, and any item can be taken out. */
#include "pool/deadline_heap.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define ITEMS_MAX 1000

/* Numbers that look random and are the same in each run. */
static uint32_t next_number(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static void assert_is_heap(const struct deadline_heap *heap)
{
    for (size_t i = 0; i < heap->count; i++) {
        const struct deadline_entry *entry = &heap->entries[i];
        assert_int_equal(entry->item->heap_index, i);
        assert_int_equal(entry->item->deadline_ms, entry->deadline_ms);
        if (i > 0)
            assert_true(heap->entries[(i - 1) / 2].deadline_ms <= entry->deadline_ms);
    }
}

static struct pool_item *take_first(struct deadline_heap *heap)
{
    struct pool_item *item = deadline_heap_first(heap);
    deadline_heap_remove(heap, item);
    return item;
}

static void deadline_heap_zeroed_is_empty(void **state)
{
    (void)state;
    struct deadline_heap heap = {0};
    assert_null(deadline_heap_first(&heap));
    deadline_heap_deinit(&heap);
    assert_null(deadline_heap_first(&heap));
}

static void deadline_heap_first_is_earliest(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        int64_t deadlines_ms[5];
        int64_t sorted_ms[5];
    } cases[] = {
        {"ascending", {1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}},
        {"descending", {5, 4, 3, 2, 1}, {1, 2, 3, 4, 5}},
        {"mixed", {3, 1, 5, 2, 4}, {1, 2, 3, 4, 5}},
        {"equal ones", {2, 1, 2, 1, 2}, {1, 1, 2, 2, 2}},
        {"extremes", {INT64_MAX, 0, -1, INT64_MIN, 1}, {INT64_MIN, -1, 0, 1, INT64_MAX}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct deadline_heap heap = {0};
        struct pool_item items[5] = {0};
        for (int n = 0; n < 5; n++) {
            items[n].deadline_ms = cases[i].deadlines_ms[n];
            assert_int_equal(deadline_heap_add(&heap, &items[n]), 0);
        }
        for (int n = 0; n < 5; n++) {
            int64_t first_ms = take_first(&heap)->deadline_ms;
            if (first_ms != cases[i].sorted_ms[n])
                fail_msg("%s: %jd is number %d", cases[i].label, (intmax_t)first_ms, n);
        }
        assert_null(deadline_heap_first(&heap));
        deadline_heap_deinit(&heap);
    }
}

/* The array grows after 64, 128, ... items. */
static void deadline_heap_growing_keeps_order(void **state)
{
    (void)state;
    static const size_t counts[] = {63, 64, 65, 127, 128, 129, ITEMS_MAX};
    static struct pool_item items[ITEMS_MAX];
    uint32_t numbers = 1;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct deadline_heap heap = {0};
        for (size_t n = 0; n < counts[i]; n++) {
            items[n].deadline_ms = next_number(&numbers) % 500;
            assert_int_equal(deadline_heap_add(&heap, &items[n]), 0);
        }
        assert_int_equal(heap.count, counts[i]);
        assert_is_heap(&heap);
        int64_t before_ms = -1;
        while (deadline_heap_first(&heap)) {
            int64_t deadline_ms = take_first(&heap)->deadline_ms;
            assert_true(before_ms <= deadline_ms);
            before_ms = deadline_ms;
        }
        deadline_heap_deinit(&heap);
    }
}

/* Additions and removals at any place, with the whole order checked after each. */
static void deadline_heap_removal_anywhere_keeps_order(void **state)
{
    (void)state;
    static struct pool_item items[200];
    bool inside[200] = {false};
    size_t count = 0;
    struct deadline_heap heap = {0};
    uint32_t numbers = 7;
    for (int step = 0; step < 20000; step++) {
        size_t n = next_number(&numbers) % 200;
        if (inside[n]) {
            deadline_heap_remove(&heap, &items[n]);
            count--;
        } else {
            items[n].deadline_ms = next_number(&numbers) % 100;
            assert_int_equal(deadline_heap_add(&heap, &items[n]), 0);
            count++;
        }
        inside[n] = !inside[n];
        assert_int_equal(heap.count, count);
        assert_is_heap(&heap);
    }
    deadline_heap_deinit(&heap);
}

static void deadline_heap_at_most_items_refuses(void **state)
{
    (void)state;
    /* As if 2^31 items were in it; the array is not touched. */
    struct deadline_heap heap = {.count = (size_t)1 << 31, .capacity = (size_t)1 << 31};
    struct pool_item item = {0};
    errno = 0;
    assert_int_equal(deadline_heap_add(&heap, &item), -1);
    assert_int_equal(errno, ENOMEM);
    assert_int_equal(heap.count, (size_t)1 << 31);
}

/* Who came first is the oldest, though a deadline is in milliseconds. */
static void deadline_heap_equal_deadlines_keep_their_order(void **state)
{
    (void)state;
    static struct pool_item items[100];
    struct deadline_heap heap = {0};
    for (size_t i = 0; i < 100; i++) {
        items[i].deadline_ms = 7;
        assert_int_equal(deadline_heap_add(&heap, &items[i]), 0);
    }
    deadline_heap_remove(&heap, &items[50]);
    for (size_t i = 0; i < 100; i++) {
        if (i != 50)
            assert_ptr_equal(take_first(&heap), &items[i]);
    }
    deadline_heap_deinit(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadline_heap_zeroed_is_empty),
        cmocka_unit_test(deadline_heap_first_is_earliest),
        cmocka_unit_test(deadline_heap_growing_keeps_order),
        cmocka_unit_test(deadline_heap_removal_anywhere_keeps_order),
        cmocka_unit_test(deadline_heap_equal_deadlines_keep_their_order),
        cmocka_unit_test(deadline_heap_at_most_items_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
