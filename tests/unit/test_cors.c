#include "server/cors.h"
#include "tests/unit/handling.h"

#define HEALTH    "GET /healthz HTTP/1.1\r\n" HOST
#define PREFLIGHT "OPTIONS /upload HTTP/1.1\r\n" HOST "Access-Control-Request-Method: POST\r\n"

static void allow(char **origins, size_t count)
{
    handling.config.cors.origins = (struct string_list){origins, count};
}

/* Two origins, unless a test says otherwise. */
static int create(void **state)
{
    static char *origins[] = {(char *)"https://a.test", (char *)"http://b.test:8080"};
    (void)handling_setup(state);
    allow(origins, ROWS(origins));
    return 0;
}

#define CORS_TEST(test) cmocka_unit_test_setup_teardown(test, create, handling_teardown)

static void answer(const char *head)
{
    (void)handling_answer(head);
    cors_add_fields(&handling.request);
}

static void assert_no_line(const char *text)
{
    if (strstr(handling_head(), text))
        fail_msg("%s in\n%s", text, handling_head());
}

static void cors_allows_the_origins_listed(void **state)
{
    static const struct {
        const char *origin;
        bool allowed;
    } rows[] = {
        {"https://a.test", true},
        {"HTTPS://A.test", true},
        {"http://b.test:8080", true},
        {"http://a.test", false},
        {"https://a.tes", false},
        {"https://a.test.evil", false},
        {"https://a.test:444", false},
        {"http://b.test", false},
        {"https://a.test/", false},
        {"https://sub.a.test", false},
        {"null", false},
        {"", false},
        {"https://a.test,null", false},
        {"*", false},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        if (cors_allows(&handling.config, slice_from_string(rows[i].origin)) != rows[i].allowed)
            fail_msg("%s", rows[i].origin);
}

static void cors_wildcard_allows_every_origin(void **state)
{
    static char *any[] = {(char *)"https://a.test", (char *)"*"};
    (void)state;
    allow(any, ROWS(any));
    assert_true(cors_allows(&handling.config, SLICE("https://elsewhere.test")));
    assert_true(cors_allows(&handling.config, SLICE("null")));
    answer(HEALTH "Origin: https://elsewhere.test\r\n\r\n");
    assert_line("Access-Control-Allow-Origin: https://elsewhere.test");
    assert_line("Vary: Origin");
}

static void cors_without_origins_nothing_is_sent(void **state)
{
    (void)state;
    allow(NULL, 0);
    assert_false(cors_allows(&handling.config, SLICE("https://a.test")));
    answer(HEALTH "Origin: https://a.test\r\n\r\n");
    assert_no_line("Access-Control");
    assert_no_line("Vary");
    answer(PREFLIGHT "Origin: https://a.test\r\n\r\n");
    assert_no_line("Access-Control");
}

/* Caches must know that the answer depends on the origin, also when it is not allowed. */
static void cors_answer_varies_by_origin(void **state)
{
    static const char *const heads[] = {
        HEALTH "\r\n",
        HEALTH "Origin: https://evil.test\r\n\r\n",
        HEALTH "Origin: null\r\n\r\n",
        HEALTH "Origin: https://a.test\r\nOrigin: https://a.test\r\n\r\n",
    };
    (void)state;
    for (size_t i = 0; i < ROWS(heads); i++) {
        answer(heads[i]);
        assert_line("Vary: Origin");
        assert_no_line("Access-Control");
    }
}

static void cors_allowed_origin_may_read(void **state)
{
    (void)state;
    answer(HEALTH "Origin: https://a.test\r\n\r\n");
    assert_line("Access-Control-Allow-Origin: https://a.test");
    assert_line("Access-Control-Expose-Headers: "
                "Location, Content-Disposition, Content-Range, ETag, Allow, "
                "Repr-Digest");
    assert_line("Vary: Origin");
    assert_no_line("Access-Control-Allow-Methods");
    assert_no_line("Access-Control-Allow-Credentials");
}

/* A page must be able to read why. */
static void cors_allowed_origin_may_read_errors(void **state)
{
    (void)state;
    answer("DELETE /healthz HTTP/1.1\r\n" HOST "Origin: https://a.test\r\n\r\n");
    assert_int_equal(handling.exchange.response.status, HTTP_METHOD_NOT_ALLOWED);
    assert_line("Access-Control-Allow-Origin: https://a.test");
}

static void cors_preflight_tells_what_may_be_sent(void **state)
{
    (void)state;
    answer(PREFLIGHT "Origin: https://a.test\r\n\r\n");
    assert_int_equal(handling.exchange.response.status, HTTP_NO_CONTENT);
    assert_line("Access-Control-Allow-Origin: https://a.test");
    assert_line("Access-Control-Allow-Methods: POST");
    assert_line("Access-Control-Allow-Headers: Authorization, Content-Digest, Content-Type, "
                "Idempotency-Key, Range, If-Match, If-None-Match, If-Range, If-Modified-Since, "
                "If-Unmodified-Since, Want-Repr-Digest");
    assert_line("Access-Control-Max-Age: 600");
    assert_line("Vary: Origin");
    assert_no_line("Access-Control-Expose-Headers");
}

static void cors_preflight_of_others_tells_nothing(void **state)
{
    (void)state;
    answer(PREFLIGHT "Origin: https://evil.test\r\n\r\n");
    assert_line("Vary: Origin");
    assert_no_line("Access-Control");
    answer(PREFLIGHT "\r\n");
    assert_no_line("Access-Control");
}

/* One of another method, or without the method that is asked for, is none. */
static void cors_what_is_no_preflight_tells_no_methods(void **state)
{
    static const char *const heads[] = {
        "OPTIONS /upload HTTP/1.1\r\n" HOST "Origin: https://a.test\r\n\r\n",
        HEALTH "Access-Control-Request-Method: POST\r\nOrigin: https://a.test\r\n\r\n",
        PREFLIGHT "Access-Control-Request-Method: GET\r\nOrigin: https://a.test\r\n\r\n",
    };
    (void)state;
    for (size_t i = 0; i < ROWS(heads); i++) {
        answer(heads[i]);
        assert_line("Access-Control-Allow-Origin: https://a.test");
        assert_no_line("Access-Control-Allow-Methods");
        assert_no_line("Access-Control-Max-Age");
    }
}

/* Neither the whole server, nor what the router has refused before there was a route. */
static void cors_without_a_resource_there_is_no_preflight(void **state)
{
    static const struct {
        const char *target;
        enum http_status status;
    } rows[] = {{"*", HTTP_NO_CONTENT}, {"/%zz", HTTP_BAD_REQUEST}};
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char head[256];
        (void)snprintf(head, sizeof(head),
                       "OPTIONS %s HTTP/1.1\r\n" HOST "Origin: https://a.test\r\n"
                       "Access-Control-Request-Method: POST\r\n\r\n",
                       rows[i].target);
        answer(head);
        assert_int_equal(handling.exchange.response.status, rows[i].status);
        assert_line("Access-Control-Allow-Origin: https://a.test");
        assert_no_line("Access-Control-Allow-Methods");
        assert_no_line("Access-Control-Max-Age");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CORS_TEST(cors_allows_the_origins_listed),
        CORS_TEST(cors_wildcard_allows_every_origin),
        CORS_TEST(cors_without_origins_nothing_is_sent),
        CORS_TEST(cors_answer_varies_by_origin),
        CORS_TEST(cors_allowed_origin_may_read),
        CORS_TEST(cors_allowed_origin_may_read_errors),
        CORS_TEST(cors_preflight_tells_what_may_be_sent),
        CORS_TEST(cors_preflight_of_others_tells_nothing),
        CORS_TEST(cors_what_is_no_preflight_tells_no_methods),
        CORS_TEST(cors_without_a_resource_there_is_no_preflight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
