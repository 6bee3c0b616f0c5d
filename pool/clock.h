/* The monotonic clock, in which all deadlines are given. */
#ifndef TARN_POOL_CLOCK_H
#define TARN_POOL_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Microseconds of CLOCK_MONOTONIC. Any thread; never fails. */
static inline int64_t clock_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* fails for an unknown clock only */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The same in milliseconds. */
static inline int64_t clock_now_ms(void)
{
    return clock_now_us() / 1000;
}

#endif
