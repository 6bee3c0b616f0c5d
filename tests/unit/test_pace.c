#include "http/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BEGIN_MS   1000000
#define TIMEOUT_MS 30000

static int64_t deadline_after(uint64_t bytes, int64_t at_ms, uint64_t min_rate)
{
    struct pace pace = pace_begin(BEGIN_MS);
    pace_tell(&pace, bytes, BEGIN_MS + at_ms);
    return pace_deadline_ms(&pace, TIMEOUT_MS, min_rate) - BEGIN_MS;
}

static void pace_without_progress_ends_after_the_timeout(void **state)
{
    (void)state;
    assert_int_equal(deadline_after(0, 0, 0), TIMEOUT_MS);
    assert_int_equal(deadline_after(0, 5000, 0), TIMEOUT_MS);
}

static void pace_with_progress_begins_the_timeout_anew(void **state)
{
    struct pace pace = pace_begin(BEGIN_MS);
    (void)state;
    pace_tell(&pace, 1, BEGIN_MS + 5000);
    assert_int_equal(pace_deadline_ms(&pace, TIMEOUT_MS, 0), BEGIN_MS + 5000 + TIMEOUT_MS);
    pace_tell(&pace, 1, BEGIN_MS + 6000);
    assert_int_equal(pace_deadline_ms(&pace, TIMEOUT_MS, 0), BEGIN_MS + 5000 + TIMEOUT_MS);
    pace_tell(&pace, 2, BEGIN_MS + 7000);
    assert_int_equal(pace_deadline_ms(&pace, TIMEOUT_MS, 0), BEGIN_MS + 7000 + TIMEOUT_MS);
}

/* A count that goes back is no progress, and does not make the old count look like progress. */
static void pace_fewer_bytes_than_before_are_no_progress(void **state)
{
    struct pace pace = pace_begin(BEGIN_MS);
    (void)state;
    pace_tell(&pace, 100, BEGIN_MS + 1000);
    pace_tell(&pace, 50, BEGIN_MS + 2000);
    pace_tell(&pace, 100, BEGIN_MS + 3000);
    assert_int_equal(pace_deadline_ms(&pace, TIMEOUT_MS, 0), BEGIN_MS + 1000 + TIMEOUT_MS);
}

static const struct {
    const char *label;
    uint64_t bytes;
    int64_t at_ms;
    uint64_t min_rate;
    int64_t deadline_ms;
} rows[] = {
    {"in the grace nothing is asked for", 0, 0, 500, PACE_GRACE_MS},
    {"less than the grace asks for", 4999, 9000, 500, PACE_GRACE_MS},
    {"as much", 5000, 9000, 500, PACE_GRACE_MS},
    {"one byte more pays for 2 ms", 5001, 9000, 500, PACE_GRACE_MS + 2},
    {"a minute paid for", 30000, 40000, 500, 60000},
    {"... but not without progress", 30000, 20000, 500, 20000 + TIMEOUT_MS},
    {"one byte a second", 12, 9000, 1, 12000},
    {"parts of a second", 100, 9000, 7, 14285},
    {"four gigabytes", UINT64_C(4294967296), 100, 1000000000, PACE_GRACE_MS},
    {"more than 2^64 thousandths", UINT64_C(1) << 60, 0, UINT64_C(1) << 50, TIMEOUT_MS},
};

static void pace_slower_than_the_rate_ends_when_the_bytes_are_used_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t deadline_ms = deadline_after(rows[i].bytes, rows[i].at_ms, rows[i].min_rate);
        if (deadline_ms != rows[i].deadline_ms)
            fail_msg("%s: %d", rows[i].label, (int)deadline_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pace_without_progress_ends_after_the_timeout),
        cmocka_unit_test(pace_with_progress_begins_the_timeout_anew),
        cmocka_unit_test(pace_fewer_bytes_than_before_are_no_progress),
        cmocka_unit_test(pace_slower_than_the_rate_ends_when_the_bytes_are_used_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
