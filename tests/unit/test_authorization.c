/* Which requests need a token, and what the others are told. */
#include "server/auth/authorization.h"
#include "server/auth/token.h"
#include "server/auth/tokens.h"
#include "server/log/error_log.h"
#include "tests/unit/folder.h"
#include "tests/unit/handling.h"

#define POST "POST /upload HTTP/1.1\r\n" HOST

static struct folder folder;
static const struct peer peer = {.host = 7};

/* The token is "a.one". */
static int create(void **state)
{
    char path[64];
    char hash[CRYPT_OUTPUT_SIZE];
    char line[CRYPT_OUTPUT_SIZE + 2];
    (void)handling_setup(state);
    folder_create(&folder);
    assert_int_equal(error_log_open("off", LOG_ERROR), 0);
    assert_int_equal(token_hash("one", hash), 0);
    (void)snprintf(line, sizeof(line), "a:%s", hash);
    folder_add_file(&folder, "tokens", line);
    (void)snprintf(path, sizeof(path), "%s/tokens", folder.path);
    return tokens_load(path, &handling.site.tokens, stderr);
}

static int destroy(void **state)
{
    tokens_free(handling.site.tokens);
    error_log_close();
    folder_destroy(&folder);
    return handling_teardown(state);
}

#define AUTHORIZATION_TEST(test) cmocka_unit_test_setup_teardown(test, create, destroy)

static enum http_status check(const char *head)
{
    assert_int_equal(handling_resolve(head), HTTP_GO_ON);
    return authorization_check(&handling.request, peer, 1000);
}

static void authorization_is_for_what_writes(void **state)
{
    static const struct {
        const char *head;
        enum http_status status;
    } rows[] = {
        {"GET / HTTP/1.1\r\n" HOST "\r\n", HTTP_GO_ON},
        {"HEAD / HTTP/1.1\r\n" HOST "\r\n", HTTP_GO_ON},
        {"OPTIONS /upload HTTP/1.1\r\n" HOST "\r\n", HTTP_GO_ON},
        {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", HTTP_GO_ON},
        {POST "\r\n", HTTP_UNAUTHORIZED},
        {POST "Authorization: Bearer a.one\r\n\r\n", HTTP_GO_ON},
        {POST "authorization: bearer   a.one\r\n\r\n", HTTP_GO_ON},
        {POST "Authorization: Bearer a.two\r\n\r\n", HTTP_UNAUTHORIZED},
        {POST "Authorization: Basic a.one\r\n\r\n", HTTP_UNAUTHORIZED},
        {POST "Authorization: a.one\r\n\r\n", HTTP_UNAUTHORIZED},
        {POST "Authorization: Bearer \"a.one\"\r\n\r\n", HTTP_UNAUTHORIZED},
        {POST "Authorization: Bearer a.one, Bearer a.one\r\n\r\n", HTTP_UNAUTHORIZED},
        {POST "Authorization: Bearer a.one\r\nAuthorization: Bearer a.one\r\n\r\n",
         HTTP_UNAUTHORIZED},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        if (check(rows[i].head) != rows[i].status)
            fail_msg("%s", rows[i].head);
}

static void authorization_is_not_asked_for_without_tokens(void **state)
{
    (void)state;
    tokens_free(handling.site.tokens);
    handling.site.tokens = NULL;
    assert_int_equal(check(POST "\r\n"), HTTP_GO_ON);
    assert_int_equal(check(POST "Authorization: Bearer x\r\n\r\n"), HTTP_GO_ON);
}

static void authorization_challenge_tells_of_a_wrong_token_only(void **state)
{
    static const struct {
        const char *head, *line;
    } rows[] = {
        {POST "\r\n", "WWW-Authenticate: Bearer realm=\"tarn\""},
        {POST "Authorization: Basic x\r\n\r\n", "WWW-Authenticate: Bearer realm=\"tarn\""},
        {POST "Authorization: Bearer\r\n\r\n", "WWW-Authenticate: Bearer realm=\"tarn\""},
        {POST "Authorization: Bearer x\r\n\r\n",
         "WWW-Authenticate: Bearer realm=\"tarn\", error=\"invalid_token\""},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        enum http_status status = check(rows[i].head);
        assert_int_equal(status, HTTP_UNAUTHORIZED);
        router_refuse(&handling.request, status);
        assert_line(rows[i].line);
    }
}

static void authorization_of_a_peer_that_guesses_is_put_off(void **state)
{
    (void)state;
    for (int i = 0; i < TOKENS_GUESSES_MAX; i++)
        assert_int_equal(check(POST "Authorization: Bearer a.x\r\n\r\n"), HTTP_UNAUTHORIZED);
    enum http_status status = check(POST "Authorization: Bearer a.x\r\n\r\n");
    assert_int_equal(status, HTTP_SERVICE_UNAVAILABLE);
    router_refuse(&handling.request, status);
    assert_line("Retry-After: 1");
    assert_null(strstr(handling_head(), "WWW-Authenticate"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUTHORIZATION_TEST(authorization_is_for_what_writes),
        AUTHORIZATION_TEST(authorization_is_not_asked_for_without_tokens),
        AUTHORIZATION_TEST(authorization_challenge_tells_of_a_wrong_token_only),
        AUTHORIZATION_TEST(authorization_of_a_peer_that_guesses_is_put_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
