#include "tester/tally.h"

static uint64_t to_unsigned(curl_off_t number)
{
    return number > 0 ? (uint64_t)number : 0;
}

/* Each of these calls fails only for wrong arguments. */
static void add_answer(struct tally *tally, const struct plan_expect *expect, CURL *handle)
{
    long status = 0;
    long head_bytes = 0;
    curl_off_t content_bytes = 0;
    (void)curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(handle, CURLINFO_HEADER_SIZE, &head_bytes);
    (void)curl_easy_getinfo(handle, CURLINFO_SIZE_DOWNLOAD_T, &content_bytes);

    tally->answered++;
    tally->codes[status > 0 && status < PLAN_STATUS_END ? status : 0]++;
    tally->head_bytes += to_unsigned(head_bytes);
    tally->content_bytes += to_unsigned(content_bytes);
    if (!plan_allows_status(expect, status))
        tally->unexpected++;
}

void tally_add(struct tally *tally, const struct plan_expect *expect, CURL *handle, CURLcode code,
               uint64_t duration_us)
{
    long connections = 0;
    (void)curl_easy_getinfo(handle, CURLINFO_NUM_CONNECTS, &connections);
    tally->connections += to_unsigned(connections);
    if (code != CURLE_OK) {
        tally->failed++;
        tally->errors[code < CURL_LAST ? code : CURLE_OK]++;
        return;
    }
    histogram_add(&tally->latency, duration_us);
    add_answer(tally, expect, handle);
}

void tally_merge(struct tally *into, const struct tally *from)
{
    histogram_merge(&into->latency, &from->latency);
    for (size_t i = 0; i < PLAN_STATUS_END; i++)
        into->codes[i] += from->codes[i];
    for (size_t i = 0; i < CURL_LAST; i++)
        into->errors[i] += from->errors[i];
    into->answered += from->answered;
    into->failed += from->failed;
    into->unexpected += from->unexpected;
    into->connections += from->connections;
    into->head_bytes += from->head_bytes;
    into->content_bytes += from->content_bytes;
}
