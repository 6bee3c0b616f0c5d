#include "http/status.h"
#include "tests/unit/assert_slice.h"

static void status_reason_is_the_registered_phrase(void **state)
{
    (void)state;
    assert_slice_is(http_status_reason(HTTP_OK), "OK");
    assert_slice_is(http_status_reason(HTTP_CONTENT_TOO_LARGE), "Content Too Large");
    assert_slice_is(http_status_reason(HTTP_INSUFFICIENT_STORAGE), "Insufficient Storage");
}

static void status_reason_of_an_unlisted_code_is_unknown(void **state)
{
    (void)state;
    assert_slice_is(http_status_reason(HTTP_GO_ON), "Unknown");
    assert_slice_is(http_status_reason((enum http_status)299), "Unknown");
}

static void status_table_has_sane_rows_in_ascending_order(void **state)
{
    static const int codes[] = {
#define CODE(code, name, reason) code,
        HTTP_STATUS_TABLE(CODE)
#undef CODE
    };
    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        assert_in_range(codes[i], 100, 599);
        assert_true(i == 0 || codes[i] > codes[i - 1]);
        assert_true(http_status_reason((enum http_status)codes[i]).len > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_reason_is_the_registered_phrase),
        cmocka_unit_test(status_reason_of_an_unlisted_code_is_unknown),
        cmocka_unit_test(status_table_has_sane_rows_in_ascending_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
