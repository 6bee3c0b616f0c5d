#include "http/pace.h"

struct pace pace_begin(int64_t now_ms)
{
    return (struct pace){.begin_ms = now_ms, .progress_ms = now_ms};
}

void pace_tell(struct pace *pace, uint64_t bytes, int64_t now_ms)
{
    if (bytes <= pace->bytes)
        return;
    pace->bytes = bytes;
    pace->progress_ms = now_ms;
}

int64_t pace_deadline_ms(const struct pace *pace, int64_t timeout_ms, uint64_t min_rate)
{
    int64_t still_ms = pace->progress_ms + timeout_ms;
    if (min_rate == 0)
        return still_ms;
    /* Whole seconds first: bytes * 1000 could overflow. */
    int64_t paid_ms = (int64_t)(pace->bytes / min_rate) * 1000 +
                      (int64_t)(pace->bytes % min_rate * 1000 / min_rate);
    int64_t slow_ms = pace->begin_ms + (paid_ms > PACE_GRACE_MS ? paid_ms : PACE_GRACE_MS);
    return slow_ms < still_ms ? slow_ms : still_ms;
}
