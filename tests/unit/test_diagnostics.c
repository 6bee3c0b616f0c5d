#include "server/handlers/diagnostics.h"
#include "tests/unit/handling.h"

#define GET(target) "GET " target " HTTP/1.1\r\n" HOST

static void diagnostics_echo_the_decoded_text(void **state)
{
    static const struct {
        const char *head;
        const char *text;
    } rows[] = {
        {GET("/echo/hello") "\r\n", "hello"},
        {GET("/echo/") "\r\n", ""},
        {GET("/echo/a%20b%3Cscript%3E") "\r\n", "a b<script>"},
        {GET("/echo/a/b?c") "\r\n", "a/b"},
        {GET("/echo/%C3%A9") "\r\n", "\xc3\xa9"},
        {"HEAD /echo/hello HTTP/1.1\r\n" HOST "\r\n", "hello"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        assert_int_equal(handling_answer(rows[i].head), HTTP_OK);
        assert_string_equal(handling_content(), rows[i].text);
        /* As text, whatever it holds: it must not become a page of this site. */
        assert_line("Content-Type: text/plain; charset=utf-8");
        assert_line("X-Content-Type-Options: nosniff");
        assert_line("Cache-Control: no-store");
    }
}

static void diagnostics_show_the_user_agent(void **state)
{
    (void)state;
    assert_int_equal(handling_answer(GET("/user-agent") "User-Agent: tester/1.0\r\n\r\n"), HTTP_OK);
    assert_string_equal(handling_content(), "tester/1.0");
    assert_int_equal(handling_answer(GET("/user-agent") "\r\n"), HTTP_OK);
    assert_string_equal(handling_content(), "");
}

static void diagnostics_health_is_always_good(void **state)
{
    (void)state;
    assert_int_equal(handling_answer(GET("/healthz") "\r\n"), HTTP_OK);
    assert_string_equal(handling_content(), "ok\n");
    assert_line("Cache-Control: no-store");
}

static bool answer_as_told(const struct site *site)
{
    return *(const bool *)site->context;
}

static void diagnostics_readiness_is_the_site_s(void **state)
{
    bool ready = true;
    (void)state;
    assert_int_equal(handling_answer(GET("/readyz") "\r\n"), HTTP_OK);
    handling.site.is_ready = answer_as_told;
    handling.site.context = &ready;
    assert_int_equal(handling_answer(GET("/readyz") "\r\n"), HTTP_OK);
    assert_string_equal(handling_content(), "ready\n");
    ready = false;
    assert_int_equal(handling_answer(GET("/readyz") "\r\n"), HTTP_SERVICE_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDLING_TEST(diagnostics_echo_the_decoded_text),
        HANDLING_TEST(diagnostics_show_the_user_agent),
        HANDLING_TEST(diagnostics_health_is_always_good),
        HANDLING_TEST(diagnostics_readiness_is_the_site_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
