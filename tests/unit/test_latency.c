/* Goal: a thread that hurries gets a short slice where the kernel knows such, and then its own. */
#include "server/latency.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/sched/types.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct sched_attr attributes(void)
{
    struct sched_attr now = {.size = sizeof(now)};
    assert_int_equal(syscall(SYS_sched_getattr, 0, &now, sizeof(now), 0), 0);
    return now;
}

static void latency_short_slice_lasts_until_it_is_given_back(void **state)
{
    (void)state;
    struct sched_attr usual = attributes();
    latency_prefer_short(true);
    struct sched_attr hurried = attributes();
    if (hurried.sched_runtime != usual.sched_runtime) /* Linux 6.12 */
        assert_true(hurried.sched_runtime < usual.sched_runtime);
    latency_prefer_short(false);
    assert_true(attributes().sched_runtime == usual.sched_runtime);
}

static void latency_leaves_policy_and_niceness_alone(void **state)
{
    (void)state;
    assert_true(nice(3) <= 19); /* and not the usual one, if that was less */
    struct sched_attr usual = attributes();
    latency_prefer_short(true);
    assert_int_equal(attributes().sched_nice, usual.sched_nice);
    assert_int_equal(attributes().sched_policy, usual.sched_policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latency_short_slice_lasts_until_it_is_given_back),
        cmocka_unit_test(latency_leaves_policy_and_niceness_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
