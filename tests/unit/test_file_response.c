/* A file as a representation: what a client gets that has a copy already, or wants a part. */
#include "server/handlers/file_response.h"
#include "tests/unit/handling.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CONTENT "0123456789abcdefghij"
#define NOW     1700000000
#define MTIME   1600000000 /* Sun, 13 Sep 2020 12:26:40 GMT */

static int lowest; /* the descriptor that is free when nothing is left open */
static time_t mtime;
static struct file_look look;
static char etag[128];

static int next_descriptor(void)
{
    int descriptor = open("/", O_PATH | O_CLOEXEC);
    assert_int_equal(close(descriptor), 0);
    return descriptor;
}

static int begin(void **state)
{
    mtime = MTIME;
    look = (struct file_look){.media_type = SLICE("text/css"), .cache_control = SLICE("no-cache")};
    lowest = next_descriptor();
    return handling_setup(state);
}

/* Asks for the file with these field lines. */
static enum http_status get_by(const char *method, const char *fields)
{
    char head[2048];
    struct stat stat;
    (void)snprintf(head, sizeof(head), "%s / HTTP/1.1\r\n%s\r\n", method, fields);
    handling_begin(head);
    handling.request.now = NOW;
    int file = memfd_create("file", MFD_CLOEXEC);
    assert_int_equal(write(file, CONTENT, strlen(CONTENT)), strlen(CONTENT));
    assert_int_equal(fstat(file, &stat), 0);
    stat.st_ino = 1; /* so that the tag is the same for all files of a test */
    stat.st_mtim = stat.st_ctim = (struct timespec){mtime, 0};
    file_response_make(&handling.request, file, &stat, &look);
    return handling.exchange.response.status;
}

static enum http_status get(const char *fields)
{
    return get_by("GET", fields);
}

/* The value of a field of the response, in the memory of the next call. */
static const char *field_of(const char *name)
{
    static char value[128];
    char start[64];
    (void)snprintf(start, sizeof(start), "\r\n%s: ", name);
    const char *at = strstr(handling_head(), start);
    if (!at)
        return NULL;
    at += strlen(start);
    (void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r"), at);
    return value;
}

static void learn_etag(void)
{
    assert_int_equal(get(""), HTTP_OK);
    (void)snprintf(etag, sizeof(etag), "%s", field_of("ETag"));
}

/* Appends what the output would send. */
static void append_content(struct text *text)
{
    const struct response *response = &handling.exchange.response;
    char bytes[sizeof(CONTENT)];
    for (unsigned i = 0; i < response->part_count; i++) {
        const struct response_part *part = &response->parts[i];
        text_append(text, part->before);
        assert_int_equal(pread(response->file, bytes, part->len, part->offset), part->len);
        text_append(text, (struct slice){bytes, part->len});
    }
    text_append(text, response->bytes);
    assert_int_equal(text->len, response_content_bytes(response));
}

static void assert_content(const char *expected)
{
    char bytes[1024];
    struct text text = text_over(bytes, sizeof(bytes));
    append_content(&text);
    assert_slice_is(text_slice(&text), expected);
}

/* The file is the response's, or it is closed. */
static void assert_closed_after_use(void)
{
    response_deinit(&handling.exchange.response);
    assert_int_equal(next_descriptor(), lowest);
}

static void file_response_whole_has_its_validators(void **state)
{
    (void)state;
    assert_int_equal(get(""), HTTP_OK);
    assert_line("Last-Modified: Sun, 13 Sep 2020 12:26:40 GMT");
    assert_line("Content-Type: text/css");
    assert_line("Cache-Control: no-cache");
    assert_line("Accept-Ranges: bytes");
    assert_line("Content-Length: 20");
    const char *tag = field_of("ETag");
    assert_true(tag[0] == '"' && tag[strlen(tag) - 1] == '"');
    assert_null(strstr(handling_head(), "Content-Disposition"));
    assert_null(strstr(handling_head(), "Content-Security-Policy"));
    assert_content(CONTENT);
    assert_closed_after_use();
}

static void file_response_look_is_as_asked_for(void **state)
{
    (void)state;
    look.download_name = SLICE("a.css");
    look.policy = SLICE("sandbox");
    look.cache_control = (struct slice){0};
    assert_int_equal(get(""), HTTP_OK);
    assert_line("Content-Disposition: attachment; filename=\"a.css\"");
    assert_line("Content-Security-Policy: sandbox");
    assert_null(strstr(handling_head(), "Cache-Control"));
}

static void file_response_time_in_the_future_is_now(void **state)
{
    (void)state;
    mtime = NOW + 1000;
    assert_int_equal(get(""), HTTP_OK);
    assert_line("Last-Modified: Tue, 14 Nov 2023 22:13:20 GMT");
}

static void file_response_copy_that_is_current_is_not_sent_again(void **state)
{
    char fields[256];
    (void)state;
    learn_etag();
    (void)snprintf(fields, sizeof(fields), "If-None-Match: %s\r\n", etag);
    assert_int_equal(get(fields), HTTP_NOT_MODIFIED);
    assert_int_equal(handling.exchange.response.content, RESPONSE_EMPTY);
    assert_string_equal(field_of("ETag"), etag);
    assert_line("Cache-Control: no-cache");
    assert_null(field_of("Content-Type"));
    assert_null(field_of("Content-Length"));
    assert_closed_after_use();

    assert_int_equal(get("If-Modified-Since: Sun, 13 Sep 2020 12:26:40 GMT\r\n"),
                     HTTP_NOT_MODIFIED);
    assert_int_equal(get("If-Modified-Since: Sun, 13 Sep 2020 12:26:39 GMT\r\n"), HTTP_OK);
    assert_int_equal(get("If-None-Match: \"other\"\r\n"), HTTP_OK);
}

static void file_response_other_than_expected_is_not_sent(void **state)
{
    char fields[256];
    (void)state;
    learn_etag();
    (void)snprintf(fields, sizeof(fields), "If-Match: %s\r\n", etag);
    assert_int_equal(get(fields), HTTP_OK);
    assert_int_equal(get("If-Match: \"other\"\r\n"), HTTP_PRECONDITION_FAILED);
    assert_int_equal(handling.exchange.response.content, RESPONSE_BYTES);
    assert_closed_after_use();
}

static void file_response_part_is_sent(void **state)
{
    static const struct {
        const char *fields;
        const char *content_range;
        const char *content;
    } rows[] = {
        {"Range: bytes=0-0\r\n", "bytes 0-0/20", "0"},
        {"Range: bytes=5-9\r\n", "bytes 5-9/20", "56789"},
        {"Range: bytes=15-\r\n", "bytes 15-19/20", "fghij"},
        {"Range: bytes=-1\r\n", "bytes 19-19/20", "j"},
        {"Range: bytes=10-1000\r\n", "bytes 10-19/20", "abcdefghij"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        assert_int_equal(get(rows[i].fields), HTTP_PARTIAL_CONTENT);
        assert_string_equal(field_of("Content-Range"), rows[i].content_range);
        assert_line("Content-Type: text/css");
        assert_non_null(field_of("ETag"));
        assert_content(rows[i].content);
        assert_closed_after_use();
    }
}

static void file_response_range_is_for_get_and_the_current_file_only(void **state)
{
    char fields[256];
    (void)state;
    learn_etag();
    assert_int_equal(get_by("HEAD", "Range: bytes=0-0\r\n"), HTTP_OK);
    assert_int_equal(get("Range: bytes=0-0\r\nIf-Range: \"other\"\r\n"), HTTP_OK);
    (void)snprintf(fields, sizeof(fields), "Range: bytes=0-0\r\nIf-Range: %s\r\n", etag);
    assert_int_equal(get(fields), HTTP_PARTIAL_CONTENT);
}

/* RFC 9110 section 14.6; the boundary is another one each time. */
static void file_response_parts_are_sent_as_multipart(void **state)
{
    static const char type[] = "multipart/byteranges; boundary=";
    char expected[1024];
    (void)state;
    assert_int_equal(get("Range: bytes=0-1,5-6,-2\r\n"), HTTP_PARTIAL_CONTENT);
    assert_null(field_of("Content-Range"));
    const char *value = field_of("Content-Type");
    assert_int_equal(strncmp(value, type, strlen(type)), 0);
    const char *boundary = value + strlen(type);
    assert_in_range(strlen(boundary), 16, 70);
    (void)snprintf(expected, sizeof(expected),
                   "--%s\r\nContent-Type: text/css\r\nContent-Range: bytes 0-1/20\r\n\r\n01"
                   "\r\n--%s\r\nContent-Type: text/css\r\nContent-Range: bytes 5-6/20\r\n\r\n56"
                   "\r\n--%s\r\nContent-Type: text/css\r\nContent-Range: bytes 18-19/20\r\n\r\nij"
                   "\r\n--%s--\r\n",
                   boundary, boundary, boundary, boundary);
    assert_content(expected);
    assert_closed_after_use();

    char before[128];
    (void)snprintf(before, sizeof(before), "%s", boundary);
    assert_int_equal(get("Range: bytes=0-1,5-6\r\n"), HTTP_PARTIAL_CONTENT);
    assert_string_not_equal(field_of("Content-Type") + strlen(type), before);
}

static void file_response_as_many_parts_as_allowed_are_sent(void **state)
{
    (void)state;
    assert_int_equal(get("Range: bytes=0-0,2-2,4-4,6-6\r\n"), HTTP_PARTIAL_CONTENT);
    assert_int_equal(handling.exchange.response.part_count, 4);
    assert_false(handling.request.content.truncated);
    assert_int_equal(get("Range: bytes=0-0,2-2,4-4,6-6,8-8\r\n"), HTTP_OK);
}

static void file_response_range_beyond_the_end_tells_the_length(void **state)
{
    (void)state;
    assert_int_equal(get("Range: bytes=20-\r\n"), HTTP_RANGE_NOT_SATISFIABLE);
    assert_string_equal(field_of("Content-Range"), "bytes */20");
    assert_null(field_of("ETag"));
    assert_closed_after_use();
}

#define FILE_TEST(test) cmocka_unit_test_setup_teardown(test, begin, handling_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(file_response_whole_has_its_validators),
        FILE_TEST(file_response_look_is_as_asked_for),
        FILE_TEST(file_response_time_in_the_future_is_now),
        FILE_TEST(file_response_copy_that_is_current_is_not_sent_again),
        FILE_TEST(file_response_other_than_expected_is_not_sent),
        FILE_TEST(file_response_part_is_sent),
        FILE_TEST(file_response_range_is_for_get_and_the_current_file_only),
        FILE_TEST(file_response_parts_are_sent_as_multipart),
        FILE_TEST(file_response_as_many_parts_as_allowed_are_sent),
        FILE_TEST(file_response_range_beyond_the_end_tells_the_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
