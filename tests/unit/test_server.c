/* What the threads share: made of the configuration, or not at all; and the counts of what is open.
 * The pool's threads do not run here.
 */
#include "server/server.h"

#include "server/session.h"
#include "server/worker.h"
#include "tests/support/failing_memory.h"
#include "tests/unit/site_fixture.h"

#include <errno.h>
#include <sys/socket.h>

static struct server *server;
static const struct peer alice = {.host = 1};
static const struct peer bob = {.host = 2};

static int begin(void **state)
{
    if (fixture_setup(state) != 0)
        return -1;
    fixture_write("a.conf", SITE_FIXTURE_KEYS
                  "listen = { host = \"192.0.2.7\"; };"
                  "hosts = ( \"files.test\", \"other.test:81\" );"
                  "pool = { workers = 3; queue = 8; };"
                  "limits = { head_bytes = 4096; head_fields = 50; max_requests = 7;"
                  "idle_timeout = 11; header_timeout = 12; body_timeout = 13;"
                  "write_timeout = 14; min_rate = 15; body_bytes = 16000;"
                  "connections_per_peer = 2; connections = 17; };");
    return fixture_load(*state, "a.conf", NULL);
}

static int end(void **state)
{
    server_destroy(server);
    server = NULL;
    return fixture_teardown(state);
}

/* Makes a server of the loaded configuration. */
static void create_server(struct fixture *fixture)
{
    struct site *site = site_fixture_open(fixture, 8081);
    server = server_create(site, NULL);
    assert_non_null(server);
    site_release(site);
}

#define SERVER_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

static void server_limits_are_those_of_the_configuration(void **state)
{
    create_server(*state);
    const struct connection_limits *limits = &server->site->limits;
    assert_int_equal(limits->head.head_bytes, 4096);
    assert_int_equal(limits->head.head_fields, 50);
    assert_int_equal(limits->max_requests, 7);
    assert_int_equal(limits->idle_timeout_ms, 11000);
    assert_int_equal(limits->header_timeout_ms, 12000);
    assert_int_equal(limits->body_timeout_ms, 13000);
    assert_int_equal(limits->write_timeout_ms, 14000);
    assert_int_equal(limits->min_rate, 15);
    assert_int_equal(limits->content_bytes, 16000);
    assert_int_equal(server->connections_max, 17);
    assert_int_equal(server->idle_timeout_ms, 11000);
}

static bool is_served(const char *host)
{
    struct authority authority;
    assert_int_equal(authority_parse(slice_from_string(host), &authority), 0);
    return authority_is_served(&authority, &server->site->authorities, (struct slice){0});
}

static void server_hosts_are_those_of_the_configuration(void **state)
{
    create_server(*state);
    assert_true(is_served("localhost:8081")); /* the port that it was given */
    assert_true(is_served("192.0.2.7:8081"));
    assert_true(is_served("files.test"));
    assert_true(is_served("other.test:81"));
    assert_false(is_served("localhost:8080"));
    assert_false(is_served("other.test:82"));
    assert_false(is_served("else.test"));
}

static void server_has_its_workers(void **state)
{
    create_server(*state);
    assert_int_equal(server->worker_count, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(server_worker(server, i)->number, i);
        assert_ptr_equal(server_worker(server, i)->server, server);
    }
}

static void server_without_memory_is_not_made(void **state)
{
    struct site *site = site_fixture_open(*state, 8081);
    unsigned count = 0;
    for (; !server && count < 100; count++) {
        failing_memory_after(count);
        errno = 0;
        server = server_create(site, NULL);
        int error = errno;
        if (failing_memory_end()) {
            assert_null(server);
            assert_int_equal(error, ENOMEM);
        }
    }
    assert_non_null(server);
    assert_in_range(count, 6, 99); /* it has failed at several places before */
    site_release(site);
}

static void server_counts_what_is_open(void **state)
{
    create_server(*state);
    assert_true(server_connection_opened(server, alice));
    assert_true(server_connection_opened(server, bob));
    assert_int_equal(atomic_load(&server->connections), 2);
    atomic_fetch_add(&server->refused, 1);
    server_connection_closed(server, alice, true);
    assert_int_equal(atomic_load(&server->connections), 2);
    assert_int_equal(atomic_load(&server->refused), 0);
    server_connection_closed(server, alice, false);
    server_connection_closed(server, bob, false);
    assert_int_equal(atomic_load(&server->connections), 0);
}

static void server_peer_with_too_many_is_not_counted(void **state)
{
    create_server(*state);
    assert_true(server_connection_opened(server, alice));
    assert_true(server_connection_opened(server, alice));
    assert_false(server_connection_opened(server, alice));
    assert_int_equal(atomic_load(&server->connections), 2);
    assert_true(server_connection_opened(server, bob));
    /* A refused connection has not been counted for its peer, and so is not taken off. */
    atomic_fetch_add(&server->refused, 1);
    server_connection_closed(server, alice, true);
    assert_false(server_connection_opened(server, alice));
    server_connection_closed(server, alice, false);
    assert_true(server_connection_opened(server, alice));
    assert_false(server_connection_opened(server, alice));
    server_connection_closed(server, alice, false);
    server_connection_closed(server, alice, false);
    server_connection_closed(server, bob, false);
    assert_int_equal(atomic_load(&server->connections), 0);
}

static void server_peer_without_a_limit_has_any_number(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_load(fixture, "a.conf", "limits.connections_per_peer=0"), 0);
    create_server(fixture);
    for (unsigned i = 0; i < 1000; i++)
        assert_true(server_connection_opened(server, alice));
    server_connection_closed(server, alice, false);
    assert_int_equal(atomic_load(&server->connections), 999);
}

static void count_call(void *context)
{
    unsigned *calls = context;
    ++*calls;
}

static void server_starved_is_told_of_each_close(void **state)
{
    unsigned calls = 0;
    create_server(*state);
    server->relieved = count_call;
    server->relieved_context = &calls;
    server_relieve(server);
    assert_int_equal(calls, 0);
    atomic_store(&server->starved, true);
    server_relieve(server);
    assert_int_equal(calls, 1);
}

static bool is_ready(void)
{
    return server->site->is_ready(server->site);
}

static void server_that_drains_is_not_ready(void **state)
{
    create_server(*state);
    assert_true(is_ready());
    assert_false(server_is_draining(server));
    server_drain(server);
    assert_true(server_is_draining(server));
    assert_false(is_ready());
}

static void server_without_room_on_the_disk_is_not_ready(void **state)
{
    struct fixture *fixture = *state;
    const char *most = "uploads.min_free_bytes=9223372036854775807";
    assert_int_equal(fixture_load(fixture, "a.conf", most), 0);
    create_server(fixture);
    assert_false(is_ready());
}

/* Pushes a connection, which waits in the queue until the server is destroyed. */
static enum queue_push_result push_connection(void)
{
    static const struct sockaddr_storage nobody;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(close(pair[1]), 0);
    struct session *session = session_create(pair[0], &nobody, 1000);
    assert_non_null(session);
    enum queue_push_result result = pool_push(server->pool, &session->item, 0);
    if (result == QUEUE_OK) {
        assert_true(server_connection_opened(server, session->peer));
    } else {
        assert_int_equal(close(pair[0]), 0);
        free(session);
    }
    return result;
}

/* Three quarters of the queue are for new connections. */
static void server_without_room_for_new_connections_is_not_ready(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_load(fixture, "a.conf", "limits.connections_per_peer=0"), 0);
    create_server(fixture);
    for (unsigned i = 0; i < 6; i++) {
        assert_true(is_ready());
        assert_int_equal(push_connection(), QUEUE_OK);
    }
    assert_int_equal(push_connection(), QUEUE_FULL);
    assert_false(is_ready());
}

/* A worker that runs a request keeps its site until it has put it down. */
static void server_site_is_changed_for_workers_when_they_are_idle(void **state)
{
    struct fixture *fixture = *state;
    struct session session = {.item.fd = -1, .client = "192.0.2.7"};
    create_server(fixture);
    struct site *old = server->site;
    worker_take_up(server_worker(server, 1), &session);

    assert_int_equal(fixture_load(fixture, "a.conf", "limits.connections=18"), 0);
    struct site *site = site_fixture_open(fixture, 8081);
    server_set_site(server, site);
    site_release(site);
    assert_ptr_equal(server->site, site);
    assert_int_equal(server->connections_max, 18);
    assert_ptr_equal(server_worker(server, 0)->site, site);
    assert_ptr_equal(server_worker(server, 1)->site, old);
    worker_put_down(server_worker(server, 1));
    assert_ptr_equal(server_worker(server, 1)->site, site);
}

static void server_that_retires_is_not_ready(void **state)
{
    create_server(*state);
    server_retire(server);
    assert_false(is_ready());
    assert_false(server_is_draining(server));
}

static void server_destroy_of_null_is_allowed(void **state)
{
    (void)state;
    server_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(server_limits_are_those_of_the_configuration),
        SERVER_TEST(server_hosts_are_those_of_the_configuration),
        SERVER_TEST(server_has_its_workers),
        SERVER_TEST(server_without_memory_is_not_made),
        SERVER_TEST(server_counts_what_is_open),
        SERVER_TEST(server_peer_with_too_many_is_not_counted),
        SERVER_TEST(server_peer_without_a_limit_has_any_number),
        SERVER_TEST(server_starved_is_told_of_each_close),
        SERVER_TEST(server_that_drains_is_not_ready),
        SERVER_TEST(server_without_room_on_the_disk_is_not_ready),
        SERVER_TEST(server_without_room_for_new_connections_is_not_ready),
        SERVER_TEST(server_site_is_changed_for_workers_when_they_are_idle),
        SERVER_TEST(server_that_retires_is_not_ready),
        SERVER_TEST(server_destroy_of_null_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
