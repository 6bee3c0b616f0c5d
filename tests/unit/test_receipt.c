/* What the answers to all that has been stored have in common. */
#include "server/handlers/receipt.h"
#include "tests/unit/handling.h"

static const struct {
    const char *label;
    const char *directory;
    const char *path;
} paths[] = {
    {"as configured", "resources/uploads", "resources/uploads/a.json"},
    {"with slashes at its end", "resources/uploads//", "resources/uploads/a.json"},
    {"one letter", "x", "x/a.json"},
    {"of the machine", "/srv/secret", "uploads/a.json"},
    {"its root", "/", "uploads/a.json"},
};

static void receipt_path_is_that_of_the_configuration_but_never_one_of_the_machine(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(paths); i++) {
        char buffer[64];
        struct text text = text_over(buffer, sizeof(buffer));
        handling.config.uploads_as_written = (char *)paths[i].directory;
        assert_true(receipt_append_path(&text, &handling.config, "a.json"));
        if (strcmp(buffer, paths[i].path) != 0)
            fail_msg("%s: %s", paths[i].label, buffer);
    }
}

static void receipt_path_that_does_not_fit_is_told(void **state)
{
    char buffer[16];
    struct text text = text_over(buffer, sizeof(buffer));
    (void)state;
    handling.config.uploads_as_written = (char *)"12345678"; /* and "/a.json", and a NUL */
    assert_true(receipt_append_path(&text, &handling.config, "a.json"));
    text = text_over(buffer, sizeof(buffer) - 1);
    assert_false(receipt_append_path(&text, &handling.config, "a.json"));
}

static void receipt_location_is_escaped(void **state)
{
    (void)state;
    handling_begin("PUT /files/x HTTP/1.1\r\n" HOST "\r\n");
    receipt_add_location(&handling.request, SLICE("/files/"), "a b\"\xc3\xa4");
    assert_slice_is(text_slice(&handling.exchange.response.fields),
                    "Location: /files/a%20b%22%C3%A4\r\n");
}

static void receipt_is_created_even_without_memory_for_its_text(void **state)
{
    const struct response *response = &handling.exchange.response;
    (void)state;
    handling_begin("PUT /files/x HTTP/1.1\r\n" HOST "\r\n");
    receipt_answer(&handling.request, strdup("{\"a\":1}"), SLICE("{}"));
    assert_int_equal(response->status, HTTP_CREATED);
    assert_slice_is(response->bytes, "{\"a\":1}");
    assert_slice_is(response->media_type, "application/json");

    handling_begin("PUT /files/x HTTP/1.1\r\n" HOST "\r\n");
    receipt_answer(&handling.request, NULL, SLICE("{}"));
    assert_int_equal(response->status, HTTP_CREATED);
    assert_slice_is(response->bytes, "{}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDLING_TEST(receipt_path_is_that_of_the_configuration_but_never_one_of_the_machine),
        HANDLING_TEST(receipt_path_that_does_not_fit_is_told),
        HANDLING_TEST(receipt_location_is_escaped),
        HANDLING_TEST(receipt_is_created_even_without_memory_for_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
