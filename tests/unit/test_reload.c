/* Another configuration for a server: taken as a whole or not at all. The pool's threads do not run
 * here.
 */
#include "server/reload.h"

#include "server/log/error_log.h"
#include "tests/unit/site_fixture.h"

static const struct config_input input = {.file = "a.conf"};
static struct server *server;
static char *text;

static void write_config(const char *more)
{
    char bytes[1024];
    (void)snprintf(bytes, sizeof bytes, "%s\n%s", SITE_FIXTURE_KEYS, more);
    fixture_write("a.conf", bytes);
}

/* Makes the server of a configuration that has this file; NULL: none. */
static int make_server(struct fixture *fixture, const char *file)
{
    write_config("");
    if (fixture_load(fixture, "a.conf", NULL) != 0)
        return -1;
    free(fixture->config->file);
    fixture->config->file = file ? strdup(file) : NULL;
    struct site *site = site_fixture_open(fixture, 8081);
    server = server_create(site, NULL);
    site_release(site);
    return server ? 0 : -1;
}

static int begin(void **state)
{
    return fixture_setup(state) == 0 ? make_server(*state, "a.conf") : -1;
}

static int begin_without_a_file(void **state)
{
    return fixture_setup(state) == 0 ? make_server(*state, NULL) : -1;
}

static int end(void **state)
{
    server_destroy(server);
    server = NULL;
    free(text);
    text = NULL;
    error_log_set_level(LOG_INFO);
    return fixture_teardown(state);
}

#define RELOAD_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

static int reload(const char *more)
{
    write_config(more);
    free(text);
    return reload_and_log(server, &input, 8081, &text);
}

static void reload_gives_the_server_another_site(void **state)
{
    (void)state;
    struct site *old = server_site(server);
    assert_int_equal(reload("limits = { max_requests = 7; };"), 0);
    assert_string_equal(text, "");
    struct site *site = server_site(server);
    assert_ptr_not_equal(site, old);
    assert_int_equal(site->limits.max_requests, 7);
    assert_int_equal(old->limits.max_requests, 100); /* for requests that are under way */
    assert_ptr_equal(site->store, old->store);       /* nothing has changed there */
    site_release(site);
    site_release(old);
}

static void reload_opens_stores_that_have_changed(void **state)
{
    (void)state;
    struct site *old = server_site(server);
    assert_int_equal(reload("files = { directory = \"files\"; writable = true; };"), 0);
    struct site *site = server_site(server);
    assert_ptr_not_equal(site->store, old->store);
    assert_null(old->files);
    assert_non_null(site->files);
    site_release(site);
    site_release(old);
}

static void reload_sets_the_level_and_the_limits(void **state)
{
    (void)state;
    assert_false(error_log_wants(LOG_DEBUG));
    assert_int_equal(reload("log = { level = \"debug\"; }; limits = { connections = 7;"
                            "idle_timeout = 9; };"),
                     0);
    assert_true(error_log_wants(LOG_DEBUG));
    assert_int_equal(server->connections_max, 7);
    assert_int_equal(server->idle_timeout_ms, 9000);
}

static void reload_with_a_fault_changes_nothing(void **state)
{
    static const struct {
        const char *more;
        int status;
        const char *said;
    } rows[] = {
        {"roof = 1;", CONFIG_EXIT_INVALID, "a.conf:2: "},
        {"index = ;", CONFIG_EXIT_INVALID, "a.conf:2: "},
        {"listen = { port = 81; };", CONFIG_EXIT_INVALID,
         "a.conf:2: listen.port cannot be changed by a reload, only by a restart\n"},
        {"files = { directory = \"a.conf\"; writable = true; };", 1, "a.conf: Not a directory\n"},
        {"auth = { tokens_file = \"none\"; };", 1, "none: cannot be read"},
    };
    (void)state;
    struct site *old = server_site(server);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(reload(rows[i].more), rows[i].status);
        if (!strstr(text, rows[i].said))
            fail_msg("%s: %s", rows[i].more, text);
        assert_ptr_equal(server->site, old);
    }
    site_release(old);
}

static void reload_tells_of_each_key_that_is_fixed(void **state)
{
    (void)state;
    assert_int_equal(reload("pool = { workers = 3;\nqueue = 8; };"), CONFIG_EXIT_INVALID);
    assert_non_null(strstr(text, "a.conf:2: pool.workers cannot"));
    assert_non_null(strstr(text, "a.conf:3: pool.queue cannot"));
}

static void reload_of_a_file_without_a_root_changes_nothing(void **state)
{
    (void)state;
    struct site *old = server_site(server);
    fixture_write("a.conf", "root = \"nowhere\"; uploads = { directory = \"uploads\"; };");
    free(text);
    assert_int_equal(reload_and_log(server, &input, 8081, &text), 1);
    assert_non_null(strstr(text, "cannot open the document root nowhere"));
    assert_ptr_equal(server->site, old);
    site_release(old);
}

/* Reloads a server that was started without -c. */
static int reload_found(void)
{
    static const struct config_input nothing_named = {.file = NULL};
    free(text);
    return reload_and_log(server, &nothing_named, 8081, &text);
}

static void reload_reads_the_file_that_was_found_at_the_start(void **state)
{
    (void)state;
    fixture_write("server.conf", "root = \"nowhere\";"); /* would be found now */
    write_config("limits = { connections = 7; };");
    assert_int_equal(reload_found(), 0);
    assert_int_equal(server->connections_max, 7);
}

static void reload_without_the_file_of_the_start_changes_nothing(void **state)
{
    (void)state;
    struct site *old = server_site(server);
    assert_int_equal(unlink("a.conf"), 0);
    assert_int_equal(reload_found(), CONFIG_EXIT_INVALID);
    assert_string_equal(text, "a.conf: cannot be read: No such file or directory\n");
    assert_ptr_equal(server->site, old);
    site_release(old);
}

static void reload_takes_a_file_where_there_was_none(void **state)
{
    (void)state;
    assert_int_equal(rename("a.conf", "server.conf"), 0);
    assert_int_equal(reload_found(), 0);
    assert_string_equal(server->site->config->file, "server.conf");
    assert_int_equal(unlink("server.conf"), 0);
    assert_int_equal(reload_found(), CONFIG_EXIT_INVALID);
    assert_string_equal(text, "server.conf: cannot be read: No such file or directory\n");
}

int main(void)
{
    if (error_log_open("/dev/null", LOG_INFO) != 0)
        return 1;
    const struct CMUnitTest tests[] = {
        RELOAD_TEST(reload_gives_the_server_another_site),
        RELOAD_TEST(reload_opens_stores_that_have_changed),
        RELOAD_TEST(reload_sets_the_level_and_the_limits),
        RELOAD_TEST(reload_with_a_fault_changes_nothing),
        RELOAD_TEST(reload_tells_of_each_key_that_is_fixed),
        RELOAD_TEST(reload_of_a_file_without_a_root_changes_nothing),
        RELOAD_TEST(reload_reads_the_file_that_was_found_at_the_start),
        RELOAD_TEST(reload_without_the_file_of_the_start_changes_nothing),
        cmocka_unit_test_setup_teardown(reload_takes_a_file_where_there_was_none,
                                        begin_without_a_file, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
