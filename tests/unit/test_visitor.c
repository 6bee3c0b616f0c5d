#include "server/handlers/random_token.h"
#include "server/visitor.h"
#include "tests/unit/handling.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GET  "GET / HTTP/1.1\r\n" HOST
#define HTML SLICE("text/html; charset=utf-8")

static bool getrandom_fails;

/* The linker takes it before the C library's. */
ssize_t getrandom(void *buffer, size_t len, unsigned flags)
{
    if (getrandom_fails) {
        errno = ENOSYS;
        return -1;
    }
    return syscall(SYS_getrandom, buffer, len, flags);
}

static int create(void **state)
{
    (void)handling_setup(state);
    handling.config.cookies.name = (char *)"visitor";
    handling.config.cookies.max_age = 3600;
    return 0;
}

#define VISITOR_TEST(test) cmocka_unit_test_setup_teardown(test, create, handling_teardown)

/* A response to the request; returns whether it sets the cookie. */
static bool sets_cookie(const char *head, enum http_status status, struct slice media_type)
{
    handling_begin(head);
    handling.exchange.response.status = status;
    handling.exchange.response.media_type = media_type;
    visitor_add_cookie(&handling.request);
    return strstr(handling_head(), "\r\nSet-Cookie: ") != NULL;
}

/* The random id of the last response. */
static void read_id(char out[RANDOM_TOKEN_LEN + 1])
{
    const char *begin = strstr(handling_head(), "\r\nSet-Cookie: visitor=");
    assert_non_null(begin);
    begin += strlen("\r\nSet-Cookie: visitor=");
    assert_int_equal(strcspn(begin, ";"), RANDOM_TOKEN_LEN);
    memcpy(out, begin, RANDOM_TOKEN_LEN);
    out[RANDOM_TOKEN_LEN] = '\0';
}

static void visitor_without_a_cookie_gets_one(void **state)
{
    char id[RANDOM_TOKEN_LEN + 1];
    char line[128];
    (void)state;
    assert_true(sets_cookie(GET "\r\n", HTTP_OK, HTML));
    read_id(id);
    (void)snprintf(line, sizeof(line),
                   "Set-Cookie: visitor=%s; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax", id);
    assert_line(line);
}

static void visitor_ids_differ(void **state)
{
    char first[RANDOM_TOKEN_LEN + 1];
    char second[RANDOM_TOKEN_LEN + 1];
    (void)state;
    assert_true(sets_cookie(GET "\r\n", HTTP_OK, HTML));
    read_id(first);
    assert_true(sets_cookie(GET "\r\n", HTTP_OK, HTML));
    read_id(second);
    assert_string_not_equal(first, second);
}

static void visitor_cookie_is_for_pages_of_those_that_have_none(void **state)
{
    static const struct {
        const char *label;
        const char *head;
        enum http_status status;
        const char *media_type;
        bool set;
    } rows[] = {
        {"a page", GET "\r\n", HTTP_OK, "text/html", true},
        {"another cookie", GET "Cookie: other=1\r\n\r\n", HTTP_OK, "text/html", true},
        {"a name that begins so", GET "Cookie: visitor2=1\r\n\r\n", HTTP_OK, "text/html", true},
        {"a name in another case", GET "Cookie: Visitor=1\r\n\r\n", HTTP_OK, "text/html", true},
        {"one is there", GET "Cookie: visitor=1\r\n\r\n", HTTP_OK, "text/html", false},
        {"one among others", GET "Cookie: a=1; visitor=x; b=2\r\n\r\n", HTTP_OK, "text/html",
         false},
        {"one in a second field", GET "Cookie: a=1\r\nCookie: visitor=x\r\n\r\n", HTTP_OK,
         "text/html", false},
        {"an empty one", GET "Cookie: visitor=\r\n\r\n", HTTP_OK, "text/html", false},
        {"an asset", GET "\r\n", HTTP_OK, "text/css", false},
        {"a document", GET "\r\n", HTTP_OK, "application/json", false},
        {"no type", GET "\r\n", HTTP_OK, "", false},
        {"not modified", GET "\r\n", HTTP_NOT_MODIFIED, "text/html", false},
        {"an error page", GET "\r\n", HTTP_NOT_FOUND, "text/html", false},
        {"a part", GET "\r\n", HTTP_PARTIAL_CONTENT, "text/html", false},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        if (sets_cookie(rows[i].head, rows[i].status, slice_from_string(rows[i].media_type)) !=
            rows[i].set)
            fail_msg("%s", rows[i].label);
}

static void visitor_cookie_is_off_without_a_name(void **state)
{
    (void)state;
    handling.config.cookies.name = (char *)"";
    assert_false(sets_cookie(GET "\r\n", HTTP_OK, HTML));
}

/* Nothing of the field is left. */
static void visitor_without_randomness_gets_no_cookie(void **state)
{
    (void)state;
    getrandom_fails = true;
    bool set = sets_cookie(GET "\r\n", HTTP_OK, HTML);
    getrandom_fails = false;
    assert_false(set);
    assert_int_equal(handling.exchange.response.fields.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VISITOR_TEST(visitor_without_a_cookie_gets_one),
        VISITOR_TEST(visitor_ids_differ),
        VISITOR_TEST(visitor_cookie_is_for_pages_of_those_that_have_none),
        VISITOR_TEST(visitor_cookie_is_off_without_a_name),
        VISITOR_TEST(visitor_without_randomness_gets_no_cookie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
