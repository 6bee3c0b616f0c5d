/* A wall clock whose second comes again and again, or jumps. What measures durations goes on. */
#include "tests/faults/plan.h"

#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int (*real)(clockid_t, struct timespec *);
    int64_t frozen_s = plan_frozen_s();
    plan_find_real("clock_gettime", &real);
    int result = real(clock, out);
    if (frozen_s != 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        out->tv_sec = frozen_s;
    return result;
}

time_t time(time_t *out)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail */
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
