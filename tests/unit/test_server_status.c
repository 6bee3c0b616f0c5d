/* What `server status` prints, of a server whose threads do not run. */
#include "server/control/status.h"

#include "tests/unit/site_fixture.h"

static struct server *server;

static int begin(void **state)
{
    if (fixture_setup(state) != 0)
        return -1;
    struct fixture *fixture = *state;
    fixture_write("a.conf", SITE_FIXTURE_KEYS "listen = { host = \"192.0.2.7\"; };"
                                              "pool = { workers = 3; queue = 8; };"
                                              "limits = { connections = 17; };");
    if (fixture_load(fixture, "a.conf", NULL) != 0)
        return -1;
    struct site *site = site_fixture_open(fixture, 8081);
    server = server_create(site, NULL);
    site_release(site);
    return server ? 0 : -1;
}

static int end(void **state)
{
    server_destroy(server);
    server = NULL;
    return fixture_teardown(state);
}

#define STATUS_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

/* Whether the text has this line. */
static void assert_line(const char *expected)
{
    char *text = status_text(server, 8081);
    assert_non_null(text);
    char line[256];
    (void)snprintf(line, sizeof line, "%s\n", expected);
    const char *found = strstr(text, line);
    if (!found || (found > text && found[-1] != '\n'))
        fail_msg("no \"%s\" in:\n%s", expected, text);
    free(text);
}

static void status_tells_what_the_server_is(void **state)
{
    char process[64];
    (void)state;
    (void)snprintf(process, sizeof process, "process     %d, tarn " TARN_VERSION, (int)getpid());
    assert_line(process);
    assert_line("state       serving");
    assert_line("address     192.0.2.7 port 8081");
    assert_line("root        .");
    assert_line("file        a.conf");
    assert_line("workers     3: 0 running, 0 in the disk");
    assert_line("queue       0 of 8, most so far 0; waiting for the disk 0");
    assert_line("requests    0: 2xx 0, 3xx 0, 4xx 0, 5xx 0, unanswered 0");
    assert_line("content     0 bytes sent");
    assert_line("log         0 lines dropped");
}

static void status_counts_connections(void **state)
{
    static const struct peer alice = {.host = 1};
    (void)state;
    assert_true(server_connection_opened(server, alice));
    assert_line("connections 1 of 17: 0 idle, 0 in a head, 0 busy; 0 refused ones linger");
    server_connection_closed(server, alice, false);
}

static void status_tells_for_how_long_it_is_up(void **state)
{
    (void)state;
    server->started = time(NULL) - (2 * 86400 + 3 * 3600 + 4 * 60 + 5);
    char *text = status_text(server, 8081);
    assert_non_null(strstr(text, "up          2 d 03:04:0")); /* a second may have passed */
    free(text);
    server->started = time(NULL) + 1000; /* the clock has been set back */
    assert_line("up          0 d 00:00:00");
}

static void status_of_one_that_drains_says_so(void **state)
{
    (void)state;
    server_drain(server);
    assert_line("state       stopping");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STATUS_TEST(status_tells_what_the_server_is),
        STATUS_TEST(status_counts_connections),
        STATUS_TEST(status_tells_for_how_long_it_is_up),
        STATUS_TEST(status_of_one_that_drains_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
