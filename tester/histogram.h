/* Counts durations, and tells percentiles of them: a fixed number of buckets whose width grows with
 * the duration, so that a result is at most 1/32 (3 %) too large, from a microsecond up. Pure; a
 * histogram is for one thread at a time.
 */
#ifndef TARN_TESTER_HISTOGRAM_H
#define TARN_TESTER_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_OCTAVES                                                                          \
    37                     /* the last one ends at 2^41 us, 25 days; what is longer counts there */
#define HISTOGRAM_STEPS 32 /* buckets of an octave */

/* All zero: empty. */
struct histogram {
    uint64_t counts[HISTOGRAM_OCTAVES * HISTOGRAM_STEPS];
    uint64_t count;
    uint64_t max_us;
};

void histogram_add(struct histogram *histogram, uint64_t duration_us);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* The least duration that so many percent (0 to 100) do not exceed, rounded up to the end of its
 * bucket but never above the longest one. 0 when it is empty.
 */
uint64_t histogram_percentile_us(const struct histogram *histogram, double percent);

/* How many took at least `from_us` and less than `end_us`; both are 0 or powers of two. */
uint64_t histogram_count_between(const struct histogram *histogram, uint64_t from_us,
                                 uint64_t end_us);

#endif
