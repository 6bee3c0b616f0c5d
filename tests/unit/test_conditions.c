#include "server/handlers/conditions.h"
#include "tests/unit/handling.h"

#define READ "GET /healthz HTTP/1.1\r\n" HOST
#define POST "POST /upload HTTP/1.1\r\n" HOST
#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

/* A response as a handler would make it, judged. */
static enum http_status judge(const char *head, enum http_status status)
{
    struct response *response = &handling.exchange.response;
    handling_begin(head);
    response->status = status;
    response->content = RESPONSE_BYTES;
    response->media_type = SLICE("text/plain");
    response->owned = strdup("made anew");
    response->bytes = slice_from_string(response->owned);
    response_add_field(response, SLICE("Cache-Control"), SLICE("no-store"));
    conditions_judge(&handling.request);
    return response->status;
}

static const struct {
    const char *label;
    const char *head;
    enum http_status status;
} readings[] = {
    {"none", READ "\r\n", HTTP_OK},
    {"it is there", READ "If-Match: *\r\n\r\n", HTTP_OK},
    {"it has no tag", READ "If-Match: \"a\"\r\n\r\n", HTTP_PRECONDITION_FAILED},
    {"it must not be there", READ "If-None-Match: *\r\n\r\n", HTTP_NOT_MODIFIED},
    {"another tag", READ "If-None-Match: \"a\"\r\n\r\n", HTTP_OK},
    {"it has no date", READ "If-Unmodified-Since: " DATE "\r\n\r\n", HTTP_OK},
    {"... either way", READ "If-Modified-Since: " DATE "\r\n\r\n", HTTP_OK},
    {"HEAD", "HEAD /healthz HTTP/1.1\r\n" HOST "If-None-Match: *\r\n\r\n", HTTP_NOT_MODIFIED},
};

static void conditions_of_what_is_read_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(readings); i++) {
        enum http_status status = judge(readings[i].head, HTTP_OK);
        if (status != readings[i].status)
            fail_msg("%s: %d", readings[i].label, (int)status);
    }
}

static void conditions_leave_a_response_that_holds(void **state)
{
    (void)state;
    assert_int_equal(judge(READ "If-Match: *\r\n\r\n", HTTP_OK), HTTP_OK);
    assert_string_equal(handling_content(), "made anew");
}

/* What would fail without them fails with them too. */
static void conditions_leave_an_error(void **state)
{
    (void)state;
    assert_int_equal(judge(READ "If-None-Match: *\r\n\r\n", HTTP_SERVICE_UNAVAILABLE),
                     HTTP_SERVICE_UNAVAILABLE);
    assert_string_equal(handling_content(), "made anew");
}

static void conditions_make_a_304_without_content(void **state)
{
    (void)state;
    assert_int_equal(judge(READ "If-None-Match: *\r\n\r\n", HTTP_OK), HTTP_NOT_MODIFIED);
    assert_int_equal(handling.exchange.response.content, RESPONSE_EMPTY);
    assert_null(handling.exchange.response.owned);
    assert_line("Cache-Control: no-store");
    assert_null(strstr(handling_head(), "\r\nContent-"));
}

static void conditions_make_a_412_that_says_so(void **state)
{
    (void)state;
    assert_int_equal(judge(READ "If-Match: \"a\"\r\n\r\n", HTTP_OK), HTTP_PRECONDITION_FAILED);
    assert_non_null(strstr(handling_content(), "412 Precondition Failed"));
    assert_null(strstr(handling_head(), "no-store"));
}

static void conditions_of_what_is_new_hold_unless_it_must_be_there(void **state)
{
    static const struct {
        const char *head;
        bool hold;
    } rows[] = {
        {POST "\r\n", true},
        {POST "If-None-Match: *\r\n\r\n", true},
        {POST "If-None-Match: \"a\"\r\n\r\n", true},
        {POST "If-Unmodified-Since: " DATE "\r\n\r\n", true},
        {POST "If-Match: *\r\n\r\n", false},
        {POST "If-Match: \"a\"\r\n\r\n", false},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        handling_begin(rows[i].head);
        if (conditions_hold_for_new(&handling.request) != rows[i].hold)
            fail_msg("row %zu", i);
        assert_int_equal(handling.exchange.response.status,
                         rows[i].hold ? HTTP_GO_ON : HTTP_PRECONDITION_FAILED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDLING_TEST(conditions_of_what_is_read_are_judged),
        HANDLING_TEST(conditions_leave_a_response_that_holds),
        HANDLING_TEST(conditions_leave_an_error),
        HANDLING_TEST(conditions_make_a_304_without_content),
        HANDLING_TEST(conditions_make_a_412_that_says_so),
        HANDLING_TEST(conditions_of_what_is_new_hold_unless_it_must_be_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
