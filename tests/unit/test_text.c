#include "http/text.h"
#include "tests/unit/assert_slice.h"

#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define TEXT(literal)                                                                              \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

struct row {
    struct slice bytes;
    const char *expected;
};

static void assert_rows(const struct row *rows, size_t count,
                        void (*append)(struct text *text, struct slice bytes))
{
    for (size_t i = 0; i < count; i++) {
        char buffer[256];
        struct text text = text_over(buffer, sizeof(buffer));
        append(&text, rows[i].bytes);
        assert_slice_is(text_slice(&text), rows[i].expected);
        assert_false(text.truncated);
    }
}

static void text_appends_in_order(void **state)
{
    char buffer[32];
    struct text text = text_over(buffer, sizeof(buffer));
    (void)state;
    assert_slice_is(text_slice(&text), "");
    text_append(&text, SLICE("ab"));
    text_append(&text, (struct slice){NULL, 0});
    text_append_char(&text, ' ');
    text_append_u64(&text, 7);
    assert_slice_is(text_slice(&text), "ab 7");
    assert_ptr_equal(text_slice(&text).data, buffer);
    assert_false(text.truncated);
}

static void text_append_u64_writes_all_digits(void **state)
{
    static const struct {
        uint64_t number;
        const char *digits;
    } rows[] = {
        {0, "0"},
        {9, "9"},
        {10, "10"},
        {1234567890, "1234567890"},
        {UINT64_MAX, "18446744073709551615"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char buffer[32];
        struct text text = text_over(buffer, sizeof(buffer));
        text_append_u64(&text, rows[i].number);
        assert_slice_is(text_slice(&text), rows[i].digits);
    }
}

static void text_that_just_fits_is_not_truncated(void **state)
{
    char buffer[5] = "xxxx";
    (void)state;
    for (size_t len = 2; len <= 4; len++) {
        struct text text = text_over(buffer, 3);
        text_append(&text, (struct slice){"abcd", len});
        assert_int_equal(text.len, len < 3 ? len : 3);
        assert_int_equal(text.truncated, len > 3);
    }
    assert_int_equal(buffer[3], 'x');
}

static void text_that_is_full_drops_all_that_follows(void **state)
{
    char buffer[4] = "xxx";
    struct text text = text_over(buffer, 3);
    (void)state;
    text_append(&text, SLICE("ab"));
    text_append(&text, SLICE("cd"));
    assert_true(text.truncated);
    text_append_char(&text, 'e');
    text_append_u64(&text, 1);
    text_append(&text, SLICE(""));
    assert_slice_is(text_slice(&text), "abc");
    assert_true(text.truncated);
    assert_int_equal(buffer[3], '\0');
}

static void text_without_room_is_legal(void **state)
{
    struct text text = text_over(NULL, 0);
    (void)state;
    text_append(&text, SLICE(""));
    assert_false(text.truncated);
    text_append_char(&text, 'a');
    assert_true(text.truncated);
    assert_int_equal(text.len, 0);
}

static void text_append_html_escapes_what_is_markup(void **state)
{
    static const struct row rows[] = {
        {TEXT(""), ""},
        {TEXT("plain \xc3\xa9"), "plain \xc3\xa9"},
        {TEXT("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;"},
        {TEXT("&amp;"), "&amp;amp;"},
    };
    (void)state;
    assert_rows(rows, ROWS(rows), text_append_html);
}

static void text_append_percent_escapes_all_but_unreserved_and_slash(void **state)
{
    static const struct row rows[] = {
        {TEXT("/"), "/"},
        {TEXT("/aZ09-._~/x"), "/aZ09-._~/x"},
        {TEXT("/a b%?#\"<>\\"), "/a%20b%25%3F%23%22%3C%3E%5C"},
        {TEXT("/\xc3\xa9\xff"), "/%C3%A9%FF"},
        {TEXT("/\r\n\x00:@&=+$,;'()*!"), "/%0D%0A%00%3A%40%26%3D%2B%24%2C%3B%27%28%29%2A%21"},
    };
    (void)state;
    assert_rows(rows, ROWS(rows), text_append_percent);
}

static void text_append_attachment_is_safe_for_any_name(void **state)
{
    static const struct row rows[] = {
        {TEXT("a.txt"), "attachment; filename=\"a.txt\""},
        {TEXT("a b;c=d,(e).txt"), "attachment; filename=\"a b;c=d,(e).txt\""},
        {TEXT(""), "attachment; filename=\"\""},
        {TEXT("\xc3\xa9t\xe2\x82\xac.txt"),
         "attachment; filename=\"_t_.txt\"; filename*=UTF-8''%C3%A9t%E2%82%AC.txt"},
        {TEXT("a\"b.txt"), "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%22b.txt"},
        {TEXT("a\\b.txt"), "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%5Cb.txt"},
        {TEXT("100%41.txt"), "attachment; filename=\"100_41.txt\"; filename*=UTF-8''100%2541.txt"},
        {TEXT("x\r\nSet-Cookie: a"),
         "attachment; filename=\"x__Set-Cookie: a\"; filename*=UTF-8''x%0D%0ASet-Cookie%3A%20a"},
        {TEXT("a/\xc3\xa9"), "attachment; filename=\"a/_\"; filename*=UTF-8''a%2F%C3%A9"},
        {TEXT("\xff.txt"), "attachment; filename=\"_.txt\"; filename*=UTF-8''%FF.txt"},
        {TEXT("a\x7f"), "attachment; filename=\"a_\"; filename*=UTF-8''a%7F"},
    };
    (void)state;
    assert_rows(rows, ROWS(rows), text_append_attachment);
}

static void text_append_log_keeps_one_line(void **state)
{
    static const struct row rows[] = {
        {TEXT(""), ""},
        {TEXT("GET /a?b HTTP/1.1"), "GET /a?b HTTP/1.1"},
        {TEXT("a\r\nb"), "a\\x0d\\x0ab"},
        {TEXT("\x1b]0;x\x07"), "\\x1b]0;x\\x07"},
        {TEXT("\"\\"), "\\x22\\x5c"},
        {TEXT("\x00\x1f ~\x7f\x80\xff"), "\\x00\\x1f ~\\x7f\\x80\\xff"},
    };
    (void)state;
    assert_rows(rows, ROWS(rows), text_append_log);
}

static void text_append_escapes_in_too_little_room_stay_inside(void **state)
{
    void (*const appends[])(struct text *, struct slice) = {
        text_append_html, text_append_percent, text_append_attachment, text_append_log};
    (void)state;
    for (size_t i = 0; i < ROWS(appends); i++) {
        for (size_t size = 0; size < 16; size++) {
            char whole[64];
            char buffer[17];
            struct text full = text_over(whole, sizeof(whole));
            struct text text = text_over(buffer, size);
            memset(buffer, '#', sizeof(buffer));
            appends[i](&full, SLICE("<\"\xff>\x01&&&&&&&&&&&"));
            appends[i](&text, SLICE("<\"\xff>\x01&&&&&&&&&&&"));
            assert_true(text.truncated);
            assert_int_equal(text.len, size);
            assert_memory_equal(buffer, whole, size);
            assert_int_equal(buffer[size], '#');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_appends_in_order),
        cmocka_unit_test(text_append_u64_writes_all_digits),
        cmocka_unit_test(text_that_just_fits_is_not_truncated),
        cmocka_unit_test(text_that_is_full_drops_all_that_follows),
        cmocka_unit_test(text_without_room_is_legal),
        cmocka_unit_test(text_append_html_escapes_what_is_markup),
        cmocka_unit_test(text_append_percent_escapes_all_but_unreserved_and_slash),
        cmocka_unit_test(text_append_attachment_is_safe_for_any_name),
        cmocka_unit_test(text_append_log_keeps_one_line),
        cmocka_unit_test(text_append_escapes_in_too_little_room_stay_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
