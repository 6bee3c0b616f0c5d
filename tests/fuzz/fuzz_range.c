/* Range and If-Range: whatever is asked for, the parts are within the file, and few. */
#include "http/range.h"
#include "tests/fuzz/harness.h"

#include <stdlib.h>

#define NOW       1700000000
#define UNTOUCHED 77

static const struct validators validators[] = {
    {.exists = true},
    {.exists = true, .etag = {"\"a\"", 3}, .has_last_modified = true, .last_modified = 784111777},
    {.exists = true, .etag = {"W/\"a\"", 5}, .has_last_modified = true, .last_modified = NOW},
};

static const uint64_t lengths[] = {0, 1, 10, 10000, UINT64_C(1) << 33, INT64_MAX, UINT64_MAX};

/* The fields that describe a part fit and are what RFC 9110 section 14.4 wants: digits. */
static void expect_content_range(struct range range, uint64_t length)
{
    char buffer[sizeof("bytes -/") + 3 * 20];
    struct text text = text_over(buffer, sizeof(buffer));
    range_append_part(&text, range, length);
    HARNESS_EXPECT(!text.truncated);
    text = text_over(buffer, sizeof(buffer));
    range_append_unsatisfied(&text, length);
    HARNESS_EXPECT(!text.truncated);
}

/* Within the file, in order, and altogether no more than the file. */
static void expect_parts(const struct range_set *set, uint64_t length)
{
    uint64_t total = 0;
    HARNESS_EXPECT(set->count >= 1 && set->count <= RANGE_PARTS_MAX);
    for (unsigned i = 0; i < set->count; i++) {
        struct range range = set->parts[i];
        HARNESS_EXPECT(range.first <= range.last && range.last < length);
        HARNESS_EXPECT(i == 0 || range.first > set->parts[i - 1].last);
        total += range_bytes(range);
        expect_content_range(range, length);
    }
    HARNESS_EXPECT(total <= length);
}

static void select_from(const struct head *head, uint64_t length, const struct validators *current)
{
    struct range_set set = {.count = UNTOUCHED};
    bool has_range = head_find(head, SLICE("Range"), NULL) == 1;
    enum range_outcome outcome = range_select(head, length, current, NOW, &set);
    HARNESS_EXPECT(outcome == RANGE_WHOLE || (has_range && head->method == METHOD_GET));
    if (outcome == RANGE_PARTS)
        expect_parts(&set, length);
    else
        HARNESS_EXPECT(set.count == UNTOUCHED);
    HARNESS_EXPECT(length > 0 || outcome != RANGE_PARTS);
}

/* For each method and file. */
static void run(const char *method, const uint8_t *data, size_t size)
{
    static struct head head;
    char *bytes = harness_head(method, data, size, &head);
    if (!bytes)
        return;
    for (size_t i = 0; i < sizeof(validators) / sizeof(validators[0]); i++)
        for (size_t j = 0; j < sizeof(lengths) / sizeof(lengths[0]); j++)
            select_from(&head, lengths[j], &validators[i]);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run("GET", data, size);
    run("PUT", data, size);
    return 0;
}
