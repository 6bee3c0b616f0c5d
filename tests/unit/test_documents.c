/* GET /uploads/NAME: stored documents, and nothing else of the store's folder. */
#include "server/handlers/documents.h"
#include "server/store/store.h"
#include "tests/unit/folder.h"
#include "tests/unit/handling.h"

#include <dirent.h>

#define GET(target) "GET " target " HTTP/1.1\r\n" HOST

static struct folder folder;
static struct store *store;

static int create(void **state)
{
    (void)handling_setup(state);
    folder_create(&folder);
    store =
        store_open(&(struct store_options){.directory = folder.path, .durability = STORE_UNSYNCED});
    assert_non_null(store);
    handling.site.store = store;
    folder_add_file(&folder, "a.json", "{\"a\": [1]}");
    folder_add_file(&folder, "page.html", "<script>");
    folder_add_file(&folder, ".hidden", "x");
    folder_add_file(&folder, ".tarn/left", "x");
    folder_add_directory(&folder, "below");
    folder_add_file(&folder, "below/b.json", "2");
    folder_add_link(&folder, "link.json", "a.json");
    folder_add_link(&folder, "out.json", "/etc/passwd");
    assert_int_equal(mkfifoat(folder.fd, "fifo.json", 0644), 0);
    return 0;
}

static int destroy(void **state)
{
    (void)handling_teardown(state);
    store_close(store);
    folder_destroy(&folder);
    return 0;
}

#define DOCUMENTS_TEST(test) cmocka_unit_test_setup_teardown(test, create, destroy)

static void assert_sends(const char *expected, size_t offset)
{
    char bytes[64];
    const struct response *response = &handling.exchange.response;
    assert_int_equal(response->content, RESPONSE_FILE);
    assert_int_equal(response->part_count, 1);
    assert_int_equal(response->parts[0].offset, offset);
    assert_int_equal(response->parts[0].len, strlen(expected));
    assert_int_equal(pread(response->file, bytes, response->parts[0].len, (off_t)offset),
                     strlen(expected));
    assert_memory_equal(bytes, expected, strlen(expected));
}

static void documents_are_sent_as_json(void **state)
{
    static const char *const heads[] = {
        GET("/uploads/a.json") "\r\n",
        "HEAD /uploads/a.json HTTP/1.1\r\n" HOST "\r\n",
        GET("/uploads//a.json?x") "\r\n",
        GET("/uploads/%61.json") "\r\n",
    };
    (void)state;
    for (size_t i = 0; i < ROWS(heads); i++) {
        assert_int_equal(handling_answer(heads[i]), HTTP_OK);
        assert_line("Content-Type: application/json");
        assert_line("Content-Length: 10");
        assert_line("Cache-Control: no-cache");
        assert_null(strstr(handling_head(), "Content-Disposition"));
        assert_sends("{\"a\": [1]}", 0);
    }
}

/* Whatever a client has stored, and under whatever name, a browser runs nothing of it. */
static void documents_are_never_active_content(void **state)
{
    (void)state;
    assert_int_equal(handling_answer(GET("/uploads/page.html") "\r\n"), HTTP_OK);
    assert_line("Content-Type: application/json");
    assert_line("X-Content-Type-Options: nosniff");
    assert_line("Content-Security-Policy: default-src 'none'; sandbox");
}

static void documents_have_ranges_and_preconditions(void **state)
{
    char conditional[256];
    char tag[64];
    (void)state;
    assert_int_equal(handling_answer(GET("/uploads/a.json") "Range: bytes=6-8\r\n\r\n"),
                     HTTP_PARTIAL_CONTENT);
    assert_line("Content-Range: bytes 6-8/10");
    assert_sends("[1]", 6);
    const char *line = strstr(handling_head(), "\r\nETag: ");
    assert_non_null(line);
    line += strlen("\r\nETag: ");
    (void)snprintf(tag, sizeof(tag), "%.*s", (int)strcspn(line, "\r"), line);
    (void)snprintf(conditional, sizeof(conditional),
                   GET("/uploads/a.json") "If-None-Match: %s\r\n\r\n", tag);
    assert_int_equal(handling_answer(conditional), HTTP_NOT_MODIFIED);
    assert_int_equal(handling_answer(GET("/uploads/a.json") "If-Match: \"other\"\r\n\r\n"),
                     HTTP_PRECONDITION_FAILED);
}

static void documents_what_is_none_is_refused(void **state)
{
    static const struct {
        const char *head;
        enum http_status status;
    } rows[] = {
        {GET("/uploads/b.json") "\r\n", HTTP_NOT_FOUND},
        {GET("/uploads/a.json/") "\r\n", HTTP_NOT_FOUND},
        {GET("/uploads/a.json/x") "\r\n", HTTP_NOT_FOUND},
        {GET("/uploads/below/b.json") "\r\n", HTTP_NOT_FOUND},
        {GET("/uploads/.hidden") "\r\n", HTTP_NOT_FOUND},
        {GET("/uploads/.tarn") "\r\n", HTTP_NOT_FOUND},
        {GET("/uploads/.tarn/left") "\r\n", HTTP_NOT_FOUND},
        {GET("/uploads/%2etarn/left") "\r\n", HTTP_NOT_FOUND},
        {GET("/uploads/../index.html") "\r\n", HTTP_FORBIDDEN},
        {GET("/uploads/..%2findex.html") "\r\n", HTTP_FORBIDDEN},
        {GET("/uploads/below") "\r\n", HTTP_FORBIDDEN},
        {GET("/uploads/link.json") "\r\n", HTTP_FORBIDDEN},
        {GET("/uploads/out.json") "\r\n", HTTP_FORBIDDEN},
        {GET("/uploads/fifo.json") "\r\n", HTTP_FORBIDDEN}, /* and does not hang */
        {"POST /uploads/a.json HTTP/1.1\r\n" HOST "\r\n", HTTP_METHOD_NOT_ALLOWED},
        {"DELETE /uploads/a.json HTTP/1.1\r\n" HOST "\r\n", HTTP_METHOD_NOT_ALLOWED},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        enum http_status status = handling_answer(rows[i].head);
        if (status != rows[i].status)
            fail_msg("%d: %s", (int)status, rows[i].head);
        assert_null(strstr(handling_content(), folder.path));
    }
}

static void documents_name_of_any_length_is_not_found(void **state)
{
    static const size_t lengths[] = {255, 256, 4095, 4096, 8000};
    (void)state;
    for (size_t i = 0; i < ROWS(lengths); i++) {
        char name[8001];
        char head[8100];
        memset(name, 'x', lengths[i]);
        name[lengths[i]] = '\0';
        (void)snprintf(head, sizeof(head), "GET /uploads/%s HTTP/1.1\r\n" HOST "\r\n", name);
        assert_int_equal(handling_answer(head), HTTP_NOT_FOUND);
    }
}

static size_t count_descriptors(void)
{
    DIR *entries = opendir("/proc/self/fd");
    size_t count = 0;
    assert_non_null(entries);
    while (readdir(entries))
        count++;
    assert_int_equal(closedir(entries), 0);
    return count;
}

/* Whatever has been opened has one owner. */
static void documents_leave_no_descriptor_open(void **state)
{
    static const char *const heads[] = {
        GET("/uploads/a.json") "\r\n",    GET("/uploads/a.json") "If-Match: \"other\"\r\n\r\n",
        GET("/uploads/none") "\r\n",      GET("/uploads/below") "\r\n",
        GET("/uploads/fifo.json") "\r\n",
    };
    size_t count = count_descriptors();
    (void)state;
    for (size_t i = 0; i < ROWS(heads); i++) {
        (void)handling_answer(heads[i]);
        response_deinit(&handling.exchange.response);
        if (count_descriptors() != count)
            fail_msg("%s", heads[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DOCUMENTS_TEST(documents_are_sent_as_json),
        DOCUMENTS_TEST(documents_are_never_active_content),
        DOCUMENTS_TEST(documents_have_ranges_and_preconditions),
        DOCUMENTS_TEST(documents_what_is_none_is_refused),
        DOCUMENTS_TEST(documents_name_of_any_length_is_not_found),
        DOCUMENTS_TEST(documents_leave_no_descriptor_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
