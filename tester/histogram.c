#include "tester/histogram.h"

#include <stddef.h>

#define BUCKET_COUNT ((size_t)HISTOGRAM_OCTAVES * HISTOGRAM_STEPS)

static unsigned log2_of(uint64_t number)
{
    return 63U - (unsigned)__builtin_clzll(number);
}

/* Below HISTOGRAM_STEPS each microsecond has a bucket of its own: the first octave. Each later
 * octave, from a power of two to the next, is cut into as many steps.
 */
static size_t bucket_of(uint64_t duration_us)
{
    if (duration_us < HISTOGRAM_STEPS)
        return (size_t)duration_us;
    unsigned shift = log2_of(duration_us) - log2_of(HISTOGRAM_STEPS);
    size_t step = (size_t)(duration_us >> shift) - HISTOGRAM_STEPS;
    size_t bucket = (shift + 1) * (size_t)HISTOGRAM_STEPS + step;
    return bucket < BUCKET_COUNT ? bucket : BUCKET_COUNT - 1;
}

/* The longest duration that counts in a bucket. */
static uint64_t bucket_end_us(size_t bucket)
{
    uint64_t octave = bucket / HISTOGRAM_STEPS;
    uint64_t step = bucket % HISTOGRAM_STEPS;
    if (octave == 0)
        return step;
    return ((HISTOGRAM_STEPS + step + 1) << (octave - 1)) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t duration_us)
{
    histogram->counts[bucket_of(duration_us)]++;
    histogram->count++;
    if (duration_us > histogram->max_us)
        histogram->max_us = duration_us;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    for (size_t i = 0; i < BUCKET_COUNT; i++)
        into->counts[i] += from->counts[i];
    into->count += from->count;
    if (from->max_us > into->max_us)
        into->max_us = from->max_us;
}

uint64_t histogram_percentile_us(const struct histogram *histogram, double percent)
{
    double wanted = percent / 100 * (double)histogram->count;
    uint64_t seen = 0;
    for (size_t i = 0; i < BUCKET_COUNT; i++) {
        seen += histogram->counts[i];
        if (seen > 0 && (double)seen >= wanted) {
            uint64_t end = bucket_end_us(i);
            return i == BUCKET_COUNT - 1 || end > histogram->max_us ? histogram->max_us : end;
        }
    }
    return 0;
}

uint64_t histogram_count_between(const struct histogram *histogram, uint64_t from_us,
                                 uint64_t end_us)
{
    uint64_t count = 0;
    for (size_t i = bucket_of(from_us); i < bucket_of(end_us); i++)
        count += histogram->counts[i];
    return count;
}
