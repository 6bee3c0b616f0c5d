#include "http/utf8.h"
#include "tests/unit/assert_slice.h"
#include "tests/unit/guard.h"

static void utf8_character_len_follows_the_table_of_the_rfc(void **state)
{
    static const struct {
        struct slice text;
        size_t len;
    } rows[] = {
        {{"", 0}, 0},
        {{"\0", 1}, 1},
        {{"\x7f", 1}, 1},
        {{"\x80", 1}, 0},
        {{"\xbf", 1}, 0},
        {{"\xc0\x80", 2}, 0},
        {{"\xc1\xbf", 2}, 0},
        {{"\xc2\x80", 2}, 2},
        {{"\xdf\xbf", 2}, 2},
        {{"\xc2\x7f", 2}, 0},
        {{"\xc2\xc0", 2}, 0},
        {{"\xc2", 1}, 0},
        {{"\xe0\x9f\xbf", 3}, 0},
        {{"\xe0\xa0\x80", 3}, 3},
        {{"\xed\x9f\xbf", 3}, 3},
        {{"\xed\xa0\x80", 3}, 0},
        {{"\xee\x80\x80", 3}, 3},
        {{"\xef\xbf\xbf", 3}, 3},
        {{"\xef\xbf", 2}, 0},
        {{"\xef\xbf\x7f", 3}, 0},
        {{"\xf0\x8f\xbf\xbf", 4}, 0},
        {{"\xf0\x90\x80\x80", 4}, 4},
        {{"\xf4\x8f\xbf\xbf", 4}, 4},
        {{"\xf4\x90\x80\x80", 4}, 0},
        {{"\xf4\x8f\xbf", 3}, 0},
        {{"\xf4\x8f\xbf\xc0", 4}, 0},
        {{"\xf5\x80\x80\x80", 4}, 0},
        {{"\xff", 1}, 0},
        {{"ab", 2}, 1},
    };
    (void)state;
    struct guard guard = guard_create(16);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice text = rows[i].text;
        text.data = guard_place(&guard, text.data, text.len);
        if (utf8_character_len(text) != rows[i].len)
            fail_msg("row %zu", i);
    }
    guard_destroy(&guard);
}

static void utf8_is_valid_wants_all_of_the_text(void **state)
{
    (void)state;
    assert_true(utf8_is_valid(SLICE("")));
    assert_true(utf8_is_valid(SLICE("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z")));
    assert_false(utf8_is_valid(SLICE("a\xc3\xa9\xc3")));
    assert_false(utf8_is_valid(SLICE("caf\xe9")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_character_len_follows_the_table_of_the_rfc),
        cmocka_unit_test(utf8_is_valid_wants_all_of_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
