/* A client's connection as the pool runs it: what it waits for, who may push it out, and that its
 * end is counted and logged. The pool's threads do not run here.
 */
#include "server/session.h"

#include "pool/clock.h"
#include "server/server.h"
#include "server/worker.h"
#include "tests/unit/site_fixture.h"

#include <arpa/inet.h>

#define HOST "Host: localhost:8080\r\n"

static struct server *server;
static struct access_log *access_log;
static struct session *session;
static int far; /* the client's end */
static int64_t connected_ms;

static int begin(void **state)
{
    if (fixture_setup(state) != 0)
        return -1;
    struct fixture *fixture = *state;
    fixture_write("a.conf", SITE_FIXTURE_KEYS "pool = { workers = 2; };");
    fixture_write("page.html", "<p>page");
    assert_int_equal(fixture_load(fixture, "a.conf", NULL), 0);
    access_log = access_log_open("access.log", "combined", 2);
    struct site *site = site_fixture_open(fixture, 8080);
    server = server_create(site, access_log);
    assert_non_null(server);
    site_release(site);
    return 0;
}

static int end(void **state)
{
    server_destroy(server);
    access_log_close(access_log);
    return fixture_teardown(state);
}

#define SESSION_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

static const struct sockaddr_storage *client_address(void)
{
    static union {
        struct sockaddr_storage any;
        struct sockaddr_in four;
    } address;
    address.four.sin_family = AF_INET;
    address.four.sin_addr.s_addr = htonl(0xc0000207); /* 192.0.2.7 */
    return &address.any;
}

/* A client connects. */
static void connect_client(bool refused)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    far = pair[1];
    connected_ms = clock_now_ms();
    if (refused) {
        session = session_create_refused(pair[0], client_address());
        atomic_fetch_add(&server->refused, 1);
    } else {
        session = session_create(pair[0], client_address(), server->site->limits.idle_timeout_ms);
        assert_true(server_connection_opened(server, session->peer));
    }
}

static enum pool_next run(enum pool_event event)
{
    return session_run(&session->item, event, 1, server);
}

static enum pool_next say(const char *bytes)
{
    assert_int_equal(send(far, bytes, strlen(bytes), 0), strlen(bytes));
    return run(POOL_READY);
}

/* What the client has been told since it was last asked; at its end also that. */
static const char *hear(void)
{
    static char bytes[4096];
    ssize_t n = recv(far, bytes, sizeof(bytes) - 1, 0);
    bytes[n > 0 ? n : 0] = '\0';
    return bytes;
}

static void assert_parked(enum pool_next next, enum pool_rank rank, int64_t timeout_s)
{
    assert_int_equal(next, POOL_PARK);
    assert_int_equal(session->item.interest, POOL_READABLE);
    assert_int_equal(session->item.rank, rank);
    assert_in_range(session->item.deadline_ms, connected_ms + timeout_s * 1000,
                    clock_now_ms() + timeout_s * 1000);
}

/* The session is over and counted. */
static void assert_gone(enum pool_next next)
{
    assert_int_equal(next, POOL_GONE);
    assert_int_equal(atomic_load(&server->connections), 0);
    assert_int_equal(atomic_load(&server->refused), 0);
    struct worker_status status;
    worker_status(server_worker(server, 1), &status);
    assert_false(status.busy);
    assert_int_equal(close(far), 0);
}

/* The log's thread writes within a second; its end writes at once. */
static void assert_logged(const char *text)
{
    char bytes[4096];
    access_log_close(access_log);
    access_log = NULL;
    FILE *file = fopen("access.log", "r");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof(bytes) - 1, file);
    assert_int_equal(fclose(file), 0);
    bytes[len] = '\0';
    if (!strstr(bytes, text))
        fail_msg("not logged: %s\nbut: %s", text, bytes);
}

static void session_waits_for_what_its_connection_waits_for(void **state)
{
    (void)state;
    connect_client(false);
    assert_parked(run(POOL_NEW), POOL_EVICT_FIRST, 30);
    assert_parked(say("GET /page.html HT"), POOL_EVICT_SECOND, 10);
    assert_parked(say("TP/1.1\r\n" HOST "\r\n"), POOL_EVICT_FIRST, 30);
    assert_non_null(strstr(hear(), "\r\n\r\n<p>page"));
    assert_parked(say("GET / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nab"), POOL_KEEP, 10);
    assert_gone(run(POOL_EVICTED));
}

static void session_waits_for_a_client_that_reads_slowly(void **state)
{
    (void)state;
    assert_int_equal(truncate("page.html", 8000000), 0);
    connect_client(false);
    enum pool_next next = say("GET /page.html HTTP/1.1\r\n" HOST "\r\n");
    while (next == POOL_AGAIN)
        next = run(POOL_CONTINUED);
    assert_int_equal(next, POOL_PARK);
    assert_int_equal(session->item.interest, POOL_WRITABLE);
    assert_int_equal(session->item.rank, POOL_KEEP);
    struct worker_status status;
    worker_status(server_worker(server, 1), &status);
    assert_string_equal(status.client, "192.0.2.7");
    assert_string_equal(status.request, "GET /page.html HTTP/1.1");
    assert_gone(run(POOL_UNPARKABLE));
    assert_logged("\"GET /page.html HTTP/1.1\" 200 ");
}

static void session_upload_asks_before_it_blocks(void **state)
{
    (void)state;
    connect_client(false);
    assert_int_equal(say("POST /upload HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
                         "Content-Length: 2\r\n\r\n{}"),
                     POOL_BLOCK);
    assert_string_equal(hear(), "");
    assert_parked(run(POOL_MAY_BLOCK), POOL_EVICT_FIRST, 30);
    assert_non_null(strstr(hear(), "HTTP/1.1 201 Created\r\n"));
    assert_gone(run(POOL_EVICTED));
}

/* Nothing was answered, but the log knows of it. */
static void session_client_that_vanishes_is_logged_with_499(void **state)
{
    (void)state;
    connect_client(false);
    (void)say("GET /x HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nab");
    assert_int_equal(shutdown(far, SHUT_WR), 0);
    assert_gone(run(POOL_READY));
    assert_logged("192.0.2.7 - - [");
    assert_logged("\"GET /x HTTP/1.1\" 499 - ");
}

static void session_that_is_told_to_go_goes(void **state)
{
    static const enum pool_event events[] = {POOL_EVICTED, POOL_UNPARKABLE};
    (void)state;
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        connect_client(false);
        assert_parked(run(POOL_NEW), POOL_EVICT_FIRST, 30);
        assert_gone(run(events[i]));
    }
}

static void session_that_is_drained_ends_if_nothing_has_come(void **state)
{
    (void)state;
    connect_client(false);
    assert_parked(run(POOL_NEW), POOL_EVICT_FIRST, 30);
    atomic_store(&server->draining, true);
    assert_gone(run(POOL_DRAINED));
}

/* epoll had not told of it when the drain took the session out. */
static void session_that_is_drained_answers_what_has_come(void **state)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\n" HOST "\r\n";
    (void)state;
    connect_client(false);
    assert_parked(run(POOL_NEW), POOL_EVICT_FIRST, 30);
    assert_int_equal(send(far, request, strlen(request), 0), strlen(request));
    atomic_store(&server->draining, true);
    assert_parked(run(POOL_DRAINED), POOL_KEEP, 2);
    const char *answer = hear();
    assert_non_null(strstr(answer, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(answer, "Connection: close\r\n"));
    assert_gone(run(POOL_EXPIRED));
}

static void session_that_expires_is_answered_in_the_middle_of_a_request(void **state)
{
    (void)state;
    connect_client(false);
    assert_gone(run(POOL_EXPIRED));
    connect_client(false);
    (void)say("GET /");
    assert_parked(run(POOL_EXPIRED), POOL_KEEP, 2);
    assert_non_null(strstr(hear(), "HTTP/1.1 408 Request Timeout\r\n"));
    assert_gone(run(POOL_EXPIRED));
    assert_logged("\"GET /\" 408 ");
}

static void session_while_the_server_drains_is_answered_and_closed(void **state)
{
    (void)state;
    connect_client(false);
    server_drain(server);
    assert_parked(say("GET /page.html HTTP/1.1\r\n" HOST "\r\n"), POOL_KEEP, 2);
    assert_non_null(strstr(hear(), "\r\nConnection: close\r\n"));
    assert_int_equal(shutdown(far, SHUT_WR), 0);
    assert_gone(run(POOL_READY));
    connect_client(false);
    assert_gone(run(POOL_NEW));
}

static void session_refused_only_lingers(void **state)
{
    (void)state;
    connect_client(true);
    assert_int_equal(session->item.interest, POOL_READABLE);
    assert_int_equal(session->item.rank, POOL_KEEP);
    assert_parked(say("GET / HTTP/1.1\r\n" HOST "\r\n"), POOL_KEEP, 2);
    assert_string_equal(hear(), "");
    assert_gone(run(POOL_EXPIRED));
}

static void session_that_is_left_at_the_end_is_discarded(void **state)
{
    (void)state;
    connect_client(false);
    (void)say("GET /x HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nab");
    session_discard(&session->item, server);
    assert_gone(POOL_GONE);
    assert_logged("\"GET /x HTTP/1.1\" 499 - ");
}

static void session_addresses_are_formatted(void **state)
{
    static const struct {
        const char *address;
        const char *formatted;
    } rows[] = {
        {"::1", "::1"},
        {"2001:DB8::1", "2001:db8::1"},
        {"::ffff:192.0.2.7", "192.0.2.7"},
    };
    char formatted[INET6_ADDRSTRLEN];
    (void)state;
    session_format_address(client_address(), formatted);
    assert_string_equal(formatted, "192.0.2.7");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        union {
            struct sockaddr_storage any;
            struct sockaddr_in6 six;
        } address = {.six = {.sin6_family = AF_INET6}};
        assert_int_equal(inet_pton(AF_INET6, rows[i].address, &address.six.sin6_addr), 1);
        session_format_address(&address.any, formatted);
        assert_string_equal(formatted, rows[i].formatted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(session_waits_for_what_its_connection_waits_for),
        SESSION_TEST(session_waits_for_a_client_that_reads_slowly),
        SESSION_TEST(session_upload_asks_before_it_blocks),
        SESSION_TEST(session_client_that_vanishes_is_logged_with_499),
        SESSION_TEST(session_that_is_told_to_go_goes),
        SESSION_TEST(session_that_is_drained_ends_if_nothing_has_come),
        SESSION_TEST(session_that_is_drained_answers_what_has_come),
        SESSION_TEST(session_that_expires_is_answered_in_the_middle_of_a_request),
        SESSION_TEST(session_while_the_server_drains_is_answered_and_closed),
        SESSION_TEST(session_refused_only_lingers),
        SESSION_TEST(session_that_is_left_at_the_end_is_discarded),
        SESSION_TEST(session_addresses_are_formatted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
