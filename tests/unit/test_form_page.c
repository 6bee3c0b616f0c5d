/* The page of a form's record: all that came from a client is text in it, and nothing else is shown
 * in its place.
 */
#include "server/handlers/form_page.h"
#include "server/log/error_log.h"
#include "server/store/store.h"
#include "tests/support/failing_memory.h"
#include "tests/unit/folder.h"
#include "tests/unit/handling.h"

static struct folder folder;

static int create(void **state)
{
    char uploads[64];
    (void)handling_setup(state);
    folder_create(&folder);
    (void)snprintf(uploads, sizeof(uploads), "%s/uploads", folder.path);
    handling.site.store =
        store_open(&(struct store_options){.directory = uploads, .durability = STORE_UNSYNCED});
    assert_non_null(handling.site.store);
    return error_log_open("off", LOG_ERROR);
}

static int destroy(void **state)
{
    (void)handling_teardown(state);
    error_log_close();
    store_close(handling.site.store);
    folder_destroy(&folder);
    return 0;
}

#define PAGE_TEST(test) cmocka_unit_test_setup_teardown(test, create, destroy)

/* Stores a document. Returns its name, until the next call. */
static const char *store_document(const char *bytes, size_t len)
{
    static char name[STORE_NAME_SIZE];
    struct store_file file;
    assert_int_equal(store_file_create(handling.site.store, &file), 0);
    assert_int_equal(store_file_append(&file, bytes, len), 0);
    assert_int_equal(store_file_commit(&file, name), 0);
    return name;
}

static enum http_status get(const char *name)
{
    char head[512];
    (void)snprintf(head, sizeof(head), "GET /form/%s HTTP/1.1\r\n" HOST "\r\n", name);
    enum http_status status = handling_answer(head);
    assert_ptr_equal(handling.request.handler, &form_page_handler);
    return status;
}

static enum http_status show(const char *record)
{
    return get(store_document(record, strlen(record)));
}

static size_t page_len(void)
{
    return handling.exchange.response.bytes.len;
}

static bool page_has(const char *text)
{
    return memmem(handling.exchange.response.bytes.data, page_len(), text, strlen(text)) != NULL;
}

static void form_page_shows_fields_and_files(void **state)
{
    (void)state;
    assert_int_equal(show("{\"fields\":{\"name\":\"Ada\",\"c\":[\"red\",\"blue\"]},\"files\":[{"
                          "\"field\":\"photo\",\"filename\":\"me.jpg\",\"name\":\"me_1.jpg\","
                          "\"path\":\"/files/me_1.jpg\",\"bytes\":1234}]}"),
                     HTTP_OK);
    assert_line("Content-Type: text/html; charset=utf-8");
    assert_true(page_has("<th scope=\"row\"><bdi>name</bdi></th><td><bdi>Ada</bdi></td>"));
    assert_true(page_has("<bdi>c</bdi></th><td><bdi>red</bdi></td>"));
    assert_true(page_has("<bdi>c</bdi></th><td><bdi>blue</bdi></td>"));
    assert_true(page_has("<a href=\"/files/me_1.jpg\"><bdi>me.jpg</bdi></a>, 1234 bytes"));
    assert_true(page_has("<a href=\"/uploads/upload_"));
    assert_false(page_has("too long"));
    assert_true(page_has("</html>\n"));
    assert_int_equal(handling.exchange.response.bytes.data[page_len() - 1], '\n');
}

static void form_page_of_an_empty_form_is_shown(void **state)
{
    (void)state;
    assert_int_equal(show("{\"fields\":{},\"files\":[]}"), HTTP_OK);
    assert_false(page_has("<table>"));
}

static void form_page_escapes_what_clients_sent(void **state)
{
    (void)state;
    assert_int_equal(
        show("{\"fields\":{\"<script>\":\"<img src=x onerror='a'>&\\\"\"},\"files\":[{\"field\":"
             "\"<b>\",\"filename\":\"<i>\",\"name\":\"\\\"><u>\",\"bytes\":1}]}"),
        HTTP_OK);
    assert_false(page_has("<script") || page_has("<img") || page_has("<b>") || page_has("<i>") ||
                 page_has("<u>"));
    assert_true(page_has("&lt;script&gt;"));
    assert_true(page_has("&lt;img src=x onerror=&#39;a&#39;&gt;&amp;&quot;"));
    assert_true(page_has("href=\"/files/%22%3E%3Cu%3E\""));
    assert_true(handling_has_line(
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"));
}

static void form_page_of_anything_else_is_404(void **state)
{
    static const char *const documents[] = {
        "{}",
        "[]",
        "1",
        "\"x\"",
        "{\"fields\":{}}",
        "{\"files\":[]}",
        "{\"fields\":[],\"files\":[]}",
        "{\"fields\":{},\"files\":{}}",
        "no JSON",
        "",
    };
    static const char *const names[] = {"nothing.json", "", ".tarn", "a/b"};
    (void)state;
    for (size_t i = 0; i < ROWS(documents); i++)
        if (show(documents[i]) != HTTP_NOT_FOUND)
            fail_msg("%s", documents[i]);
    for (size_t i = 0; i < ROWS(names); i++)
        if (get(names[i]) != HTTP_NOT_FOUND)
            fail_msg("%s", names[i]);
}

/* Members that somebody has made up in an upload do no harm. */
static void form_page_of_a_false_record_is_harmless(void **state)
{
    (void)state;
    assert_int_equal(
        show(
            "{\"fields\":{\"a\":1,\"b\":null,\"c\":[[],{}],\"d\":{\"e\":\"f\"}},"
            "\"files\":[1,null,{},{\"name\":2,\"bytes\":-1},{\"bytes\":1e300},{\"bytes\":\"x\"}]}"),
        HTTP_OK);
    assert_true(page_has(", 0 bytes"));
}

static void form_page_is_bounded(void **state)
{
    static char record[100000];
    static const size_t lengths[] = {60000, 65536, 65537, 90000};
    (void)state;
    for (size_t i = 0; i < ROWS(lengths); i++) {
        static const char begins[] = "{\"fields\":{\"a\":\"first\",\"b\":\"";
        static const char ends[] = "\",\"c\":\"last\"},\"files\":[]}";
        memset(record, '<', sizeof(record));
        memcpy(record, begins, sizeof(begins) - 1);
        memcpy(record + lengths[i] - (sizeof(ends) - 1), ends, sizeof(ends) - 1);
        assert_int_equal(get(store_document(record, lengths[i])), HTTP_OK);
        assert_in_range(page_len(), 100, 65536);
        assert_true(page_has("too long to be shown"));
        assert_int_equal(page_has("first") && page_has("last"), lengths[i] <= 65536);
        assert_true(page_has("<a href=\"/uploads/upload_"));
        assert_true(page_has("</html>\n"));
    }
}

static void form_page_without_memory_is_unavailable(void **state)
{
    static const char record[] = "{\"fields\":{\"a\":\"1\"},\"files\":[]}";
    const char *name = store_document(record, sizeof(record) - 1);
    enum http_status status = HTTP_SERVICE_UNAVAILABLE;
    unsigned count = 0;
    (void)state;
    for (; status != HTTP_OK && count < 10; count++) {
        failing_memory_after(count);
        status = get(name);
        bool failed = failing_memory_end();
        assert_true(status == HTTP_OK || (failed && status == HTTP_SERVICE_UNAVAILABLE));
    }
    assert_in_range(count, 2, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAGE_TEST(form_page_shows_fields_and_files),
        PAGE_TEST(form_page_of_an_empty_form_is_shown),
        PAGE_TEST(form_page_escapes_what_clients_sent),
        PAGE_TEST(form_page_of_anything_else_is_404),
        PAGE_TEST(form_page_of_a_false_record_is_harmless),
        PAGE_TEST(form_page_is_bounded),
        PAGE_TEST(form_page_without_memory_is_unavailable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
