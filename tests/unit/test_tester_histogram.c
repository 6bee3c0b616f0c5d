/* Goal: percentiles are right to 1/32, exact where durations are short, and sums are sums. */
#include "tester/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void histogram_empty_is_zero(void **state)
{
    (void)state;
    static const struct histogram empty;
    assert_int_equal(histogram_percentile_us(&empty, 50), 0);
    assert_int_equal(histogram_count_between(&empty, 0, 1024), 0);
}

static void histogram_short_durations_are_exact(void **state)
{
    (void)state;
    static struct histogram histogram;
    for (uint64_t us = 1; us <= 32; us++)
        histogram_add(&histogram, us);
    assert_int_equal(histogram_percentile_us(&histogram, 0), 1);
    assert_int_equal(histogram_percentile_us(&histogram, 50), 16);
    assert_int_equal(histogram_percentile_us(&histogram, 75), 24);
    assert_int_equal(histogram_percentile_us(&histogram, 100), 32);
    assert_int_equal(histogram.max_us, 32);
}

static void histogram_percentile_is_at_most_a_step_too_large(void **state)
{
    (void)state;
    for (uint64_t us = 1; us < UINT64_C(1) << 40; us = us * 3 / 2 + 1) {
        struct histogram histogram = {0};
        histogram_add(&histogram, us);
        histogram_add(&histogram, UINT64_C(1) << 40);
        uint64_t p50 = histogram_percentile_us(&histogram, 50);
        assert_true(p50 >= us);
        assert_true(p50 <= us + us / 32);
    }
}

static void histogram_percentile_is_the_end_of_its_step(void **state)
{
    (void)state;
    static const uint64_t rows[][2] = {{63, 63}, {64, 65}, {65, 65}, {66, 67}, {1024, 1055}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct histogram histogram = {0};
        histogram_add(&histogram, rows[i][0]);
        histogram_add(&histogram, 1000000);
        assert_int_equal(histogram_percentile_us(&histogram, 50), rows[i][1]);
    }
}

static void histogram_one_duration_is_itself(void **state)
{
    (void)state;
    static const uint64_t rows[] = {0, 1, 31, 32, 33, 1000003, UINT64_C(1) << 41, UINT64_MAX};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct histogram histogram = {0};
        histogram_add(&histogram, rows[i]);
        assert_true(histogram_percentile_us(&histogram, 50) == rows[i]);
        assert_true(histogram_percentile_us(&histogram, 100) == rows[i]);
    }
}

static void histogram_ninety_nine_of_a_hundred(void **state)
{
    (void)state;
    static struct histogram histogram;
    for (int i = 0; i < 99; i++)
        histogram_add(&histogram, 10);
    histogram_add(&histogram, 31);
    assert_int_equal(histogram_percentile_us(&histogram, 99), 10);
    assert_int_equal(histogram_percentile_us(&histogram, 99.1), 31);
}

static void histogram_counts_between_powers_of_two(void **state)
{
    (void)state;
    static struct histogram histogram;
    static const uint64_t durations[] = {0, 1, 2, 3, 4, 31, 32, 63, 64, 4095, 4096};
    for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++)
        histogram_add(&histogram, durations[i]);
    assert_int_equal(histogram_count_between(&histogram, 0, 1), 1);
    assert_int_equal(histogram_count_between(&histogram, 1, 2), 1);
    assert_int_equal(histogram_count_between(&histogram, 2, 4), 2);
    assert_int_equal(histogram_count_between(&histogram, 16, 32), 1);
    assert_int_equal(histogram_count_between(&histogram, 32, 64), 2);
    assert_int_equal(histogram_count_between(&histogram, 2048, 4096), 1);
    assert_int_equal(histogram_count_between(&histogram, 4096, 8192), 1);
    assert_int_equal(histogram_count_between(&histogram, 0, 8192), 11);
}

static void histogram_merge_adds_up(void **state)
{
    (void)state;
    static struct histogram sum, other;
    histogram_add(&sum, 5);
    histogram_add(&other, 5);
    histogram_add(&other, 700);
    histogram_merge(&sum, &other);
    assert_int_equal(sum.count, 3);
    assert_int_equal(sum.max_us, 700);
    assert_int_equal(histogram_percentile_us(&sum, 60), 5);
    histogram_merge(&other, &(struct histogram){0});
    assert_int_equal(other.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histogram_empty_is_zero),
        cmocka_unit_test(histogram_short_durations_are_exact),
        cmocka_unit_test(histogram_percentile_is_at_most_a_step_too_large),
        cmocka_unit_test(histogram_percentile_is_the_end_of_its_step),
        cmocka_unit_test(histogram_one_duration_is_itself),
        cmocka_unit_test(histogram_ninety_nine_of_a_hundred),
        cmocka_unit_test(histogram_counts_between_powers_of_two),
        cmocka_unit_test(histogram_merge_adds_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
