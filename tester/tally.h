/* What came of the requests of a load: counted by each thread for itself, summed at the end. */
#ifndef TARN_TESTER_TALLY_H
#define TARN_TESTER_TALLY_H

#include "tester/histogram.h"
#include "tester/plan.h"

#include <curl/curl.h>

/* All zero: nothing yet. */
struct tally {
    struct histogram latency; /* of answered requests */
    uint64_t codes[PLAN_STATUS_END];
    uint64_t errors[CURL_LAST]; /* requests without a whole answer, by libcurl's code */
    uint64_t answered;
    uint64_t failed;      /* without a whole answer */
    uint64_t unexpected;  /* answered with another code than expected */
    uint64_t connections; /* opened */
    uint64_t head_bytes;  /* received */
    uint64_t content_bytes;
};

/* Counts a request that ended with `code` after `duration_us`. */
void tally_add(struct tally *tally, const struct plan_expect *expect, CURL *handle, CURLcode code,
               uint64_t duration_us);

void tally_merge(struct tally *into, const struct tally *from);

#endif
