#include "server/listener.h"

#include "http/date.h"
#include "pool/clock.h"
#include "server/log/error_log.h"
#include "server/session.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long a push may wait for room in the queue. */
#define PUSH_WAIT_MS 5

/* How long accepting pauses when descriptors or memory are exhausted and no connection closes. */
#define PAUSE_MS 100

/* Connections above the limit whose room is still being made. */
#define EVICTIONS_MAX 64

/* Refused connections that may linger at a time; more are closed at once. */
#define REFUSED_MAX         256

#define WARNING_INTERVAL_MS 1000

struct listener {
    /* Constant after create. */
    struct server *server;
    int kick_fd;

    /* The starter's. */
    int socket;
    pthread_t thread;
    bool running;

    atomic_bool stopping;

    /* The listener's thread only. */
    int64_t warned_ms;
    unsigned refused; /* since that warning */
};

static void kick(void *context)
{
    struct listener *listener = context;
    uint64_t one = 1;
    /* EAGAIN means that the counter is full: the listener is being kicked already. */
    (void)!write(listener->kick_fd, &one, sizeof(one));
}

struct listener *listener_create(struct server *server, int socket)
{
    struct listener *listener = calloc(1, sizeof(*listener));
    if (!listener)
        return NULL;
    listener->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (listener->kick_fd < 0) {
        free(listener);
        return NULL;
    }
    listener->server = server;
    listener->socket = socket;
    server->relieved = kick;
    server->relieved_context = listener;
    return listener;
}

/* --- refusing ------------------------------------------------------------------------------ */

static void warn_saturated(struct listener *listener, const char *why)
{
    struct server *server = listener->server;
    int64_t now_ms = clock_now_ms();
    if (listener->warned_ms != 0 && now_ms - listener->warned_ms < WARNING_INTERVAL_MS)
        return;
    struct pool_figures figures;
    pool_figures(server->pool, &figures);
    error_log(LOG_WARN, NULL,
              "saturated (%s): %u refused, queue %zu of %zu, most so far %zu, workers %u running "
              "and %u in the disk of %u, connections %zu of %zu",
              why, listener->refused, figures.queue.queued, server->queue_capacity,
              figures.queue.queued_most, figures.queue.running, figures.queue.blocking,
              server->worker_count, atomic_load(&server->connections),
              atomic_load(&server->connections_max));
    listener->warned_ms = now_ms;
    listener->refused = 0;
}

/* Sends the refusal without waiting: it fits the empty buffer of a new socket. */
static void send_refusal(int socket)
{
    char date[DATE_LEN + 1], fields[64], buffer[512];
    struct response response;
    response_init(&response, fields, sizeof(fields));
    response.status = HTTP_SERVICE_UNAVAILABLE;
    response.media_type = SLICE("text/plain; charset=utf-8");
    response.content = RESPONSE_BYTES;
    response.bytes = SLICE("503 Service Unavailable: The server is busy; try again soon.\n");
    response_add_field(&response, SLICE("Retry-After"), SLICE("1"));
    date_format(time(NULL), date);
    struct response_frame frame = {.date = {date, DATE_LEN}};
    struct text text = text_over(buffer, sizeof(buffer));
    response_write_head(&response, &frame, &text);
    text_append(&text, response.bytes);
    (void)send(socket, text.data, text.len, MSG_NOSIGNAL | MSG_DONTWAIT); /* or it is gone */
    (void)shutdown(socket, SHUT_WR);
}

/* Answers 503. The connection lingers in the parked set, so that its answer can be read. */
static void refuse(struct listener *listener, int socket, const struct sockaddr_storage *peer,
                   const char *why)
{
    struct server *server = listener->server;
    listener->refused++;
    warn_saturated(listener, why);
    send_refusal(socket);
    struct session *session = NULL;
    if (atomic_load(&server->refused) < REFUSED_MAX)
        session = session_create_refused(socket, peer);
    if (session) {
        atomic_fetch_add(&server->refused, 1);
        if (pool_park(server->pool, &session->item) == 0)
            return;
        atomic_fetch_sub(&server->refused, 1);
        free(session);
    }
    (void)close(socket); /* refused: what it sent is of no interest */
}

/* --- admitting ----------------------------------------------------------------------------- */

/* Whether there is room for the newest connection, which has been counted, or somebody has been
 * told to make it.
 */
static bool find_room(struct server *server)
{
    size_t limit = atomic_load(&server->connections_max);
    size_t connections = atomic_load(&server->connections);
    return connections <= limit ||
           (connections <= limit + EVICTIONS_MAX && pool_evict(server->pool));
}

/* Hands a counted connection to the pool. Returns NULL, or why that is not possible; then the
 * socket is still the caller's.
 */
static const char *hand_over(struct listener *listener, int socket,
                             const struct sockaddr_storage *peer)
{
    struct server *server = listener->server;
    if (!find_room(server))
        return "connection limit";
    struct session *session = session_create(socket, peer, atomic_load(&server->idle_timeout_ms));
    if (!session)
        return "out of memory";
    enum queue_push_result result = pool_push(server->pool, &session->item, PUSH_WAIT_MS);
    if (result == QUEUE_OK)
        return NULL;
    free(session);
    return result == QUEUE_FULL ? "queue full" : "stopping";
}

static void admit(struct listener *listener, int socket, const struct sockaddr_storage *address)
{
    struct server *server = listener->server;
    struct peer peer = peer_of(address);
    if (!server_connection_opened(server, peer)) {
        refuse(listener, socket, address, "connections of one peer");
        return;
    }
    const char *why_not = hand_over(listener, socket, address);
    if (why_not) {
        server_connection_closed(server, peer, false);
        refuse(listener, socket, address, why_not);
    }
}

static void take_kicks(struct listener *listener)
{
    uint64_t kicks;
    (void)!read(listener->kick_fd, &kicks, sizeof(kicks)); /* EAGAIN: nobody kicked */
}

/* Waits for a kick, or a while: accepting again at once would fail again. */
static void pause_accepting(struct listener *listener)
{
    struct pollfd kicked = {.fd = listener->kick_fd, .events = POLLIN};
    (void)poll(&kicked, 1, PAUSE_MS);
    take_kicks(listener);
}

/* Descriptors or memory are exhausted: a connection that closes ends the pause. */
static void make_room(struct listener *listener)
{
    struct server *server = listener->server;
    warn_saturated(listener, "out of descriptors or memory");
    atomic_store(&server->starved, true); /* before a connection closes, so that it kicks */
    (void)pool_evict(server->pool);
    pause_accepting(listener);
    atomic_store(&server->starved, false);
}

/* Accepts one. Returns false when there is none to be had now. */
static bool accept_one(struct listener *listener)
{
    struct sockaddr_storage peer = {0};
    socklen_t size = sizeof(peer);
    int socket =
        accept4(listener->socket, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0) {
        admit(listener, socket, &peer);
        return true;
    }
    switch (errno) {
    case EAGAIN:
        return false;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        make_room(listener);
        return false;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
        error_log_errno(LOG_ERROR, errno, NULL, "cannot accept connections");
        pause_accepting(listener);
        return false;
    default:
        return true; /* that one connection failed before it was accepted: accept(2) */
    }
}

static void *listen_loop(void *argument)
{
    struct listener *listener = argument;
    struct pollfd ready[] = {
        {.fd = listener->socket, .events = POLLIN},
        {.fd = listener->kick_fd, .events = POLLIN},
    };
    while (!atomic_load(&listener->stopping)) {
        (void)poll(ready, 2, -1); /* EINTR: then accept4() says that there is nothing */
        if (ready[1].revents & POLLIN)
            take_kicks(listener);
        while (!atomic_load(&listener->stopping) && accept_one(listener))
            ;
    }
    return NULL;
}

int listener_socket(const struct listener *listener)
{
    return listener->socket;
}

int listener_start(struct listener *listener)
{
    errno = pthread_create(&listener->thread, NULL, listen_loop, listener);
    listener->running = errno == 0;
    return listener->running ? 0 : -1;
}

void listener_stop(struct listener *listener)
{
    atomic_store(&listener->stopping, true);
    kick(listener);
    if (listener->running) {
        int error = pthread_join(listener->thread, NULL);
        assert(error == 0);
        (void)error;
    }
    listener->running = false;
    if (listener->socket >= 0)
        (void)close(listener->socket); /* nothing has been sent over it */
    listener->socket = -1;
}

void listener_destroy(struct listener *listener)
{
    if (!listener)
        return;
    /* kick_fd stays in use as long as connections close: the server's pool must be gone. */
    (void)close(listener->kick_fd);
    free(listener);
}
