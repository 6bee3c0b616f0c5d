/* Whether a peer gets on: a transfer that stands still, or crawls, is given up.
 *
 * Times are milliseconds of one monotonic clock, handed in by the caller.
 */
#ifndef TARN_HTTP_PACE_H
#define TARN_HTTP_PACE_H

#include <stdint.h>

/* No rate is asked for before a transfer is this old. */
#define PACE_GRACE_MS 10000

struct pace {
    int64_t begin_ms;
    int64_t progress_ms; /* when bytes were last seen to grow */
    uint64_t bytes;
};

struct pace pace_begin(int64_t now_ms);

/* Tells how many bytes have passed since the beginning. */
void pace_tell(struct pace *pace, uint64_t bytes, int64_t now_ms);

/* When the transfer must be given up if no further byte passes: `timeout_ms` after the last
 * progress, or when its mean rate falls under `min_rate` bytes a second (0 = no such rule).
 */
int64_t pace_deadline_ms(const struct pace *pace, int64_t timeout_ms, uint64_t min_rate);

#endif
