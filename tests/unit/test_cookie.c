#include "http/cookie.h"
#include "http/text.h"
#include "tests/unit/assert_slice.h"
#include "tests/unit/request.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

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

/* All cookies of the request, each as `[name|value]`. */
static void assert_cookies(const char *fields, const char *expected)
{
    char buffer[512];
    struct text text = text_over(buffer, sizeof(buffer));
    struct head head = request_parse(&guard, "GET", fields);
    struct cookie_cursor cursor = {0};
    struct cookie cookie = {SLICE("untouched"), SLICE("")};
    while (cookie_next(&head, &cursor, &cookie)) {
        text_append_char(&text, '[');
        text_append(&text, cookie.name);
        text_append_char(&text, '|');
        text_append(&text, cookie.value);
        text_append_char(&text, ']');
    }
    assert_slice_is(text_slice(&text), expected);
    if (text.len == 0)
        assert_slice_is(cookie.name, "untouched");
    assert_false(cookie_next(&head, &cursor, &cookie));
}

static void cookie_next_gives_each_pair(void **state)
{
    static const struct {
        const char *value;
        const char *expected;
    } rows[] = {
        {"SID=31d4d96e407aad42", "[SID|31d4d96e407aad42]"},
        {"SID=31d4; lang=en-US", "[SID|31d4][lang|en-US]"},
        {"a=1;b=2", "[a|1][b|2]"},
        {"a=1 ;\t b=2;", "[a|1][b|2]"},
        {";; a=1 ;;; b=2 ; ;", "[a|1][b|2]"},
        {"a=", "[a|]"},
        {"a=;b=", "[a|][b|]"},
        {"a==", "[a|=]"},
        {"a=b=c", "[a|b=c]"},
        {"a = 1", "[a|1]"},
        {"a=1; a=2; A=3", "[a|1][a|2][A|3]"},
        {"$Version=1; a=1; $Path=/", "[$Version|1][a|1][$Path|/]"},
        {"!#$%&'*+-.^_`|~09Az=x", "[!#$%&'*+-.^_`|~09Az|x]"},
        /* Values that the grammar does not know, and browsers send. */
        {"a=b c", "[a|b c]"},
        {"a=1,2", "[a|1,2]"},
        {"a=1, b=2", "[a|1, b=2]"},
        {"a=\\x", "[a|\\x]"},
        {"a=\xc3\xa4\xff", "[a|\xc3\xa4\xff]"},
        {"a={\"b\":1}", "[a|{\"b\":1}]"},
        {"a=%41+b", "[a|%41+b]"},
        /* One pair of quotes goes. */
        {"a=\"b\"", "[a|b]"},
        {"a=\"\"", "[a|]"},
        {"a=\"", "[a|\"]"},
        {"a=\"b", "[a|\"b]"},
        {"a=b\"", "[a|b\"]"},
        {"a=\"\"b\"\"", "[a|\"b\"]"},
        {"a= \"b c\" ;d=e", "[a|b c][d|e]"},
        {"a=\" b \"", "[a| b ]"},
        {"a=\"b;c=d\"", "[a|\"b][c|d\"]"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char fields[256];
        (void)snprintf(fields, sizeof(fields), "Host: a\r\nCookie: %s\r\n", rows[i].value);
        assert_cookies(fields, rows[i].expected);
    }
}

static void cookie_next_skips_malformed_pairs(void **state)
{
    static const char *const pairs[] = {
        "a",     "\"a\"", "=",      "=1",    " = 1",  "a b=1",      "a\tb=1", "\"a\"=1",
        "a,b=1", "a/b=1", "a[0]=1", "{a}=1", "a@b=1", "\xc3\xa4=1", "a:=1",   "a\\=1",
    };
    (void)state;
    for (size_t i = 0; i < ROWS(pairs); i++) {
        char fields[256];
        (void)snprintf(fields, sizeof(fields), "Cookie: %s\r\n", pairs[i]);
        assert_cookies(fields, "");
        (void)snprintf(fields, sizeof(fields), "Cookie: x=1; %s; y=2\r\n", pairs[i]);
        assert_cookies(fields, "[x|1][y|2]");
    }
}

static void cookie_next_goes_over_all_lines(void **state)
{
    (void)state;
    assert_cookies("Host: a\r\n", "");
    assert_cookies("Cookie:\r\n", "");
    assert_cookies("Set-Cookie: a=1\r\nCookies: b=2\r\n", "");
    assert_cookies("Cookie: a=1; b=2\r\nHost: a\r\ncookie: c=3\r\nCookie:\r\nCOOKIE: d=4;\r\n",
                   "[a|1][b|2][c|3][d|4]");
    assert_cookies("Cookie: a=\"1\r\nCookie: 2\"; b=3\r\n", "[a|\"1][b|3]");
}

static void cookie_next_long_fields_are_read_to_their_end(void **state)
{
    static char fields[16500];
    (void)state;
    request_fill(fields, sizeof(fields), "Cookie: ", ';', 16384, "a=1\r\n");
    assert_cookies(fields, "[a|1]");
    request_fill(fields, sizeof(fields), "Cookie: ", '=', 16384, ";b=1\r\n");
    assert_cookies(fields, "[b|1]");
    request_fill(fields, sizeof(fields), "Cookie: ", ',', 16384, "b=1\r\n");
    assert_cookies(fields, "");
}

static void cookie_find_gives_the_first_of_a_name(void **state)
{
    struct slice value = SLICE("untouched");
    (void)state;
    struct head head =
        request_parse(&guard, "GET", "Cookie: xid=0; id=1; ID=2\r\nCookie: id=3; last=\"4\"\r\n");
    assert_true(cookie_find(&head, SLICE("id"), &value));
    assert_slice_is(value, "1");
    assert_true(cookie_find(&head, SLICE("ID"), &value));
    assert_slice_is(value, "2");
    assert_true(cookie_find(&head, SLICE("last"), &value));
    assert_slice_is(value, "4");
    assert_false(cookie_find(&head, SLICE("i"), &value));
    assert_false(cookie_find(&head, SLICE(""), &value));
    assert_slice_is(value, "4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cookie_next_gives_each_pair),
        cmocka_unit_test(cookie_next_skips_malformed_pairs),
        cmocka_unit_test(cookie_next_goes_over_all_lines),
        cmocka_unit_test(cookie_next_long_fields_are_read_to_their_end),
        cmocka_unit_test(cookie_find_gives_the_first_of_a_name),
    };
    return cmocka_run_group_tests(tests, create_guard, destroy_guard);
}
