/* Which requests are served, and by whom. */
#include "server/handlers/diagnostics.h"
#include "server/handlers/documents.h"
#include "server/handlers/static_files.h"
#include "server/handlers/upload.h"
#include "tests/unit/handling.h"

#define GET(target) "GET " target " HTTP/1.1\r\n"

/* --- Host ---------------------------------------------------------------------------------- */

static const struct {
    const char *label;
    const char *head;
    enum http_status status;
} hosts[] = {
    {"none", GET("/") "\r\n", HTTP_BAD_REQUEST},
    {"none, in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", HTTP_BAD_REQUEST},
    {"empty", GET("/") "Host:\r\n\r\n", HTTP_BAD_REQUEST},
    {"two", GET("/") HOST "Host: x\r\n\r\n", HTTP_BAD_REQUEST},
    {"twice the same", GET("/") HOST HOST "\r\n", HTTP_BAD_REQUEST},
    {"wrong", GET("/") "Host: u@localhost:8080\r\n\r\n", HTTP_BAD_REQUEST},
    {"wrong port", GET("/") "Host: localhost:99999\r\n\r\n", HTTP_BAD_REQUEST},
    {"localhost", GET("/") HOST "\r\n", HTTP_GO_ON},
    {"upper case", GET("/") "Host: LOCALHOST:8080\r\n\r\n", HTTP_GO_ON},
    {"no port", GET("/") "Host: localhost\r\n\r\n", HTTP_FORBIDDEN},
    {"other port", GET("/") "Host: localhost:81\r\n\r\n", HTTP_FORBIDDEN},
    {"as configured", GET("/") "Host: files.test:8080\r\n\r\n", HTTP_GO_ON},
    {"the local address", GET("/") "Host: 192.0.2.7:8080\r\n\r\n", HTTP_GO_ON},
    {"another address", GET("/") "Host: 192.0.2.8:8080\r\n\r\n", HTTP_FORBIDDEN},
    {"foreign", GET("/") "Host: evil:8080\r\n\r\n", HTTP_FORBIDDEN},
    {"the target decides", GET("http://localhost:8080/") "Host: evil\r\n\r\n", HTTP_GO_ON},
    {"the target is foreign", GET("http://evil/") HOST "\r\n", HTTP_FORBIDDEN},
    {"... but Host must be right", GET("http://localhost:8080/") "Host: a b\r\n\r\n",
     HTTP_BAD_REQUEST},
    {"... and there", GET("http://localhost:8080/") "\r\n", HTTP_BAD_REQUEST},
    {"wrong in the target", GET("http://u@localhost:8080/") HOST "\r\n", HTTP_BAD_REQUEST},
    {"before the target", GET("/../x") "Host: evil\r\n\r\n", HTTP_FORBIDDEN},
    {"before a wrong target", GET("ftp://localhost:8080/") "Host: evil\r\n\r\n", HTTP_FORBIDDEN},
};

static void router_host_must_be_right_and_served(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(hosts); i++) {
        enum http_status status = handling_resolve(hosts[i].head);
        if (status != hosts[i].status)
            fail_msg("%s: %d", hosts[i].label, (int)status);
    }
}

static void router_asks_for_the_local_address_only_when_it_must(void **state)
{
    (void)state;
    assert_int_equal(handling_resolve(GET("/") HOST "\r\n"), HTTP_GO_ON);
    assert_int_equal(handling.local_address_calls, 0);
    assert_int_equal(handling_resolve(GET("/") "Host: 192.0.2.7:8080\r\n\r\n"), HTTP_GO_ON);
    assert_int_equal(handling.local_address_calls, 1);
}

/* --- targets and routes -------------------------------------------------------------------- */

static const struct {
    const char *head;
    enum http_status status;
} targets[] = {
    {GET("/a/../b") HOST "\r\n", HTTP_FORBIDDEN},
    {GET("/a%2fb") HOST "\r\n", HTTP_FORBIDDEN},
    {GET("/a%5Cb") HOST "\r\n", HTTP_FORBIDDEN},
    {GET("/%zz") HOST "\r\n", HTTP_BAD_REQUEST},
    {GET("/%00") HOST "\r\n", HTTP_BAD_REQUEST},
    {GET("/%ff") HOST "\r\n", HTTP_BAD_REQUEST},
    {GET("a/b") HOST "\r\n", HTTP_BAD_REQUEST},
    {GET("/#x") HOST "\r\n", HTTP_BAD_REQUEST},
    {GET("*") HOST "\r\n", HTTP_BAD_REQUEST},
    {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", HTTP_GO_ON},
    {"CONNECT localhost:8080 HTTP/1.1\r\n" HOST "\r\n", HTTP_METHOD_NOT_ALLOWED},
};

static void router_target_must_be_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(targets); i++)
        if (handling_resolve(targets[i].head) != targets[i].status)
            fail_msg("row %zu", i);
}

static void router_path_that_does_not_fit_is_too_long(void **state)
{
    (void)state;
    handling_begin(GET("/12345678") HOST "\r\n");
    assert_int_equal(
        router_resolve(&handling.request, handling.path, 9, handling_local_address, &handling),
        HTTP_URI_TOO_LONG);
    assert_int_equal(
        router_resolve(&handling.request, handling.path, 10, handling_local_address, &handling),
        HTTP_GO_ON);
}

static const struct {
    const char *label;
    const char *head;
} refused[] = {
    {"no Host", "POST /upload HTTP/1.1\r\n\r\n"},
    {"a Host that is not served", "POST /upload HTTP/1.1\r\nHost: evil\r\n\r\n"},
    {"an authority that is not served", "POST http://evil/upload HTTP/1.1\r\n" HOST "\r\n"},
    {"a bad escape in a name", "PUT /files/%zz HTTP/1.1\r\n" HOST "\r\n"},
    {"a way out", "PUT /files/../a HTTP/1.1\r\n" HOST "\r\n"},
    {"an escaped slash", "PUT /files/a%2fb HTTP/1.1\r\n" HOST "\r\n"},
};

static void router_refused_request_has_the_route_that_tells_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(refused); i++) {
        assert_int_not_equal(handling_resolve(refused[i].head), HTTP_GO_ON);
        const struct handler *handler = handling.request.handler;
        if (!handler || !handler->errors_are_json)
            fail_msg("%s", refused[i].label);
    }
}

static const struct {
    const char *head;
    const struct handler *handler;
    const char *rest;
} routes[] = {
    {GET("/") HOST "\r\n", &static_files_handler, ""},
    {GET("/a/b?c=d") HOST "\r\n", &static_files_handler, "a/b"},
    {GET("//a//b") HOST "\r\n", &static_files_handler, "a/b"},
    {"POST /upload HTTP/1.1\r\n" HOST "\r\n", &upload_handler, ""},
    {"POST /%75pload HTTP/1.1\r\n" HOST "\r\n", &upload_handler, ""},
    {GET("/upload/") HOST "\r\n", &static_files_handler, "upload/"},
    {GET("/uploads") HOST "\r\n", &static_files_handler, "uploads"},
    {GET("/uploads/") HOST "\r\n", &documents_handler, ""},
    {GET("/uploads/a.json") HOST "\r\n", &documents_handler, "a.json"},
    {GET("//uploads//a.json") HOST "\r\n", &documents_handler, "a.json"},
    {GET("/Uploads/a.json") HOST "\r\n", &static_files_handler, "Uploads/a.json"},
    {GET("/echo/a%20b") HOST "\r\n", &echo_handler, "a b"},
    {GET("/echo") HOST "\r\n", &static_files_handler, "echo"},
    {GET("/user-agent") HOST "\r\n", &user_agent_handler, ""},
    {GET("/healthz") HOST "\r\n", &health_handler, ""},
    {GET("/healthz/x") HOST "\r\n", &static_files_handler, "healthz/x"},
    {GET("/readyz") HOST "\r\n", &readiness_handler, ""},
};

static void router_path_decides_who_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(routes); i++) {
        assert_int_equal(handling_resolve(routes[i].head), HTTP_GO_ON);
        if (handling.request.handler != routes[i].handler)
            fail_msg("row %zu: another handler", i);
        assert_slice_is(handling.request.rest, routes[i].rest);
        assert_int_equal(handling.request.path.data[handling.request.path.len], '\0');
    }
}

/* --- methods ------------------------------------------------------------------------------- */

static const struct {
    const char *head;
    enum http_status status;
    const char *allow; /* NULL: the field must not be there */
} methods[] = {
    {"GET /healthz HTTP/1.1\r\n" HOST "\r\n", HTTP_OK, NULL},
    {"HEAD /healthz HTTP/1.1\r\n" HOST "\r\n", HTTP_OK, NULL},
    {"POST /healthz HTTP/1.1\r\n" HOST "\r\n", HTTP_METHOD_NOT_ALLOWED,
     "Allow: GET, HEAD, OPTIONS"},
    {"DELETE / HTTP/1.1\r\n" HOST "\r\n", HTTP_METHOD_NOT_ALLOWED, "Allow: GET, HEAD, OPTIONS"},
    {"GET /upload HTTP/1.1\r\n" HOST "\r\n", HTTP_METHOD_NOT_ALLOWED, "Allow: POST, OPTIONS"},
    {"PATCH /upload HTTP/1.1\r\n" HOST "\r\n", HTTP_METHOD_NOT_ALLOWED, "Allow: POST, OPTIONS"},
    {"TRACE / HTTP/1.1\r\n" HOST "\r\n", HTTP_METHOD_NOT_ALLOWED, "Allow: GET, HEAD, OPTIONS"},
    {"OPTIONS / HTTP/1.1\r\n" HOST "\r\n", HTTP_NO_CONTENT, "Allow: GET, HEAD, OPTIONS"},
    {"OPTIONS /upload HTTP/1.1\r\n" HOST "\r\n", HTTP_NO_CONTENT, "Allow: POST, OPTIONS"},
    {"get / HTTP/1.1\r\n" HOST "\r\n", HTTP_NOT_IMPLEMENTED, NULL},
    {"BREW / HTTP/1.1\r\n" HOST "\r\n", HTTP_NOT_IMPLEMENTED, NULL},
    {"BREW /%zz HTTP/1.1\r\n" HOST "\r\n", HTTP_BAD_REQUEST, NULL},
};

static void router_method_must_be_one_of_the_route_s(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(methods); i++) {
        enum http_status status = handling_answer(methods[i].head);
        if (status != methods[i].status)
            fail_msg("row %zu: %d", i, (int)status);
        if (methods[i].allow)
            assert_line(methods[i].allow);
        else
            assert_null(strstr(handling_head(), "Allow"));
    }
}

static void router_options_of_the_whole_server_are_told(void **state)
{
    (void)state;
    assert_int_equal(handling_answer("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), HTTP_NO_CONTENT);
    assert_non_null(strstr(handling_head(), "\r\nAllow: GET, HEAD, "));
    assert_null(strstr(handling_head(), "Content-Length"));
}

/* --- what closes --------------------------------------------------------------------------- */

static const struct {
    const char *head;
    bool closes;
} closings[] = {
    {GET("/") "\r\n", true},
    {GET("/%zz") HOST "\r\n", true},
    {"CONNECT localhost:8080 HTTP/1.1\r\n" HOST "\r\n", true},
    {GET("/") "Host: evil\r\n\r\n", false},
    {GET("/../x") HOST "\r\n", false},
    {"DELETE / HTTP/1.1\r\n" HOST "\r\n", false},
    {"BREW / HTTP/1.1\r\n" HOST "\r\n", false},
};

static void router_wrong_request_closes_and_a_refused_one_does_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(closings); i++) {
        (void)handling_answer(closings[i].head);
        if (handling.exchange.response.close != closings[i].closes)
            fail_msg("row %zu", i);
    }
}

/* --- writing from other sites --------------------------------------------------------------- */

#define POST "POST /upload HTTP/1.1\r\n" HOST

static const struct {
    const char *label;
    const char *head;
    enum http_status status;
} origins[] = {
    {"no browser", POST "\r\n", HTTP_GO_ON},
    {"this site", POST "Origin: http://localhost:8080\r\n\r\n", HTTP_GO_ON},
    {"this site, over TLS", POST "Origin: https://localhost:8080\r\n\r\n", HTTP_GO_ON},
    {"this machine", POST "Origin: http://192.0.2.7:8080\r\n\r\n", HTTP_GO_ON},
    {"another port", POST "Origin: http://localhost:3000\r\n\r\n", HTTP_FORBIDDEN},
    {"another site", POST "Origin: https://evil.example\r\n\r\n", HTTP_FORBIDDEN},
    {"null", POST "Origin: null\r\n\r\n", HTTP_FORBIDDEN},
    {"empty", POST "Origin:\r\n\r\n", HTTP_FORBIDDEN},
    {"another scheme", POST "Origin: file://localhost:8080\r\n\r\n", HTTP_FORBIDDEN},
    {"with a path", POST "Origin: http://localhost:8080/x\r\n\r\n", HTTP_FORBIDDEN},
    {"with a user", POST "Origin: http://localhost:8080@evil\r\n\r\n", HTTP_FORBIDDEN},
    {"cross-site", POST "Sec-Fetch-Site: cross-site\r\n\r\n", HTTP_FORBIDDEN},
    {"Cross-Site", POST "Sec-Fetch-Site: Cross-Site\r\n\r\n", HTTP_FORBIDDEN},
    {"cross-site with a good origin",
     POST "Origin: http://localhost:8080\r\nSec-Fetch-Site: cross-site\r\n\r\n", HTTP_FORBIDDEN},
    {"same-origin", POST "Sec-Fetch-Site: same-origin\r\n\r\n", HTTP_GO_ON},
    {"typed by the user", POST "Sec-Fetch-Site: none\r\n\r\n", HTTP_GO_ON},
    {"reading", GET("/") HOST "Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n\r\n",
     HTTP_GO_ON},
    {"the method goes before", "PUT / HTTP/1.1\r\n" HOST "Origin: null\r\n\r\n",
     HTTP_METHOD_NOT_ALLOWED},
};

static void router_other_sites_may_read_but_not_write(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(origins); i++) {
        enum http_status status = handling_resolve(origins[i].head);
        if (status != origins[i].status)
            fail_msg("%s: %d", origins[i].label, (int)status);
    }
}

/* --- expectations --------------------------------------------------------------------------- */

#define EXPECT "Expect: foo\r\n"

static const struct {
    const char *label;
    const char *head;
    enum http_status status;
} expectations[] = {
    {"one that is met", POST "Expect: 100-continue\r\n\r\n", HTTP_GO_ON},
    {"one that is not", POST EXPECT "\r\n", HTTP_EXPECTATION_FAILED},
    {"on GET", GET("/") HOST EXPECT "\r\n", HTTP_EXPECTATION_FAILED},
    {"on the whole server", "OPTIONS * HTTP/1.1\r\n" HOST EXPECT "\r\n", HTTP_EXPECTATION_FAILED},
    {"in HTTP/1.0", "GET / HTTP/1.0\r\n" HOST EXPECT "\r\n", HTTP_GO_ON},
    {"Host goes before", GET("/") EXPECT "\r\n", HTTP_BAD_REQUEST},
    {"... and a foreign one", GET("/") "Host: evil\r\n" EXPECT "\r\n", HTTP_FORBIDDEN},
    {"the target goes before", GET("/%zz") HOST EXPECT "\r\n", HTTP_BAD_REQUEST},
    {"the method goes before", GET("/upload") HOST EXPECT "\r\n", HTTP_METHOD_NOT_ALLOWED},
    {"the origin goes before", POST "Origin: null\r\n" EXPECT "\r\n", HTTP_FORBIDDEN},
};

static void router_expectation_that_nobody_meets_comes_last(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(expectations); i++) {
        enum http_status status = handling_resolve(expectations[i].head);
        if (status != expectations[i].status)
            fail_msg("%s: %d", expectations[i].label, (int)status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDLING_TEST(router_host_must_be_right_and_served),
        HANDLING_TEST(router_asks_for_the_local_address_only_when_it_must),
        HANDLING_TEST(router_target_must_be_right),
        HANDLING_TEST(router_path_that_does_not_fit_is_too_long),
        HANDLING_TEST(router_refused_request_has_the_route_that_tells_errors),
        HANDLING_TEST(router_path_decides_who_answers),
        HANDLING_TEST(router_method_must_be_one_of_the_route_s),
        HANDLING_TEST(router_options_of_the_whole_server_are_told),
        HANDLING_TEST(router_wrong_request_closes_and_a_refused_one_does_not),
        HANDLING_TEST(router_other_sites_may_read_but_not_write),
        HANDLING_TEST(router_expectation_that_nobody_meets_comes_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
