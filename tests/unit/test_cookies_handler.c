#include "server/handlers/cookies.h"
#include "tests/support/failing_cjson.h"
#include "tests/unit/handling.h"

#include <cjson/cJSON.h>

#define GET "GET /cookies HTTP/1.1\r\n" HOST

static void cookies_are_shown_as_an_object(void **state)
{
    static const struct {
        const char *head;
        const char *json;
    } rows[] = {
        {GET "\r\n", "{}"},
        {GET "Cookie:\r\n\r\n", "{}"},
        {GET "Cookie: a=1; b=2\r\n\r\n", "{\"a\":\"1\",\"b\":\"2\"}"},
        {GET "Cookie: a=1\r\ncookie: b=2\r\n\r\n", "{\"a\":\"1\",\"b\":\"2\"}"},
        {GET "Cookie: a=\r\n\r\n", "{\"a\":\"\"}"},
        {GET "Cookie: nothing; =x; a=1=2\r\n\r\n", "{\"a\":\"1=2\"}"},
        {GET "Cookie: a=<b>\\\r\n\r\n", "{\"a\":\"<b>\\\\\"}"},
        {GET "Cookie: a=x\"y\r\n\r\n", "{\"a\":\"x\\\"y\"}"},
        {"HEAD /cookies HTTP/1.1\r\n" HOST "Cookie: a=1\r\n\r\n", "{\"a\":\"1\"}"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        assert_int_equal(handling_answer(rows[i].head), HTTP_OK);
        assert_string_equal(handling_content(), rows[i].json);
        assert_line("Content-Type: application/json");
        assert_line("Cache-Control: no-store");
    }
}

static void cookies_of_one_name_the_first_counts(void **state)
{
    (void)state;
    assert_int_equal(handling_answer(GET "Cookie: a=1; b=2; a=3\r\nCookie: b=4; A=5\r\n\r\n"),
                     HTTP_OK);
    assert_string_equal(handling_content(), "{\"a\":\"1\",\"b\":\"2\",\"A\":\"5\"}");
}

static void cookies_that_are_not_utf8_are_replaced(void **state)
{
    static const struct {
        const char *head;
        const char *json;
    } rows[] = {
        {GET "Cookie: a=\xc3\xa9\xf0\x9f\x98\x80\r\n\r\n", "{\"a\":\"\xc3\xa9\xf0\x9f\x98\x80\"}"},
        {GET "Cookie: a=x\xffy\r\n\r\n", "{\"a\":\"x\xef\xbf\xbdy\"}"},
        {GET "Cookie: a=x\xc3\r\n\r\n", "{\"a\":\"x\xef\xbf\xbd\"}"},
        {GET "Cookie: a=\xc3\xc3\xa9\r\n\r\n", "{\"a\":\"\xef\xbf\xbd\xc3\xa9\"}"},
        {GET "Cookie: a=\xc0\xaf\r\n\r\n", "{\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\"}"},
        {GET "Cookie: a=\xed\xa0\x80\r\n\r\n", "{\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}"},
        {GET "Cookie: \xc3\xa9=1; a=2\r\n\r\n", "{\"a\":\"2\"}"}, /* its name is no token */
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        assert_int_equal(handling_answer(rows[i].head), HTTP_OK);
        assert_string_equal(handling_content(), rows[i].json);
    }
}

static void cookies_beyond_256_are_left_out(void **state)
{
    static const struct {
        int sent;
        int shown;
    } rows[] = {{255, 255}, {256, 256}, {257, 256}, {1000, 256}};
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char head[16384];
        struct text text = text_over(head, sizeof(head));
        text_append(&text, SLICE(GET "Cookie: "));
        for (int k = 0; k < rows[i].sent; k++) {
            text_append_char(&text, 'c');
            text_append_u64(&text, (uint64_t)k);
            text_append(&text, SLICE("=v;"));
        }
        text_append(&text, SLICE("\r\n\r\n\0"));
        assert_false(text.truncated);
        assert_int_equal(handling_answer(head), HTTP_OK);
        cJSON *shown = cJSON_Parse(handling_content());
        assert_int_equal(cJSON_GetArraySize(shown), rows[i].shown);
        assert_non_null(cJSON_GetObjectItem(shown, "c0"));
        assert_null(cJSON_GetObjectItem(shown, "c256"));
        cJSON_Delete(shown);
    }
}

/* The answer, where the worker's memory holds strings of 15 bytes. */
static const char *answer_in_little_memory(const char *cookie)
{
    char head[256];
    (void)snprintf(head, sizeof(head), GET "Cookie: %s\r\n\r\n", cookie);
    assert_int_equal(handling_resolve(head), HTTP_GO_ON);
    handling.request.content = text_over(handling.content, 32);
    memset(handling.content, '!', sizeof(handling.content));
    handling.request.handler->answer(&handling.request);
    assert_int_equal(handling.content[32], '!');
    return handling_content();
}

static void cookies_that_are_too_long_are_cut_between_characters(void **state)
{
    static const struct {
        const char *cookie;
        const char *json;
    } rows[] = {
        {"a=12345678901234", "{\"a\":\"12345678901234\"}"},
        {"a=123456789012345", "{\"a\":\"123456789012345\"}"},
        {"a=1234567890123456", "{\"a\":\"123456789012345\"}"},
        {"a=1234567890123\xc3\xa9", "{\"a\":\"1234567890123\xc3\xa9\"}"},
        {"a=12345678901234\xc3\xa9", "{\"a\":\"12345678901234\"}"},
        {"a=12345678901234\xc3\xa9x", "{\"a\":\"12345678901234\"}"},
        {"a=123456789012\xff", "{\"a\":\"123456789012\xef\xbf\xbd\"}"},
        {"a=1234567890123\xff", "{\"a\":\"1234567890123\"}"},
        {"1234567890123456=a", "{\"123456789012345\":\"a\"}"},
        {"a=1234567890123456; b=2", "{\"a\":\"123456789012345\",\"b\":\"2\"}"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_string_equal(answer_in_little_memory(rows[i].cookie), rows[i].json);
}

/* Half of the 16 KiB that the request lends here, less a NUL. */
static void cookies_as_long_as_the_memory_are_cut(void **state)
{
    static const size_t lengths[] = {8190, 8191, 8192, 12000};
    (void)state;
    for (size_t i = 0; i < ROWS(lengths); i++) {
        char head[16384];
        struct text text = text_over(head, sizeof(head));
        text_append(&text, SLICE(GET "Cookie: a="));
        for (size_t k = 0; k < lengths[i]; k++)
            text_append_char(&text, 'x');
        text_append(&text, SLICE("\r\n\r\n\0"));
        assert_int_equal(handling_answer(head), HTTP_OK);
        assert_int_equal(handling.exchange.response.bytes.len,
                         strlen("{\"a\":\"\"}") + (lengths[i] < 8191 ? lengths[i] : 8191));
    }
}

static void cookies_without_memory_are_unavailable(void **state)
{
    enum http_status status = HTTP_SERVICE_UNAVAILABLE;
    unsigned count = 0;
    (void)state;
    for (; status == HTTP_SERVICE_UNAVAILABLE && count < 100; count++) {
        failing_cjson_after(count);
        status = handling_answer(GET "Cookie: a=1; b=2\r\n\r\n");
        failing_cjson_end();
        assert_non_null(handling_content());
    }
    assert_int_equal(status, HTTP_OK);
    assert_in_range(count, 5, 99); /* it has failed at several places before */
    assert_string_equal(handling_content(), "{\"a\":\"1\",\"b\":\"2\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDLING_TEST(cookies_are_shown_as_an_object),
        HANDLING_TEST(cookies_of_one_name_the_first_counts),
        HANDLING_TEST(cookies_that_are_not_utf8_are_replaced),
        HANDLING_TEST(cookies_beyond_256_are_left_out),
        HANDLING_TEST(cookies_that_are_too_long_are_cut_between_characters),
        HANDLING_TEST(cookies_as_long_as_the_memory_are_cut),
        HANDLING_TEST(cookies_without_memory_are_unavailable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
