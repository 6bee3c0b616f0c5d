#include "http/precondition.h"
#include "tests/unit/assert_slice.h"
#include "tests/unit/request.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* The representation that most tests are about: its tag is "now", and it changed at MODIFIED. */
#define MODIFIED     784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */
#define NOW          784200000 /* the day after */
#define EARLIER      "Sun, 06 Nov 1994 08:49:36 GMT"
#define THEN         "Sun, 06 Nov 1994 08:49:37 GMT"
#define LATER        "Sun, 06 Nov 1994 08:49:38 GMT"
#define YEAR_9999    "Fri, 31 Dec 9999 23:59:59 GMT"

#define GO_ON        HTTP_GO_ON
#define NOT_MODIFIED HTTP_NOT_MODIFIED
#define FAILED       HTTP_PRECONDITION_FAILED

static struct guard guard;

static int create_guard(void **state)
{
    (void)state;
    guard = guard_create(REQUEST_BYTES_MAX);
    return 0;
}

static int destroy_guard(void **state)
{
    (void)state;
    guard_destroy(&guard);
    return 0;
}

static struct validators existing(const char *etag)
{
    return (struct validators){
        .exists = true,
        .etag = slice_from_string(etag),
        .has_last_modified = true,
        .last_modified = MODIFIED,
    };
}

struct row {
    const char *label;
    const char *fields;
    enum http_status expected;
};

static void check_rows(const char *method, struct validators validators, const struct row *rows,
                       size_t row_count)
{
    for (size_t i = 0; i < row_count; i++) {
        struct head head = request_parse(&guard, method, rows[i].fields);
        enum http_status status = precondition_check(&head, &validators, NOW);
        if (status != rows[i].expected)
            fail_msg("%s, %s: got %d, expected %d", method, rows[i].label, (int)status,
                     (int)rows[i].expected);
    }
}

static void precondition_for_get_and_head_is_304_or_412(void **state)
{
    static const struct row rows[] = {
        {"no condition", "Host: a\r\n", GO_ON},

        {"match", "If-Match: \"now\"\r\n", GO_ON},
        {"match, another", "If-Match: \"then\"\r\n", FAILED},
        {"match, one of many", "If-Match: \"then\", \"now\"\r\n", GO_ON},
        {"match, one of many lines", "If-Match: \"then\"\r\nIF-MATCH: \"now\"\r\n", GO_ON},
        {"match, weak", "If-Match: W/\"now\"\r\n", FAILED},
        {"match, any", "If-Match: *\r\n", GO_ON},
        {"match, empty", "If-Match:\r\n", FAILED},
        {"match, empty elements", "If-Match: ,, \"now\" ,\r\n", GO_ON},
        {"match, unquoted", "If-Match: now\r\n", FAILED},
        {"match, malformed beside", "If-Match: \"now\", now\r\n", FAILED},
        {"match, malformed on another line", "If-Match: \"now\"\r\nIf-Match: \"\r\n", FAILED},
        {"match, any beside", "If-Match: *, \"now\"\r\n", FAILED},
        {"match, any twice", "If-Match: *\r\nIf-Match: *\r\n", FAILED},
        {"match, any and an empty line", "If-Match: *\r\nIf-Match:\r\n", GO_ON},

        {"unmodified since then", "If-Unmodified-Since: " THEN "\r\n", GO_ON},
        {"unmodified since before", "If-Unmodified-Since: " EARLIER "\r\n", FAILED},
        {"unmodified since after", "If-Unmodified-Since: " LATER "\r\n", GO_ON},
        {"unmodified, RFC 850", "If-Unmodified-Since: Sunday, 06-Nov-94 08:49:36 GMT\r\n", FAILED},
        {"unmodified, asctime", "If-Unmodified-Since: Sun Nov  6 08:49:36 1994\r\n", FAILED},
        {"unmodified, bad date", "If-Unmodified-Since: yesterday\r\n", GO_ON},
        {"unmodified, empty", "If-Unmodified-Since:\r\n", GO_ON},
        {"unmodified, two dates", "If-Unmodified-Since: " EARLIER ", " EARLIER "\r\n", GO_ON},
        {"unmodified, two lines",
         "If-Unmodified-Since: " EARLIER "\r\nIf-Unmodified-Since: " EARLIER "\r\n", GO_ON},
        {"unmodified, 1969", "If-Unmodified-Since: Wed, 31 Dec 1969 23:59:59 GMT\r\n", FAILED},

        {"none match", "If-None-Match: \"now\"\r\n", NOT_MODIFIED},
        {"none match, another", "If-None-Match: \"then\"\r\n", GO_ON},
        {"none match, weak", "If-None-Match: W/\"now\"\r\n", NOT_MODIFIED},
        {"none match, any", "If-None-Match: *\r\n", NOT_MODIFIED},
        {"none match, one of many", "If-None-Match: \"then\", \"now\"\r\n", NOT_MODIFIED},
        {"none match, one of many lines",
         "If-None-Match: \"then\"\r\nHost: a\r\nif-none-match: \"now\"\r\n", NOT_MODIFIED},
        {"none match, empty", "If-None-Match:\r\n", GO_ON},
        {"none match, unquoted", "If-None-Match: now\r\n", GO_ON},
        {"none match, malformed before", "If-None-Match: now, \"now\"\r\n", NOT_MODIFIED},
        {"none match, malformed after", "If-None-Match: \"now\", \"then\r\n", NOT_MODIFIED},
        {"none match, in a malformed one", "If-None-Match: \"a ,\"now\", b\"\r\n", GO_ON},
        {"none match, any beside", "If-None-Match: \"then\", *\r\n", NOT_MODIFIED},
        {"none match, any quoted", "If-None-Match: \"*\"\r\n", GO_ON},

        {"modified since then", "If-Modified-Since: " THEN "\r\n", NOT_MODIFIED},
        {"modified since before", "If-Modified-Since: " EARLIER "\r\n", GO_ON},
        {"modified since after", "If-Modified-Since: " LATER "\r\n", NOT_MODIFIED},
        {"modified since the future", "If-Modified-Since: " YEAR_9999 "\r\n", NOT_MODIFIED},
        {"modified, RFC 850", "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n",
         NOT_MODIFIED},
        {"modified, asctime", "If-Modified-Since: Sun Nov  6 08:49:37 1994\r\n", NOT_MODIFIED},
        {"modified, bad date", "If-Modified-Since: Sun, 32 Nov 2094 08:49:37 GMT\r\n", GO_ON},
        {"modified, with a length", "If-Modified-Since: " THEN "; length=10\r\n", GO_ON},
        {"modified, two lines", "If-Modified-Since: " THEN "\r\nIf-Modified-Since: " THEN "\r\n",
         GO_ON},
    };
    (void)state;
    check_rows("GET", existing("\"now\""), rows, ROWS(rows));
    check_rows("HEAD", existing("\"now\""), rows, ROWS(rows));
}

/* RFC 9110 section 13.2.2. */
static void precondition_order_is_that_of_the_rfc(void **state)
{
    static const struct row rows[] = {
        {"match holds: no look at unmodified",
         "If-Unmodified-Since: " EARLIER "\r\nIf-Match: \"now\"\r\n", GO_ON},
        {"match fails: no look at unmodified",
         "If-Unmodified-Since: " LATER "\r\nIf-Match: \"then\"\r\n", FAILED},
        {"match holds, none match fails", "If-None-Match: \"now\"\r\nIf-Match: \"now\"\r\n",
         NOT_MODIFIED},
        {"match fails, none match fails", "If-None-Match: \"now\"\r\nIf-Match: \"then\"\r\n",
         FAILED},
        {"match holds, modified fails", "If-Modified-Since: " THEN "\r\nIf-Match: *\r\n",
         NOT_MODIFIED},
        {"unmodified fails, none match fails",
         "If-None-Match: \"now\"\r\nIf-Unmodified-Since: " EARLIER "\r\n", FAILED},
        {"unmodified holds, none match fails",
         "If-None-Match: \"now\"\r\nIf-Unmodified-Since: " THEN "\r\n", NOT_MODIFIED},
        {"unmodified is bad, none match fails",
         "If-Unmodified-Since: x\r\nIf-None-Match: \"now\"\r\n", NOT_MODIFIED},
        {"none match holds: no look at modified",
         "If-Modified-Since: " THEN "\r\nIf-None-Match: \"then\"\r\n", GO_ON},
        {"none match fails: no look at modified",
         "If-Modified-Since: " EARLIER "\r\nIf-None-Match: \"now\"\r\n", NOT_MODIFIED},
        {"any fails: no look at modified", "If-None-Match: *\r\nIf-Modified-Since: " EARLIER "\r\n",
         NOT_MODIFIED},
        {"none match is malformed: no look at modified",
         "If-None-Match: now\r\nIf-Modified-Since: " THEN "\r\n", GO_ON},
        {"unmodified and modified",
         "If-Modified-Since: " THEN "\r\nIf-Unmodified-Since: " THEN "\r\n", NOT_MODIFIED},
    };
    (void)state;
    check_rows("GET", existing("\"now\""), rows, ROWS(rows));
}

static void precondition_for_writing_is_412(void **state)
{
    static const char *const methods[] = {"PUT", "POST", "DELETE", "PATCH"};
    static const struct row rows[] = {
        {"no condition", "Host: a\r\n", GO_ON},
        {"match", "If-Match: \"now\"\r\n", GO_ON},
        {"match, another", "If-Match: \"x\"\r\n", FAILED},
        {"match, weak", "If-Match: W/\"now\"\r\n", FAILED},
        {"match, any", "If-Match: *\r\n", GO_ON},
        {"match, malformed", "If-Match: now\r\n", FAILED},
        {"unmodified since then", "If-Unmodified-Since: " THEN "\r\n", GO_ON},
        {"unmodified since before", "If-Unmodified-Since: " EARLIER "\r\n", FAILED},
        {"none match", "If-None-Match: \"now\"\r\n", FAILED},
        {"none match, weak", "If-None-Match: W/\"now\"\r\n", FAILED},
        {"none match, another", "If-None-Match: \"then\"\r\n", GO_ON},
        {"none match, any", "If-None-Match: *\r\n", FAILED},
        {"none match, any twice", "If-None-Match: *\r\nIf-None-Match: *\r\n", FAILED},
        {"modified is for reading only", "If-Modified-Since: " THEN "\r\n", GO_ON},
        {"modified is ignored beside", "If-Match: *\r\nIf-Modified-Since: " LATER "\r\n", GO_ON},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(methods); i++)
        check_rows(methods[i], existing("\"now\""), rows, ROWS(rows));
}

static void precondition_on_what_is_not_there_matches_nothing(void **state)
{
    static const struct row rows[] = {
        {"no condition", "Host: a\r\n", GO_ON},
        {"match, any", "If-Match: *\r\n", FAILED},
        {"match", "If-Match: \"now\"\r\n", FAILED},
        {"none match, any", "If-None-Match: *\r\n", GO_ON},
        {"none match", "If-None-Match: \"now\"\r\n", GO_ON},
        {"unmodified", "If-Unmodified-Since: " EARLIER "\r\n", GO_ON},
    };
    struct validators absent = existing("\"now\"");
    (void)state;
    absent.exists = false;
    check_rows("PUT", absent, rows, ROWS(rows));
}

static void precondition_without_validators_compares_with_nothing(void **state)
{
    static const struct row rows[] = {
        {"match, any", "If-Match: *\r\n", GO_ON},
        {"match", "If-Match: \"\"\r\n", FAILED},
        {"none match", "If-None-Match: \"\"\r\n", GO_ON},
        {"none match, any", "If-None-Match: *\r\n", NOT_MODIFIED},
        {"unmodified", "If-Unmodified-Since: " EARLIER "\r\n", GO_ON},
        {"modified", "If-Modified-Since: " YEAR_9999 "\r\n", GO_ON},
    };
    (void)state;
    check_rows("GET", (struct validators){.exists = true}, rows, ROWS(rows));
}

static void precondition_weak_validator_matches_weakly_only(void **state)
{
    static const struct row rows[] = {
        {"match", "If-Match: W/\"now\"\r\n", FAILED},
        {"match, strong", "If-Match: \"now\"\r\n", FAILED},
        {"none match", "If-None-Match: W/\"now\"\r\n", NOT_MODIFIED},
        {"none match, strong", "If-None-Match: \"now\"\r\n", NOT_MODIFIED},
    };
    (void)state;
    check_rows("GET", existing("W/\"now\""), rows, ROWS(rows));
}

static void precondition_for_other_methods_is_ignored(void **state)
{
    static const struct row rows[] = {
        {"all of them",
         "If-Match: \"x\"\r\nIf-None-Match: *\r\nIf-Unmodified-Since: " EARLIER "\r\n", GO_ON},
    };
    (void)state;
    check_rows("OPTIONS", existing("\"now\""), rows, ROWS(rows));
    check_rows("TRACE", existing("\"now\""), rows, ROWS(rows));
    check_rows("BREW", existing("\"now\""), rows, ROWS(rows));
}

static void precondition_long_lists_are_read_to_their_end(void **state)
{
    static char fields[16500];
    struct row row = {"commas", fields, NOT_MODIFIED};
    (void)state;
    request_fill(fields, sizeof(fields), "If-None-Match: ", ',', 16384, "\"now\"\r\n");
    check_rows("GET", existing("\"now\""), &row, 1);
    request_fill(fields, sizeof(fields), "If-Match: \"now\", ", '"', 16383, "\r\n");
    row.label = "quotes";
    row.expected = FAILED;
    check_rows("GET", existing("\"now\""), &row, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(precondition_for_get_and_head_is_304_or_412),
        cmocka_unit_test(precondition_order_is_that_of_the_rfc),
        cmocka_unit_test(precondition_for_writing_is_412),
        cmocka_unit_test(precondition_on_what_is_not_there_matches_nothing),
        cmocka_unit_test(precondition_without_validators_compares_with_nothing),
        cmocka_unit_test(precondition_weak_validator_matches_weakly_only),
        cmocka_unit_test(precondition_for_other_methods_is_ignored),
        cmocka_unit_test(precondition_long_lists_are_read_to_their_end),
    };
    return cmocka_run_group_tests(tests, create_guard, destroy_guard);
}
