#include "server/handlers/static_files.h"
#include "server/log/error_log.h"
#include "tests/unit/folder.h"
#include "tests/unit/handling.h"

#include <sys/resource.h>

static struct folder root;

static int create(void **state)
{
    (void)handling_setup(state);
    folder_create(&root);
    folder_add_file(&root, "index.html", "<p>start");
    folder_add_file(&root, "page.html", "<p>page");
    folder_add_file(&root, "empty.css", "");
    folder_add_file(&root, "notes.txt", "notes");
    folder_add_file(&root, "no-extension", "what?");
    folder_add_directory(&root, "docs");
    folder_add_file(&root, "docs/index.html", "<p>docs");
    folder_add_directory(&root, "bare");
    folder_add_file(&root, "bare/deep.js", "1");
    handling.site.root = root.fd;
    return 0;
}

static int destroy(void **state)
{
    (void)handling_teardown(state);
    folder_destroy(&root);
    return 0;
}

#define ROOT_TEST(test) cmocka_unit_test_setup_teardown(test, create, destroy)

/* Asks for a target. */
static enum http_status get(const char *target)
{
    char head[9000];
    (void)snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\n" HOST "\r\n", target);
    return handling_answer(head);
}

/* The bytes of the file that the response would send. */
static void assert_sends(const char *expected)
{
    char bytes[256];
    const struct response *response = &handling.exchange.response;
    assert_int_equal(response->content, RESPONSE_FILE);
    assert_int_equal(response->part_count, 1);
    assert_int_equal(response->parts[0].len, strlen(expected));
    assert_int_equal(pread(response->file, bytes, sizeof(bytes), response->parts[0].offset),
                     strlen(expected));
    assert_memory_equal(bytes, expected, strlen(expected));
}

static void static_files_are_sent(void **state)
{
    static const struct {
        const char *target;
        const char *bytes;
    } rows[] = {
        {"/page.html", "<p>page"},
        {"/page.html?x=y", "<p>page"},
        {"/%70age.html", "<p>page"},
        {"//page.html", "<p>page"},
        {"/", "<p>start"},
        {"/?", "<p>start"},
        {"/docs/", "<p>docs"},
        {"/docs//", "<p>docs"},
        {"/docs/index.html", "<p>docs"},
        {"/bare/deep.js", "1"},
        {"/empty.css", ""},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        if (get(rows[i].target) != HTTP_OK)
            fail_msg("%s", rows[i].target);
        assert_sends(rows[i].bytes);
        assert_line("Cache-Control: no-cache");
    }
}

static void static_files_have_their_type_and_disposition(void **state)
{
    static const struct {
        const char *name;
        const char *type;
        const char *disposition; /* NULL: none, so that it is shown */
    } rows[] = {
        {"a.html", "text/html; charset=utf-8", NULL},
        {"a.svg", "image/svg+xml", NULL},
        {"a.TXT", "application/octet-stream", "attachment; filename=\"a.TXT\""},
        {"a.png", "application/octet-stream", "attachment; filename=\"a.png\""},
        {"a.unknown", "application/octet-stream", "attachment; filename=\"a.unknown\""},
        {"none", "application/octet-stream", "attachment; filename=\"none\""},
        {"a b.txt", "application/octet-stream", "attachment; filename=\"a b.txt\""},
        {"\"q\".txt", "application/octet-stream",
         "attachment; filename=\"_q_.txt\"; filename*=UTF-8''%22q%22.txt"},
        {"\xc3\xa9.txt", "application/octet-stream",
         "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%A9.txt"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char buffer[128];
        char line[256];
        struct text target = text_over(buffer, sizeof(buffer) - 1);
        folder_add_file(&root, rows[i].name, "x");
        text_append_char(&target, '/');
        text_append_percent(&target, slice_from_string(rows[i].name));
        buffer[target.len] = '\0';
        assert_int_equal(get(buffer), HTTP_OK);
        (void)snprintf(line, sizeof(line), "Content-Type: %s", rows[i].type);
        assert_line(line);
        (void)snprintf(line, sizeof(line), "Content-Disposition: %s",
                       rows[i].disposition ? rows[i].disposition : "");
        if (rows[i].disposition)
            assert_line(line);
        else
            assert_null(strstr(handling_head(), "Content-Disposition"));
    }
}

static void static_files_index_has_its_own_type(void **state)
{
    (void)state;
    assert_int_equal(get("/docs/"), HTTP_OK);
    assert_line("Content-Type: text/html; charset=utf-8");
    handling.config.index = (char *)"notes.txt";
    assert_int_equal(get("/"), HTTP_OK);
    assert_line("Content-Disposition: attachment; filename=\"notes.txt\"");
}

static void static_files_without_cache_control_say_nothing_of_it(void **state)
{
    (void)state;
    handling.config.static_files.cache_control = (char *)"";
    assert_int_equal(get("/page.html"), HTTP_OK);
    assert_null(strstr(handling_head(), "Cache-Control"));
}

static void static_files_what_is_not_there_is_not_found(void **state)
{
    static const char *const targets[] = {
        "/nothing",      "/nothing/",   "/docs/nothing", "/page.html/", "/page.html/x",
        "/page.html%20", "/page.html.", "/%252e%252e/",  "/PAGE.html",  "/no-extension/",
    };
    (void)state;
    for (size_t i = 0; i < ROWS(targets); i++)
        if (get(targets[i]) != HTTP_NOT_FOUND)
            fail_msg("%s: %d", targets[i], (int)handling.exchange.response.status);
}

static void static_files_hidden_names_are_not_found(void **state)
{
    static const char *const targets[] = {"/.secret", "/.git/config", "/docs/.secret",
                                          "/.git/",   "/%2esecret",   "/.well-known/.secret"};
    (void)state;
    folder_add_file(&root, ".secret", "x");
    folder_add_file(&root, "docs/.secret", "x");
    folder_add_directory(&root, ".git");
    folder_add_file(&root, ".git/config", "x");
    folder_add_directory(&root, ".well-known");
    folder_add_file(&root, ".well-known/.secret", "x");
    folder_add_file(&root, ".well-known/security.txt", "mail");
    for (size_t i = 0; i < ROWS(targets); i++)
        if (get(targets[i]) != HTTP_NOT_FOUND)
            fail_msg("%s: %d", targets[i], (int)handling.exchange.response.status);
    assert_int_equal(get("/.well-known/security.txt"), HTTP_OK);
    assert_sends("mail");
}

static void static_files_what_may_not_be_read_is_forbidden(void **state)
{
    static const char *const targets[] = {"/bare/",      "/fifo", "/out",
                                          "/out/passwd", "/loop", "/as-index/"};
    (void)state;
    assert_int_equal(mkfifoat(root.fd, "fifo", 0644), 0);
    folder_add_link(&root, "out", "/etc");
    folder_add_link(&root, "loop", "loop");
    folder_add_directory(&root, "as-index");
    folder_add_directory(&root, "as-index/index.html");
    for (size_t i = 0; i < ROWS(targets); i++)
        if (get(targets[i]) != HTTP_FORBIDDEN)
            fail_msg("%s: %d", targets[i], (int)handling.exchange.response.status);
}

static void static_files_directory_without_its_slash_is_redirected(void **state)
{
    static const struct {
        const char *name;
        const char *target;
        const char *location;
    } rows[] = {
        {NULL, "/docs", "Location: /docs/"},
        {NULL, "/docs?a=b&c=%20", "Location: /docs/?a=b&c=%20"},
        {NULL, "/docs?", "Location: /docs/?"},
        {NULL, "//docs", "Location: /docs/"},
        {NULL, "/%64ocs", "Location: /docs/"},
        {"a b", "/a%20b", "Location: /a%20b/"},
        {"a?b", "/a%3fb", "Location: /a%3Fb/"},
        {"%2e", "/%252e", "Location: /%252e/"},
        {"\xc3\xa9", "/%c3%a9", "Location: /%C3%A9/"},
        {"evil.example", "//evil.example", "Location: /evil.example/"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        if (rows[i].name)
            folder_add_directory(&root, rows[i].name);
        if (get(rows[i].target) != HTTP_MOVED_PERMANENTLY)
            fail_msg("%s: %d", rows[i].target, (int)handling.exchange.response.status);
        assert_line(rows[i].location);
        assert_line("Content-Length: 0");
    }
}

static void static_files_redirect_that_does_not_fit_is_too_long(void **state)
{
    char target[5000];
    (void)state;
    memset(target, 'x', sizeof(target) - 1);
    memcpy(target, "/docs?", 6);
    target[sizeof(target) - 1] = '\0';
    assert_int_equal(get(target), HTTP_URI_TOO_LONG);
    assert_null(strstr(handling_head(), "Location"));
}

/* A length above the kernel's, in one name and in many. */
static void static_files_long_paths_are_not_found(void **state)
{
    char target[8000];
    (void)state;
    memset(target, 'a', sizeof(target) - 1);
    target[0] = '/';
    target[sizeof(target) - 1] = '\0';
    assert_int_equal(get(target), HTTP_NOT_FOUND);
    for (size_t i = 0; i < sizeof(target) - 1; i += 2)
        target[i] = '/';
    assert_int_equal(get(target), HTTP_NOT_FOUND);
    target[sizeof(target) - 2] = '/';
    assert_int_equal(get(target), HTTP_NOT_FOUND);
}

/* Out of descriptors the server is busy, and says so; the file is there after all. */
static void static_files_without_descriptors_are_unavailable(void **state)
{
    struct rlimit limit;
    (void)state;
    assert_int_equal(error_log_open("off", LOG_ERROR), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum http_status status = get("/page.html");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    error_log_close();
    assert_int_equal(status, HTTP_SERVICE_UNAVAILABLE);
}

/* Whatever has been opened has one owner. */
static void static_files_leave_no_descriptor_open(void **state)
{
    static const char *const targets[] = {"/page.html", "/",        "/docs",      "/bare/",
                                          "/fifo",      "/nothing", "/page.html/"};
    (void)state;
    assert_int_equal(mkfifoat(root.fd, "fifo", 0644), 0);
    int lowest = open("/", O_PATH | O_CLOEXEC);
    assert_int_equal(close(lowest), 0);
    for (size_t i = 0; i < ROWS(targets); i++) {
        (void)get(targets[i]);
        response_deinit(&handling.exchange.response);
        int next = open("/", O_PATH | O_CLOEXEC);
        assert_int_equal(close(next), 0);
        if (next != lowest)
            fail_msg("%s", targets[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOT_TEST(static_files_are_sent),
        ROOT_TEST(static_files_have_their_type_and_disposition),
        ROOT_TEST(static_files_index_has_its_own_type),
        ROOT_TEST(static_files_without_cache_control_say_nothing_of_it),
        ROOT_TEST(static_files_what_is_not_there_is_not_found),
        ROOT_TEST(static_files_hidden_names_are_not_found),
        ROOT_TEST(static_files_what_may_not_be_read_is_forbidden),
        ROOT_TEST(static_files_directory_without_its_slash_is_redirected),
        ROOT_TEST(static_files_redirect_that_does_not_fit_is_too_long),
        ROOT_TEST(static_files_long_paths_are_not_found),
        ROOT_TEST(static_files_without_descriptors_are_unavailable),
        ROOT_TEST(static_files_leave_no_descriptor_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
