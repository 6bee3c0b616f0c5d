#include "server/log/log_gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void log_gate_lets_few_lines_through_and_counts_the_others(void **state)
{
    struct log_gate gate = {0};
    unsigned passed = 0;
    unsigned withheld = 99;
    (void)state;
    assert_true(log_gate_pass(&gate, &withheld));
    assert_int_equal(withheld, 0);
    for (int i = 0; i < 1000; i++)
        passed += log_gate_pass(&gate, &withheld);
    assert_in_range(passed, 0, 1); /* the second may have ended meanwhile */
}

static void log_gate_tells_how_many_it_withheld(void **state)
{
    struct log_gate gate = {0};
    unsigned withheld = 99;
    (void)state;
    assert_true(log_gate_pass(&gate, &withheld));
    while (!log_gate_pass(&gate, &withheld))
        atomic_store(&gate.second, 0); /* long ago */
    assert_in_range(withheld, 0, 1);
    atomic_store(&gate.withheld, 41);
    atomic_store(&gate.second, 0);
    assert_true(log_gate_pass(&gate, &withheld));
    assert_int_equal(withheld, 41);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_gate_lets_few_lines_through_and_counts_the_others),
        cmocka_unit_test(log_gate_tells_how_many_it_withheld),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
