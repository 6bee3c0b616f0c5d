#include "tester/load_thread.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX 256
#define TICK_MS    50 /* how late a timer may be, other than one that is due at once */

struct connection {
    struct driver *driver;
    CURLM *multi;
    struct transfer transfer;
    const struct outgoing *outgoing; /* what the transfer is prepared for */
    uint64_t started_us;
    uint64_t timer_at_us; /* when libcurl wants to be called; 0: it does not */
    int watched;          /* the socket that epoll knows with `events`; -1: none */
    uint32_t events;
    bool is_due; /* in the list of those to be called now */
    struct connection *next_due;
};

/* What a thread works with. */
struct driver {
    struct load_thread *thread;
    int epoll;
    struct connection *connections;
    unsigned active; /* connections that have a request under way */
    struct connection *first_due;
    struct connection **last_due; /* where the next one is to be hung in */
};

uint64_t load_thread_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void fail(struct driver *driver, int error)
{
    if (driver->thread->error == 0)
        driver->thread->error = error;
}

/* --- what libcurl asks for --------------------------------------------------------------- */

static void make_due(struct connection *connection)
{
    struct driver *driver = connection->driver;
    if (connection->is_due)
        return;
    connection->is_due = true;
    connection->next_due = NULL;
    *driver->last_due = connection;
    driver->last_due = &connection->next_due;
}

static struct connection *take_due(struct driver *driver)
{
    struct connection *connection = driver->first_due;
    if (connection == NULL)
        return NULL;
    driver->first_due = connection->next_due;
    if (driver->first_due == NULL)
        driver->last_due = &driver->first_due;
    connection->is_due = false;
    return connection;
}

static int set_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct connection *connection = context;
    (void)multi;
    connection->timer_at_us = 0;
    if (timeout_ms == 0)
        make_due(connection);
    else if (timeout_ms > 0)
        connection->timer_at_us = load_thread_now_us() + (uint64_t)timeout_ms * 1000;
    return 0;
}

/* libcurl takes its interest back after each answer and declares it anew after the next request.
 * So epoll keeps what it knows, which saves two system calls a request; what it tells between
 * requests does no harm. (close() makes epoll forget, but not `watched`: see close_socket().)
 */
static int watch(CURL *handle, curl_socket_t socket, int what, void *context, void *unused)
{
    struct connection *connection = context;
    struct driver *driver = connection->driver;
    uint32_t wanted = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
    (void)handle;
    (void)unused;
    if (what == CURL_POLL_REMOVE || (socket == connection->watched && wanted == connection->events))
        return 0;

    uint64_t index = (uint64_t)(connection - driver->connections);
    struct epoll_event event = {.events = wanted, .data.u64 = index << 32 | (uint32_t)socket};
    int result = epoll_ctl(driver->epoll, EPOLL_CTL_ADD, socket, &event);
    if (result != 0 && errno == EEXIST)
        result = epoll_ctl(driver->epoll, EPOLL_CTL_MOD, socket, &event);
    if (result != 0)
        fail(driver, errno);
    connection->watched = socket;
    connection->events = wanted;
    return 0;
}

/* For a connection that has no request any more: that the server closes it is of no interest. */
static void unwatch(struct connection *connection)
{
    if (connection->watched >= 0)
        (void)epoll_ctl(connection->driver->epoll, EPOLL_CTL_DEL, connection->watched, NULL);
    connection->watched = -1;
}

static int close_socket(void *context, curl_socket_t socket)
{
    struct connection *connection = context;
    if (connection->watched == socket)
        connection->watched = -1;
    return close(socket);
}

/* --- requests ---------------------------------------------------------------------------- */

/* The next request to be sent, NULL when none is left. */
static const struct outgoing *take_next(struct load *load)
{
    if (atomic_load_explicit(load->interrupted, memory_order_relaxed))
        return NULL;
    uint64_t number = atomic_fetch_add_explicit(&load->next, 1, memory_order_relaxed);
    return number < load->total ? &load->outgoing[number % load->outgoing_count] : NULL;
}

static int prepare(struct connection *connection, const struct outgoing *outgoing)
{
    struct transfer *transfer = &connection->transfer;
    if (connection->outgoing == outgoing)
        return 0;
    connection->outgoing = outgoing;
    if (transfer_prepare(transfer, outgoing, &connection->driver->thread->load->rules) != 0)
        return -1;
    unsigned failed = curl_easy_setopt(transfer->handle, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    failed |= curl_easy_setopt(transfer->handle, CURLOPT_CLOSESOCKETDATA, connection);
    return failed == 0 ? 0 : -1;
}

/* Begins the next request; libcurl makes the connection due, and sends it then. */
static void begin_request(struct connection *connection, uint64_t now_us)
{
    struct driver *driver = connection->driver;
    const struct outgoing *outgoing = take_next(driver->thread->load);
    if (outgoing == NULL) {
        unwatch(connection);
        return;
    }
    connection->started_us = now_us;
    if (prepare(connection, outgoing) != 0 ||
        curl_multi_add_handle(connection->multi, connection->transfer.handle) != CURLM_OK)
        fail(driver, ENOMEM);
    else
        driver->active++;
}

static void print_code(const struct connection *connection, CURLcode code)
{
    const struct plan_request *request = connection->outgoing->request;
    long status = 0;
    (void)curl_easy_getinfo(connection->transfer.handle, CURLINFO_RESPONSE_CODE, &status);
    (void)fprintf(stderr, "%3ld %s %s%s%s\n", status, request->method, request->url,
                  code == CURLE_OK ? "" : " ", code == CURLE_OK ? "" : curl_easy_strerror(code));
}

static void end_request(struct connection *connection, CURLcode code, uint64_t now_us)
{
    struct load_thread *thread = connection->driver->thread;
    CURL *handle = connection->transfer.handle;
    tally_add(&thread->tally, &connection->outgoing->request->expect, handle, code,
              now_us - connection->started_us);
    if (thread->load->debug)
        print_code(connection, code);
    (void)curl_multi_remove_handle(connection->multi, handle); /* it is in there */
    connection->driver->active--;
    atomic_fetch_add_explicit(&thread->done, 1, memory_order_relaxed);
}

/* Lets libcurl work on a connection; if that ends its request, the next one begins. */
static void advance(struct connection *connection, curl_socket_t socket, int events)
{
    int ignored;
    if (curl_multi_socket_action(connection->multi, socket, events, &ignored) != CURLM_OK)
        fail(connection->driver, ENOMEM);
    const CURLMsg *message = curl_multi_info_read(connection->multi, &ignored);
    if (message == NULL || message->msg != CURLMSG_DONE)
        return;
    uint64_t now_us = load_thread_now_us();
    end_request(connection, message->data.result, now_us);
    begin_request(connection, now_us);
}

/* --- the loop ---------------------------------------------------------------------------- */

static void advance_due(struct driver *driver)
{
    struct connection *connection = take_due(driver);
    if (connection != NULL)
        advance(connection, CURL_SOCKET_TIMEOUT, 0);
}

static int curl_events(uint32_t events)
{
    return (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
           (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
}

/* After each answer the next request is sent at once, but a connection that has always something
 * to do does not keep the others waiting.
 */
static void advance_ready(struct driver *driver)
{
    struct epoll_event events[EVENTS_MAX];
    int patience_ms = driver->first_due != NULL ? 0 : TICK_MS;
    int count = epoll_wait(driver->epoll, events, EVENTS_MAX, patience_ms);
    if (count < 0 && errno != EINTR)
        fail(driver, errno);
    for (int i = 0; i < count; i++) {
        uint64_t data = events[i].data.u64;
        advance(&driver->connections[data >> 32], (curl_socket_t)(data & UINT32_MAX),
                curl_events(events[i].events));
        advance_due(driver);
    }
    advance_due(driver);
}

static void check_timers(struct driver *driver, uint64_t *last_us)
{
    uint64_t now_us = load_thread_now_us();
    if (now_us - *last_us < (uint64_t)TICK_MS * 1000)
        return;
    *last_us = now_us;
    for (unsigned i = 0; i < driver->thread->connection_count; i++) {
        struct connection *connection = &driver->connections[i];
        if (connection->timer_at_us != 0 && connection->timer_at_us <= now_us) {
            connection->timer_at_us = 0;
            make_due(connection);
        }
    }
}

static void run(struct driver *driver)
{
    uint64_t last_us = load_thread_now_us();
    for (unsigned i = 0; i < driver->thread->connection_count; i++)
        begin_request(&driver->connections[i], last_us);
    while (driver->active > 0 && driver->thread->error == 0) {
        advance_ready(driver);
        check_timers(driver, &last_us);
    }
}

/* --- start and end ----------------------------------------------------------------------- */

static int init_connection(struct connection *connection, struct driver *driver)
{
    *connection = (struct connection){.driver = driver, .watched = -1};
    connection->multi = curl_multi_init();
    if (connection->multi == NULL || transfer_init(&connection->transfer) != 0)
        return -1;
    CURLM *multi = connection->multi;
    unsigned failed = 0;
    failed |= (unsigned)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch);
    failed |= (unsigned)curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, connection);
    failed |= (unsigned)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
    failed |= (unsigned)curl_multi_setopt(multi, CURLMOPT_TIMERDATA, connection);
    failed |= (unsigned)curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1L);
    return failed == 0 ? 0 : -1;
}

static void deinit_connection(struct connection *connection)
{
    if (connection->multi != NULL && connection->transfer.handle != NULL)
        (void)curl_multi_remove_handle(connection->multi, connection->transfer.handle);
    transfer_deinit(&connection->transfer);
    (void)curl_multi_cleanup(connection->multi); /* NULL is refused, no more */
}

static int init_driver(struct driver *driver)
{
    unsigned count = driver->thread->connection_count;
    driver->last_due = &driver->first_due;
    driver->epoll = epoll_create1(EPOLL_CLOEXEC);
    driver->connections = calloc(count, sizeof *driver->connections);
    if (driver->epoll < 0 || driver->connections == NULL)
        return -1;
    for (unsigned i = 0; i < count; i++) {
        if (init_connection(&driver->connections[i], driver) != 0)
            return -1;
    }
    return 0;
}

void *load_thread_main(void *argument)
{
    struct load_thread *thread = argument;
    struct driver driver = {.thread = thread};
    if (init_driver(&driver) == 0)
        run(&driver);
    else
        fail(&driver, errno != 0 ? errno : ENOMEM);
    for (unsigned i = 0; driver.connections != NULL && i < thread->connection_count; i++)
        deinit_connection(&driver.connections[i]);
    free(driver.connections);
    if (driver.epoll >= 0)
        (void)close(driver.epoll); /* nothing was written */
    atomic_store(&thread->has_ended, true);
    return NULL;
}
