#include "server/handlers/media_types.h"
#include "tests/unit/assert_slice.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static void media_types_extension_is_behind_the_last_dot(void **state)
{
    static const struct {
        const char *name;
        const char *extension;
    } rows[] = {
        {"a.html", "html"},    {"a.tar.gz", "gz"}, {"a", ""},          {"a.", ""},
        {".hidden", "hidden"}, {"b.d/a", ""},      {"b.d/a.js", "js"}, {"\xc3\xa9.png", "png"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_slice_is(media_types_extension(slice_from_string(rows[i].name)), rows[i].extension);
}

static void media_types_are_found_by_extension(void **state)
{
    static const struct {
        const char *extension;
        const char *type;
    } rows[] = {
        {"html", "text/html; charset=utf-8"},
        {"HTML", "text/html; charset=utf-8"},
        {"css", "text/css; charset=utf-8"},
        {"js", "text/javascript; charset=utf-8"},
        {"json", "application/json"},
        {"svg", "image/svg+xml"},
        {"ico", "image/vnd.microsoft.icon"},
        {"woff2", "font/woff2"},
        {"wasm", "application/wasm"},
        {"webp", "image/webp"},
        {"jpeg", "image/jpeg"},
        {"exe", ""},
        {"", ""},
        {"htmlx", ""},
        {"htm\xc3", ""},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_slice_is(media_types_find(slice_from_string(rows[i].extension)), rows[i].type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_types_extension_is_behind_the_last_dot),
        cmocka_unit_test(media_types_are_found_by_extension),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
