/* Preconditions, and the dates in them: a date is read as the C library would write it, and stays
 * the same when it is written and read again.
 */
#include "http/date.h"
#include "http/precondition.h"
#include "tests/fuzz/harness.h"

#include <stdlib.h>
#include <string.h>

#define NOW       1700000000
#define LAST_TIME INT64_C(253402300799) /* of the year 9999 */

static const struct validators validators[] = {
    {.exists = false},
    {.exists = true},
    {.exists = true, .etag = {"\"a\"", 3}, .has_last_modified = true, .last_modified = 784111777},
    {.exists = true, .etag = {"W/\"a\"", 5}, .has_last_modified = true, .last_modified = NOW},
};

static void expect_stable(time_t when)
{
    char text[DATE_LEN + 1];
    char reference[DATE_LEN + 1];
    struct tm calendar;
    time_t again = -1;
    date_format(when, text);
    if (when < 0 || when > LAST_TIME)
        return; /* it was clamped */
    HARNESS_EXPECT(date_parse((struct slice){text, DATE_LEN}, NOW, &again) == 0 && again == when);
    HARNESS_EXPECT(gmtime_r(&when, &calendar));
    HARNESS_EXPECT(strftime(reference, sizeof(reference), "%a, %d %b %Y %H:%M:%S GMT", &calendar) ==
                   DATE_LEN);
    HARNESS_EXPECT(strcmp(text, reference) == 0);
}

static void read_date(struct slice text)
{
    static const time_t nows[] = {0, NOW, LAST_TIME, -1};
    for (size_t i = 0; i < sizeof(nows) / sizeof(nows[0]); i++) {
        time_t when;
        if (date_parse(text, nows[i], &when) == 0)
            expect_stable(when);
    }
}

static bool has(const struct head *head, struct slice name)
{
    return head_find(head, name, NULL) > 0;
}

/* No precondition fails that is not there, or that does not count for the method. */
static void check(const struct head *head, const struct validators *current)
{
    bool reads = (head->method & (METHOD_GET | METHOD_HEAD)) != 0;
    enum http_status status = precondition_check(head, current, NOW);
    HARNESS_EXPECT(status == HTTP_GO_ON || status == HTTP_NOT_MODIFIED ||
                   status == HTTP_PRECONDITION_FAILED);
    HARNESS_EXPECT(status != HTTP_NOT_MODIFIED ||
                   (reads && current->exists &&
                    (has(head, SLICE("If-None-Match")) || has(head, SLICE("If-Modified-Since")))));
    HARNESS_EXPECT(status != HTTP_PRECONDITION_FAILED || has(head, SLICE("If-Match")) ||
                   has(head, SLICE("If-Unmodified-Since")) ||
                   (!reads && has(head, SLICE("If-None-Match"))));
    HARNESS_EXPECT(status == HTTP_GO_ON || head->method != METHOD_OPTIONS);
}

static void run(const char *method, const uint8_t *data, size_t size)
{
    static struct head head;
    char *bytes = harness_head(method, data, size, &head);
    if (!bytes)
        return;
    for (size_t i = 0; i < sizeof(validators) / sizeof(validators[0]); i++)
        check(&head, &validators[i]);
    for (unsigned i = 0; i < head.field_count; i++)
        read_date(head_slice(&head, head.fields[i].value));
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run("GET", data, size);
    run("PUT", data, size);
    run("OPTIONS", data, size);
    read_date((struct slice){(const char *)data, size});
    return 0;
}
