/* What a worker tells of its work, and how the snapshot shows it. The pool's threads do not run. */
#include "server/snapshot.h"

#include "pool/clock.h"
#include "server/log/error_log.h"
#include "server/session.h"
#include "server/worker.h"
#include "tests/unit/site_fixture.h"

#include <sys/socket.h>

static struct server *server;
static struct access_log *access_log;
static struct session session = {.client = "192.0.2.7"};
static struct exchange exchange;

static int begin(void **state)
{
    if (fixture_setup(state) != 0)
        return -1;
    struct fixture *fixture = *state;
    fixture_write("a.conf", SITE_FIXTURE_KEYS "pool = { workers = 2; queue = 8; };");
    assert_int_equal(fixture_load(fixture, "a.conf", NULL), 0);
    assert_int_equal(error_log_open("error.log", LOG_INFO), 0);
    access_log = access_log_open("off", "combined", 2);
    struct site *site = site_fixture_open(fixture, 8080);
    server = server_create(site, access_log);
    assert_non_null(server);
    site_release(site);
    session.connection = (struct connection){0};
    exchange = (struct exchange){0};
    return 0;
}

static int end(void **state)
{
    server_destroy(server);
    access_log_close(access_log);
    error_log_close();
    return fixture_teardown(state);
}

#define SNAPSHOT_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

/* A request with this first line, and the first bytes of its response. */
static void begin_exchange(const char *line)
{
    exchange.head.bytes = line;
    exchange.head.len = strlen(line);
    exchange.head.request_line.offset = 0;
    exchange.head.request_line.len = (uint16_t)strlen(line);
    exchange.response.content = RESPONSE_BYTES;
    exchange.response.bytes = SLICE("0123456789");
    exchange.answered = true;
    exchange.head_sent_len = 100;
    exchange.output.sent_bytes = 104;
}

static const struct worker_status *status_of(unsigned number)
{
    static struct worker_status status;
    worker_status(server_worker(server, number), &status);
    return &status;
}

static void worker_tells_what_it_does(void **state)
{
    struct worker *worker = server_worker(server, 1);
    (void)state;
    assert_false(status_of(1)->busy);
    int64_t before_ms = clock_now_ms();
    worker_take_up(worker, &session);
    assert_true(status_of(1)->busy);
    assert_false(status_of(0)->busy);
    assert_in_range(status_of(1)->since_ms, before_ms, clock_now_ms());
    assert_string_equal(status_of(1)->client, "192.0.2.7");
    assert_string_equal(status_of(1)->request, "");

    begin_exchange("GET /a HTTP/1.1");
    worker_tell_request(worker, &exchange);
    assert_string_equal(status_of(1)->request, "GET /a HTTP/1.1");
    assert_int_equal(status_of(1)->content_bytes, 10);
    assert_int_equal(status_of(1)->sent_bytes, 4);

    worker_put_down(worker);
    assert_false(status_of(1)->busy);
    worker_take_up(worker, &session); /* nothing is left of the request before */
    assert_string_equal(status_of(1)->request, "");
    assert_int_equal(status_of(1)->content_bytes, 0);
    assert_int_equal(status_of(1)->sent_bytes, 0);
    worker_put_down(worker);
}

/* Also while the kernel keeps the thread: what has been sent before is told before each piece. */
static void worker_tells_what_it_sends(void **state)
{
    struct worker *worker = server_worker(server, 1);
    int ends[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    session.item.fd = ends[0];
    worker_take_up(worker, &session);
    begin_exchange("GET /a HTTP/1.1");
    session.connection.exchange = &exchange;
    exchange.output.sent_bytes = 107;
    struct iovec part = {.iov_base = "789", .iov_len = 3};
    assert_int_equal(worker->transport.send(worker->transport.context, &part, 1, false), 3);
    assert_int_equal(status_of(1)->content_bytes, 10);
    assert_int_equal(status_of(1)->sent_bytes, 7);
    worker_put_down(worker);
    session.connection.exchange = NULL;
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

static void worker_tells_when_it_is_in_the_disk(void **state)
{
    struct worker *worker = server_worker(server, 1);
    (void)state;
    worker_take_up(worker, &session);
    assert_false(status_of(1)->in_disk);
    worker_enter_disk(worker);
    assert_true(status_of(1)->in_disk);
    worker_leave_disk(worker);
    assert_false(status_of(1)->in_disk);
    worker_enter_disk(worker);
    worker_put_down(worker);
    worker_take_up(worker, &session);
    assert_false(status_of(1)->in_disk);
    worker_put_down(worker);
}

static void worker_knows_how_long_the_session_has_waited(void **state)
{
    struct worker *worker = server_worker(server, 1);
    (void)state;
    session.item.ready_us = clock_now_us() - 5000000;
    worker_take_up(worker, &session);
    assert_in_range(worker->queue_wait_us, 5000000, 5000000 + INT64_C(600000000));
    worker_put_down(worker);
    worker_take_up(worker, &session); /* it has run on without waiting */
    assert_int_equal(worker->queue_wait_us, 0);
    worker_put_down(worker);
}

static void worker_cuts_a_long_request_line(void **state)
{
    static const size_t lengths[] = {94, 95, 96, 4000};
    const size_t room = sizeof(((struct worker_status *)0)->request) - 1;
    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        char line[4001];
        memset(line, 'x', lengths[i]);
        line[lengths[i]] = '\0';
        begin_exchange(line);
        worker_tell_request(server_worker(server, 0), &exchange);
        size_t expected = lengths[i] < room ? lengths[i] : room;
        assert_int_equal(strlen(status_of(0)->request), expected);
        assert_memory_equal(status_of(0)->request, line, expected);
    }
}

static void worker_of_a_draining_server_closes(void **state)
{
    struct worker *worker = server_worker(server, 0);
    (void)state;
    worker_take_up(worker, &session);
    assert_false(session.connection.closing);
    worker_put_down(worker);
    server_drain(server);
    worker_take_up(worker, &session);
    assert_true(session.connection.closing);
    worker_put_down(worker);
}

/* What the log has now. */
static const char *read_log(void)
{
    static char bytes[8192];
    FILE *file = fopen("error.log", "r");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof(bytes) - 1, file);
    assert_int_equal(fclose(file), 0);
    bytes[len] = '\0';
    return bytes;
}

static void assert_logged(const char *text)
{
    if (!strstr(read_log(), text))
        fail_msg("not logged: %s\nbut: %s", text, read_log());
}

static void snapshot_has_the_pool_and_each_worker(void **state)
{
    (void)state;
    atomic_store(&server->connections, 5);
    atomic_store(&server->refused, 3);
    worker_take_up(server_worker(server, 1), &session);
    snapshot_log(server);
    assert_logged("snapshot: queue 0 of 8, most so far 0, ");
    assert_logged("in the disk of 2; connections 5: 0 idle, 0 in a head, 0 busy; "
                  "refused ones lingering 3; log lines dropped 0\n");
    assert_logged("[-] snapshot: worker 0 waits\n");
    assert_logged("[192.0.2.7] snapshot: worker 1 runs for ");
    assert_logged(" ms with a connection, begun ");
    assert_logged(" ms ago, 0 of 0 bytes\n");

    begin_exchange("GET /a HTTP/1.1");
    worker_tell_request(server_worker(server, 1), &exchange);
    worker_enter_disk(server_worker(server, 1));
    snapshot_log(server);
    assert_logged("[192.0.2.7] snapshot: worker 1 is in the disk for ");
    assert_logged(" ms with GET /a HTTP/1.1, begun ");
    assert_logged(" ms ago, 4 of 10 bytes\n");
    worker_put_down(server_worker(server, 1));
}

/* It has been asked for. */
static void snapshot_is_written_whatever_the_level(void **state)
{
    static const enum log_level levels[] = {LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG};
    (void)state;
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        assert_int_equal(truncate("error.log", 0), 0);
        error_log_close();
        assert_int_equal(error_log_open("error.log", levels[i]), 0);
        snapshot_log(server);
        assert_logged(levels[i] < LOG_INFO ? "[error]" : "[info]");
        assert_logged("snapshot: worker 1 waits\n");
    }
}

/* What is set in the timer stands for time that has passed. */
static void snapshot_timer_logs_what_is_due(void **state)
{
    struct fixture *fixture = *state;
    struct snapshot_timer timer = {0};
    assert_int_equal(snapshot_timer_run(&timer, server), INT64_MAX); /* switched off */
    fixture_write("b.conf", SITE_FIXTURE_KEYS "log = { snapshot_interval = 60; };"
                                              "pool = { workers = 2; queue = 8; };");
    assert_int_equal(fixture_load(fixture, "b.conf", NULL), 0);
    struct site *site = site_fixture_open(fixture, 8080);
    server_set_site(server, site);
    site_release(site);

    int64_t before_ms = clock_now_ms();
    int64_t due_ms = snapshot_timer_run(&timer, server);
    assert_in_range(due_ms, before_ms + 60000, clock_now_ms() + 60000);
    assert_int_equal(snapshot_timer_run(&timer, server), due_ms);
    assert_null(strstr(read_log(), "snapshot"));
    timer.due_ms = clock_now_ms();
    assert_in_range(snapshot_timer_run(&timer, server), before_ms + 60000, clock_now_ms() + 60000);
    assert_logged("snapshot: worker 1 waits\n");
    timer.due_ms = clock_now_ms() + 7200000; /* the interval was longer before a reload */
    assert_in_range(snapshot_timer_run(&timer, server), before_ms + 60000, clock_now_ms() + 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SNAPSHOT_TEST(worker_tells_what_it_does),
        SNAPSHOT_TEST(worker_tells_what_it_sends),
        SNAPSHOT_TEST(worker_tells_when_it_is_in_the_disk),
        SNAPSHOT_TEST(worker_knows_how_long_the_session_has_waited),
        SNAPSHOT_TEST(worker_cuts_a_long_request_line),
        SNAPSHOT_TEST(worker_of_a_draining_server_closes),
        SNAPSHOT_TEST(snapshot_has_the_pool_and_each_worker),
        SNAPSHOT_TEST(snapshot_is_written_whatever_the_level),
        SNAPSHOT_TEST(snapshot_timer_logs_what_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
