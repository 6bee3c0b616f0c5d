/* /files/NAME, without a connection: what may be written, and that nothing else is. */
#include "server/handlers/files.h"
#include "server/log/error_log.h"
#include "server/store/store.h"
#include "tests/support/failing_memory.h"
#include "tests/unit/folder.h"
#include "tests/unit/handling.h"

#include <dirent.h>

#define REQUEST(method, name) method " /files/" name " HTTP/1.1\r\n" HOST
#define LENGTH(number)        "Content-Length: " #number "\r\n"
#define CHUNKED               "Transfer-Encoding: chunked\r\n"

static struct folder folder;
static char directory[64];

static int open_store(uint64_t min_free_bytes)
{
    store_close(handling.site.files);
    handling.site.files = store_open(&(struct store_options){
        .directory = directory,
        .durability = STORE_UNSYNCED,
        .min_free_bytes = min_free_bytes,
    });
    return handling.site.files ? 0 : -1;
}

static int create(void **state)
{
    (void)handling_setup(state);
    folder_create(&folder);
    (void)snprintf(directory, sizeof(directory), "%s/files", folder.path);
    handling.config.files.directory = directory;
    handling.config.uploads.durability = (char *)"none";
    handling.config.limits.file_bytes = 1000;
    return error_log_open("off", LOG_ERROR) == 0 ? open_store(0) : -1;
}

static int destroy(void **state)
{
    (void)handling_teardown(state);
    error_log_close();
    store_close(handling.site.files);
    folder_destroy(&folder);
    return 0;
}

#define FILES_TEST(test) cmocka_unit_test_setup_teardown(test, create, destroy)

/* --- a request, as server/service.c hands it on --------------------------------------------- */

static const struct exchange *exchange = &handling.exchange;

static enum http_status begin(const char *head)
{
    handling.exchange.data = NULL;
    assert_int_equal(handling_resolve(head), HTTP_GO_ON);
    assert_ptr_equal(handling.request.handler, &writable_files_handler);
    handling.request.handler->open(&handling.request);
    return exchange->response.status;
}

static enum http_status finish(void)
{
    writable_files_handler.complete(&handling.request);
    if (exchange->data)
        writable_files_handler.close(&handling.exchange);
    return exchange->response.status;
}

/* The whole of a request; its content comes byte by byte. */
static enum http_status write_file(const char *head, const char *content)
{
    enum http_status status = begin(head);
    if (status != HTTP_GO_ON)
        return status;
    for (; *content != '\0'; content++) {
        writable_files_handler.take(&handling.exchange, (struct slice){content, 1});
        assert_int_equal(writable_files_handler.give_up(exchange), HTTP_GO_ON);
    }
    return finish();
}

/* Neither more files, nor a temporary one. */
static void assert_files(size_t count)
{
    static const char *const below[] = {"", "/.tarn"};
    for (size_t i = 0; i < ROWS(below); i++) {
        char path[80];
        size_t found = 0;
        (void)snprintf(path, sizeof(path), "%s%s", directory, below[i]);
        DIR *entries = opendir(path);
        assert_non_null(entries);
        for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
            found += entry->d_name[0] != '.' && strncmp(entry->d_name, "counts", 6) != 0;
        assert_int_equal(closedir(entries), 0);
        assert_int_equal(found, i == 0 ? count : 0);
    }
}

static void assert_content(const char *name, const char *expected)
{
    char path[80];
    char bytes[64];
    (void)snprintf(path, sizeof(path), "files/%s", name);
    int file = openat(folder.fd, path, O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(read(file, bytes, sizeof(bytes)), strlen(expected));
    assert_memory_equal(bytes, expected, strlen(expected));
    assert_int_equal(close(file), 0);
}

/* --- tests ---------------------------------------------------------------------------------- */

static void files_are_made_replaced_and_removed(void **state)
{
    (void)state;
    assert_int_equal(write_file(REQUEST("PUT", "a") CHUNKED "\r\n", "one"), HTTP_CREATED);
    assert_line("Location: /files/a");
    assert_content("a", "one");
    assert_int_equal(write_file(REQUEST("PUT", "a") CHUNKED "\r\n", "second"), HTTP_NO_CONTENT);
    assert_non_null(strstr(handling_head(), "\r\nETag: \""));
    assert_content("a", "second");
    assert_int_equal(write_file(REQUEST("POST", "a") CHUNKED "\r\n", "x"), HTTP_CONFLICT);
    assert_int_equal(write_file(REQUEST("POST", "b") LENGTH(0) "\r\n", ""), HTTP_CREATED);
    assert_content("b", "");
    assert_files(2);
    assert_int_equal(write_file(REQUEST("DELETE", "b") "\r\n", ""), HTTP_NO_CONTENT);
    assert_int_equal(write_file(REQUEST("DELETE", "b") "\r\n", ""), HTTP_NOT_FOUND);
    assert_files(1);
}

static void files_are_refused_by_the_head(void **state)
{
    static const struct {
        const char *head;
        enum http_status status;
    } rows[] = {
        {REQUEST("PUT", ".a") LENGTH(1) "\r\n", HTTP_NOT_FOUND},
        {REQUEST("PUT", "a/b") LENGTH(1) "\r\n", HTTP_NOT_FOUND},
        {REQUEST("PUT", "a/") LENGTH(1) "\r\n", HTTP_NOT_FOUND},
        {REQUEST("DELETE", ".tarn") "\r\n", HTTP_NOT_FOUND},
        {REQUEST("PUT", "folder") LENGTH(1) "\r\n", HTTP_FORBIDDEN},
        {REQUEST("POST", "link") LENGTH(1) "\r\n", HTTP_FORBIDDEN},
        {REQUEST("DELETE", "folder") "\r\n", HTTP_FORBIDDEN},
        {REQUEST("PUT", "a") "Content-Range: bytes 0-1/2\r\n" LENGTH(1) "\r\n", HTTP_BAD_REQUEST},
        {REQUEST("PUT", "a") "If-Match: *\r\n" LENGTH(1) "\r\n", HTTP_PRECONDITION_FAILED},
        {REQUEST("PUT", "a") "Content-Encoding: br\r\n" LENGTH(1) "\r\n",
         HTTP_UNSUPPORTED_MEDIA_TYPE},
        {REQUEST("PUT", "a") "\r\n", HTTP_LENGTH_REQUIRED},
        {REQUEST("PUT", "a") LENGTH(1001) "\r\n", HTTP_CONTENT_TOO_LARGE},
        {REQUEST("PUT", "a") "Content-Digest: x\r\n" LENGTH(1) "\r\n", HTTP_GO_ON}, /* unknown */
        {REQUEST("PUT", "a") "Content-Digest: sha-256=1\r\n" LENGTH(1) "\r\n", HTTP_BAD_REQUEST},
        {REQUEST("PUT", "a") LENGTH(1000) "\r\n", HTTP_GO_ON},
        /* What comes first of several. */
        {REQUEST("PUT", "a") "If-Match: *\r\nContent-Encoding: br\r\n\r\n",
         HTTP_PRECONDITION_FAILED},
        {REQUEST("PUT", "a") "Content-Encoding: br\r\n\r\n", HTTP_UNSUPPORTED_MEDIA_TYPE},
        {REQUEST("POST", "there") "If-Match: \"x\"\r\n\r\n", HTTP_CONFLICT},
        {REQUEST("DELETE", "missing") "If-Match: \"x\"\r\n\r\n", HTTP_NOT_FOUND},
    };
    (void)state;
    folder_add_directory(&folder, "files/folder");
    folder_add_link(&folder, "files/link", "/etc/passwd");
    folder_add_file(&folder, "files/there", "x");
    for (size_t i = 0; i < ROWS(rows); i++) {
        enum http_status status = begin(rows[i].head);
        if (status != rows[i].status)
            fail_msg("%d: %s", (int)status, rows[i].head);
        if (status != HTTP_GO_ON)
            assert_line("Content-Type: application/problem+json");
        assert_int_equal(exchange->response.close, status == HTTP_LENGTH_REQUIRED);
        if (exchange->data)
            writable_files_handler.close(&handling.exchange);
    }
    assert_files(3);
}

static void files_limit_goes_to_the_connection(void **state)
{
    static const int64_t limits[] = {1, 1000, 0};
    (void)state;
    for (size_t i = 0; i < ROWS(limits); i++) {
        handling.config.limits.file_bytes = limits[i];
        handling.exchange.content_limit = 77;
        assert_int_equal(begin(REQUEST("PUT", "a") LENGTH(1) "\r\n"), HTTP_GO_ON);
        assert_int_equal(exchange->content_limit, limits[i]);
        assert_false(exchange->may_block); /* nothing is synced here */
        writable_files_handler.close(&handling.exchange);
    }
    handling.config.limits.file_bytes = 0;
    assert_int_equal(begin(REQUEST("PUT", "a") LENGTH(9999999999) "\r\n"), HTTP_GO_ON);
    writable_files_handler.close(&handling.exchange);
}

static void files_that_others_change_meanwhile_stay(void **state)
{
    static const struct {
        const char *head;
        enum http_status status;
    } rows[] = {
        {REQUEST("PUT", "a") "If-None-Match: *\r\n" CHUNKED "\r\n", HTTP_PRECONDITION_FAILED},
        {REQUEST("POST", "a") CHUNKED "\r\n", HTTP_CONFLICT},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        assert_int_equal(begin(rows[i].head), HTTP_GO_ON);
        writable_files_handler.take(&handling.exchange, SLICE("mine"));
        folder_add_file(&folder, "files/a", "theirs");
        assert_int_equal(finish(), rows[i].status);
        assert_content("a", "theirs");
        assert_int_equal(unlinkat(folder.fd, "files/a", 0), 0);
    }
    assert_files(0);
}

static void files_whose_folder_appears_meanwhile_are_refused(void **state)
{
    (void)state;
    assert_int_equal(begin(REQUEST("PUT", "a") CHUNKED "\r\n"), HTTP_GO_ON);
    folder_add_directory(&folder, "files/a");
    assert_int_equal(finish(), HTTP_FORBIDDEN);
    assert_files(1);
}

static void files_given_up_leave_nothing(void **state)
{
    (void)state;
    assert_int_equal(begin(REQUEST("PUT", "a") CHUNKED "\r\n"), HTTP_GO_ON);
    writable_files_handler.take(&handling.exchange, SLICE("half"));
    writable_files_handler.close(&handling.exchange);
    assert_files(0);
}

/* 128 bits of a wrong digest are as good as any. */
static void files_with_another_digest_are_refused(void **state)
{
    (void)state;
    assert_int_equal(
        write_file(REQUEST("PUT", "a") "Content-Digest: "
                                       "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
                                       "\r\n" CHUNKED "\r\n",
                   "x"),
        HTTP_BAD_REQUEST);
    assert_files(0);
}

static void files_without_room_are_refused(void **state)
{
    (void)state;
    assert_int_equal(open_store((uint64_t)1 << 60), 0);
    assert_int_equal(begin(REQUEST("PUT", "a") LENGTH(1) "\r\n"), HTTP_INSUFFICIENT_STORAGE);
    assert_int_equal(begin(REQUEST("PUT", "a") CHUNKED "\r\n"), HTTP_INSUFFICIENT_STORAGE);
}

static void files_without_memory_are_put_off(void **state)
{
    (void)state;
    handling_begin(REQUEST("PUT", "a") LENGTH(1) "\r\n");
    assert_int_equal(router_resolve(&handling.request, handling.path, sizeof(handling.path),
                                    handling_local_address, &handling),
                     HTTP_GO_ON);
    failing_memory_after(0);
    writable_files_handler.open(&handling.request);
    assert_true(failing_memory_end());
    assert_int_equal(exchange->response.status, HTTP_SERVICE_UNAVAILABLE);
    assert_null(exchange->data);
}

static void files_that_nobody_may_write_are_read_only(void **state)
{
    (void)state;
    folder_add_file(&folder, "files/a", "x");
    store_close(handling.site.files);
    handling.site.files = NULL;
    assert_int_equal(handling_answer(REQUEST("GET", "a") "\r\n"), HTTP_OK);
    assert_line("Content-Type: application/octet-stream");
    assert_line("Content-Disposition: attachment; filename=\"a\"");
    assert_line("Content-Security-Policy: default-src 'none'; sandbox");
    assert_int_equal(handling_answer(REQUEST("GET", ".tarn") "\r\n"), HTTP_NOT_FOUND);
    assert_int_equal(handling_answer(REQUEST("GET", "") "\r\n"), HTTP_FORBIDDEN);
    assert_int_equal(handling_answer(REQUEST("PUT", "a") "\r\n"), HTTP_METHOD_NOT_ALLOWED);
    assert_line("Allow: GET, HEAD, OPTIONS");
    handling.config.files.directory = (char *)"/nonexistent/files";
    assert_int_equal(handling_answer(REQUEST("GET", "a") "\r\n"), HTTP_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILES_TEST(files_are_made_replaced_and_removed),
        FILES_TEST(files_are_refused_by_the_head),
        FILES_TEST(files_limit_goes_to_the_connection),
        FILES_TEST(files_that_others_change_meanwhile_stay),
        FILES_TEST(files_whose_folder_appears_meanwhile_are_refused),
        FILES_TEST(files_given_up_leave_nothing),
        FILES_TEST(files_with_another_digest_are_refused),
        FILES_TEST(files_without_room_are_refused),
        FILES_TEST(files_without_memory_are_put_off),
        FILES_TEST(files_that_nobody_may_write_are_read_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
