#include "server/log/log_gate.h"

#include <time.h>

bool log_gate_pass(struct log_gate *gate, unsigned *out_withheld)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);   /* fails for an unknown clock only */
    long long second = (long long)now.tv_sec + 1; /* 0 is: never */
    long long last = atomic_load(&gate->second);
    if (last == second || !atomic_compare_exchange_strong(&gate->second, &last, second)) {
        atomic_fetch_add(&gate->withheld, 1);
        return false;
    }
    *out_withheld = atomic_exchange(&gate->withheld, 0);
    return true;
}
