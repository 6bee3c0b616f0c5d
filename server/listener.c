#include "server/listener.h"

#include "pool/clock.h"
#include "server/log/error_log.h"
#include "server/refusals.h"
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

/* How long room in the queue is waited for, one connection after the other, since the last that had
 * not to wait: a burst of a thousand, or a disk that keeps the workers for a moment, is waited for,
 * as the kernel keeps the rest of it meanwhile; a flood is not.
 */
#define ROOM_PATIENCE_MS 250

/* How long accepting pauses when descriptors or memory are exhausted and no connection closes. */
#define PAUSE_MS 100

/* How many are accepted before they are handed over. */
#define BATCH   32

#define REST_NS 500000

/* Connections above the limit whose room is still being made. */
#define EVICTIONS_MAX 64

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
    struct refusals refusals;
    int64_t full_since_ms; /* when room had to be waited for first; 0: not the last time */
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
    listener->refusals.server = server;
    listener->socket = socket;
    server->relieved = kick;
    server->relieved_context = listener;
    return listener;
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

/* A connection that has been accepted. */
struct arrival {
    int socket;
    struct sockaddr_storage peer;
};

/* Counts a connection and makes its session. Returns NULL if it has been refused. */
static struct session *admit(struct listener *listener, const struct arrival *arrival)
{
    struct server *server = listener->server;
    struct peer peer = peer_of(&arrival->peer);
    if (!server_connection_opened(server, peer)) {
        refusals_add(&listener->refusals, arrival->socket, &arrival->peer,
                     "connections of one peer", false);
        return NULL;
    }
    const char *why_not = "connection limit";
    if (find_room(server)) {
        struct session *session =
            session_create(arrival->socket, &arrival->peer, atomic_load(&server->idle_timeout_ms));
        if (session)
            return session;
        why_not = "out of memory";
    }
    server_connection_closed(server, peer, false);
    refusals_add(&listener->refusals, arrival->socket, &arrival->peer, why_not, true);
    return NULL;
}

/* Hands a session over, for which there was no room a moment ago. */
static void push(struct listener *listener, struct session *session, const struct arrival *arrival,
                 unsigned wait_ms)
{
    struct server *server = listener->server;
    enum queue_push_result result = pool_push(server->pool, &session->item, wait_ms);
    if (result == QUEUE_OK)
        return;
    server_connection_closed(server, session->peer, false);
    free(session);
    refusals_add(&listener->refusals, arrival->socket, &arrival->peer,
                 result == QUEUE_FULL ? "queue full" : "stopping", true);
}

/* How long the next one may wait for room. */
static unsigned room_wait_ms(const struct listener *listener)
{
    int64_t left_ms = listener->full_since_ms + ROOM_PATIENCE_MS - clock_now_ms();
    return left_ms > 0 && !refusals_go_on(&listener->refusals) ? (unsigned)left_ms : 0;
}

/* Together, so that the queue's lock is taken once and a worker is woken once for all of them. */
static void admit_all(struct listener *listener, const struct arrival arrivals[], size_t count)
{
    struct pool_item *items[BATCH];
    const struct arrival *arrival_of[BATCH];
    size_t admitted = 0;
    for (size_t i = 0; i < count; i++) {
        struct session *session = admit(listener, &arrivals[i]);
        if (!session)
            continue;
        items[admitted] = &session->item;
        arrival_of[admitted++] = &arrivals[i];
    }
    size_t pushed = pool_push_some(listener->server->pool, items, admitted);
    if (pushed == admitted)
        listener->full_since_ms = 0;
    else if (listener->full_since_ms == 0)
        listener->full_since_ms = clock_now_ms();
    for (size_t i = pushed; i < admitted; i++)
        push(listener, (struct session *)items[i], arrival_of[i], room_wait_ms(listener));
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
    refusals_warn(&listener->refusals, "out of descriptors or memory");
    atomic_store(&server->starved, true); /* before a connection closes, so that it kicks */
    (void)pool_evict(server->pool);
    pause_accepting(listener);
    atomic_store(&server->starved, false);
}

/* Accepts one. Returns false when there is none to be had now; *out_socket is -1 if just this one
 * cannot be had.
 */
static bool accept_one(struct listener *listener, struct arrival *out)
{
    socklen_t size = sizeof(out->peer);
    out->socket = accept4(listener->socket, (struct sockaddr *)&out->peer, &size,
                          SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (out->socket >= 0)
        return true;
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

/* Accepts what there is, a batch at the most. Returns whether there may be more. */
static bool accept_batch(struct listener *listener)
{
    struct arrival arrivals[BATCH];
    size_t count = 0;
    bool more = true;
    while (count < BATCH && more) {
        more = accept_one(listener, &arrivals[count]);
        count += more && arrivals[count].socket >= 0;
    }
    admit_all(listener, arrivals, count);
    return more;
}

/* While connections wait for a worker, others may as well wait to be accepted: so that they come in
 * batches, and the listener does not take the CPU from the workers for each of them.
 */
static void rest(struct listener *listener)
{
    struct pollfd kicked = {.fd = listener->kick_fd, .events = POLLIN};
    const struct timespec a_while = {.tv_nsec = REST_NS};
    if (pool_is_busy(listener->server->pool))
        (void)ppoll(&kicked, 1, &a_while, NULL); /* the kick is taken later */
}

static void *listen_loop(void *argument)
{
    struct listener *listener = argument;
    struct pollfd ready[] = {
        {.fd = listener->socket, .events = POLLIN},
        {.fd = listener->kick_fd, .events = POLLIN},
    };
    while (!atomic_load(&listener->stopping)) {
        /* EINTR: then accept4() says that there is nothing. */
        (void)poll(ready, 2, refusals_wait_ms(&listener->refusals));
        refusals_tell(&listener->refusals);
        if (ready[1].revents & POLLIN)
            take_kicks(listener);
        while (!atomic_load(&listener->stopping) && accept_batch(listener))
            ;
        rest(listener);
    }
    refusals_end(&listener->refusals);
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
