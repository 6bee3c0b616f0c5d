#include "http/response.h"
#include "tests/unit/assert_slice.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

#define DATE        "Sun, 06 Nov 1994 08:49:37 GMT"
#define COMMON      "Date: " DATE "\r\nServer: tarn\r\nX-Content-Type-Options: nosniff\r\n"
#define CLOSE       "Connection: close\r\n"

static char fields[256];
static char out[1024];

static struct response empty(enum http_status status)
{
    struct response response;
    response_init(&response, fields, sizeof(fields));
    response.status = status;
    return response;
}

static struct slice head_of(const struct response *response, const struct response_frame *frame)
{
    struct text text = text_over(out, sizeof(out));
    response_write_head(response, frame, &text);
    assert_false(text.truncated);
    return text_slice(&text);
}

static const struct response_frame closing = {.date = {DATE, sizeof(DATE) - 1}};

static void response_begins_empty_and_unmade(void **state)
{
    struct response response;
    (void)state;
    response_init(&response, fields, sizeof(fields));
    assert_int_equal(response.status, HTTP_GO_ON);
    assert_int_equal(response.content, RESPONSE_EMPTY);
    assert_int_equal(response.file, -1);
    assert_int_equal(response_content_bytes(&response), 0);
    assert_false(response.close);
}

static void response_status_line_has_code_and_reason(void **state)
{
    static const struct {
        enum http_status status;
        const char *head;
    } rows[] = {
        {HTTP_OK, "HTTP/1.1 200 OK\r\n" COMMON CLOSE "\r\n"},
        {HTTP_NO_CONTENT, "HTTP/1.1 204 No Content\r\n" COMMON CLOSE "\r\n"},
        {HTTP_NOT_FOUND, "HTTP/1.1 404 Not Found\r\n" COMMON CLOSE "\r\n"},
        {HTTP_INSUFFICIENT_STORAGE, "HTTP/1.1 507 Insufficient Storage\r\n" COMMON CLOSE "\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct response response = empty(rows[i].status);
        assert_slice_is(head_of(&response, &closing), rows[i].head);
    }
}

static void response_content_has_its_length(void **state)
{
    (void)state;
    struct response response = empty(HTTP_OK);
    response.content = RESPONSE_BYTES;
    assert_slice_is(head_of(&response, &closing),
                    "HTTP/1.1 200 OK\r\n" COMMON CLOSE "Content-Length: 0\r\n\r\n");
    response.bytes = SLICE("hello");
    response.media_type = SLICE("text/plain");
    assert_slice_is(head_of(&response, &closing),
                    "HTTP/1.1 200 OK\r\n" COMMON CLOSE
                    "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\n");
}

static void response_file_has_the_length_of_its_part(void **state)
{
    (void)state;
    struct response response = empty(HTTP_OK);
    int file = open("/", O_PATH | O_CLOEXEC);
    response_set_file(&response, file, 7, UINT64_C(5000000000));
    assert_int_equal(response.file, file);
    assert_int_equal(response.parts[0].offset, 7);
    assert_int_equal(response_content_bytes(&response), UINT64_C(5000000000));
    assert_slice_is(head_of(&response, &closing),
                    "HTTP/1.1 200 OK\r\n" COMMON CLOSE "Content-Length: 5000000000\r\n\r\n");
    response_deinit(&response);
}

static void response_text_is_owned(void **state)
{
    (void)state;
    struct response response = empty(HTTP_OK);
    response_set_text(&response, strdup("abc"), SLICE("text/x"));
    assert_slice_is(response.bytes, "abc");
    assert_int_equal(response_content_bytes(&response), 3);
    assert_slice_is(head_of(&response, &closing),
                    "HTTP/1.1 200 OK\r\n" COMMON CLOSE "Content-Type: text/x\r\n"
                    "Content-Length: 3\r\n\r\n");
    response_deinit(&response);
    assert_null(response.owned);
}

static void response_text_that_is_not_there_is_empty(void **state)
{
    (void)state;
    struct response response = empty(HTTP_OK);
    response_set_text(&response, NULL, SLICE("text/x"));
    assert_int_equal(response.content, RESPONSE_BYTES);
    assert_int_equal(response_content_bytes(&response), 0);
}

static void response_parts_of_a_file_have_the_length_of_all(void **state)
{
    (void)state;
    struct response response = empty(HTTP_PARTIAL_CONTENT);
    response_set_file(&response, -1, 0, 100);
    response.parts[0].before = SLICE("before");
    response.parts[1] = (struct response_part){SLICE("between"), 500, 3};
    response.part_count = 2;
    response.bytes = SLICE("end");
    assert_int_equal(response_content_bytes(&response), 6 + 100 + 7 + 3 + 3);
}

static void response_persistent_says_for_how_long_and_how_often(void **state)
{
    (void)state;
    struct response response = empty(HTTP_NO_CONTENT);
    struct response_frame frame = {
        .date = SLICE(DATE), .persistent = true, .requests_left = 99, .idle_timeout_s = 30};
    assert_slice_is(head_of(&response, &frame),
                    "HTTP/1.1 204 No Content\r\n" COMMON
                    "Connection: keep-alive\r\nKeep-Alive: timeout=30, max=99\r\n\r\n");
}

static void response_fields_are_written_in_order(void **state)
{
    (void)state;
    struct response response = empty(HTTP_NO_CONTENT);
    response_add_field(&response, SLICE("Allow"), SLICE("GET, HEAD"));
    response_add_field(&response, SLICE("X-Empty"), (struct slice){0});
    assert_slice_is(head_of(&response, &closing), "HTTP/1.1 204 No Content\r\n" COMMON CLOSE
                                                  "Allow: GET, HEAD\r\nX-Empty: \r\n\r\n");
}

static void response_fields_that_do_not_fit_are_noticed(void **state)
{
    struct response response;
    (void)state;
    response_init(&response, fields, 11);
    response_add_field(&response, SLICE("Name"), SLICE("Val"));
    assert_false(response.fields.truncated);
    response_init(&response, fields, 10);
    response_add_field(&response, SLICE("Name"), SLICE("Val"));
    assert_true(response.fields.truncated);
}

static void response_head_that_does_not_fit_is_noticed(void **state)
{
    (void)state;
    struct response response = empty(HTTP_OK);
    size_t len = head_of(&response, &closing).len;
    struct text text = text_over(out, len - 1);
    response_write_head(&response, &closing, &text);
    assert_true(text.truncated);
    text = text_over(out, len);
    response_write_head(&response, &closing, &text);
    assert_false(text.truncated);
}

static void response_deinit_frees_what_it_owns_once(void **state)
{
    (void)state;
    struct response response = empty(HTTP_OK);
    response.owned = malloc(10);
    response.file = open("/", O_PATH | O_CLOEXEC);
    int descriptor = response.file;
    assert_true(descriptor >= 0);
    response_deinit(&response);
    assert_null(response.owned);
    assert_int_equal(response.file, -1);
    assert_int_equal(fcntl(descriptor, F_GETFD), -1);
    response_deinit(&response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(response_begins_empty_and_unmade),
        cmocka_unit_test(response_status_line_has_code_and_reason),
        cmocka_unit_test(response_content_has_its_length),
        cmocka_unit_test(response_file_has_the_length_of_its_part),
        cmocka_unit_test(response_text_is_owned),
        cmocka_unit_test(response_text_that_is_not_there_is_empty),
        cmocka_unit_test(response_parts_of_a_file_have_the_length_of_all),
        cmocka_unit_test(response_persistent_says_for_how_long_and_how_often),
        cmocka_unit_test(response_fields_are_written_in_order),
        cmocka_unit_test(response_fields_that_do_not_fit_are_noticed),
        cmocka_unit_test(response_head_that_does_not_fit_is_noticed),
        cmocka_unit_test(response_deinit_frees_what_it_owns_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
