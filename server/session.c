#include "server/session.h"

#include "pool/clock.h"
#include "server/server.h"
#include "server/service.h"
#include "server/worker.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void session_format_address(const struct sockaddr_storage *address, char out[INET6_ADDRSTRLEN])
{
    const void *bytes = &((const struct sockaddr_in *)address)->sin_addr;
    int family = AF_INET;
    if (address->ss_family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
        bytes = IN6_IS_ADDR_V4MAPPED(six) ? (const void *)&six->s6_addr[12] : six;
        family = IN6_IS_ADDR_V4MAPPED(six) ? AF_INET : AF_INET6;
    }
    if (!inet_ntop(family, bytes, out, INET6_ADDRSTRLEN))
        memcpy(out, "-", 2); /* another family: does not come in here */
}

static struct session *create(int socket, const struct sockaddr_storage *peer)
{
    struct session *session = calloc(1, sizeof(*session));
    if (!session)
        return NULL;
    session->item.fd = socket;
    session->peer = peer_of(peer);
    session_format_address(peer, session->client);
    return session;
}

struct session *session_create(int socket, const struct sockaddr_storage *peer,
                               int64_t idle_timeout_ms)
{
    struct session *session = create(socket, peer);
    if (session)
        connection_init(&session->connection, clock_now_ms(), idle_timeout_ms);
    return session;
}

struct session *session_create_refused(int socket, const struct sockaddr_storage *peer)
{
    struct session *session = create(socket, peer);
    if (!session)
        return NULL;
    session->refused = true;
    connection_init_lingering(&session->connection, clock_now_ms());
    session->item.interest = POOL_READABLE;
    session->item.rank = POOL_KEEP;
    session->item.deadline_ms = session->connection.deadline_ms;
    return session;
}

static void close_session(struct session *session, struct worker *worker)
{
    struct server *server = worker->server;
    connection_deinit(&session->connection, &worker->lends);
    /* A client that sees the end may come back at once, and must not be counted twice. */
    server_connection_closed(server, session->peer, session->refused);
    (void)close(session->item.fd); /* what the kernel still has to send it goes on sending */
    server_relieve(server);
    free(session);
}

/* Throws away what the kernel has not sent yet, and tells the peer by a reset. */
static void reset_on_close(int socket)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof(now)); /* then a usual close */
}

static enum connection_event event_of(enum pool_event event)
{
    switch (event) {
    case POOL_NEW:
    case POOL_READY:
    case POOL_CONTINUED:
    case POOL_DRAINED: /* it ends, unless a request has come in that epoll has not told of yet */
        return CONNECTION_GO;
    case POOL_MAY_BLOCK:
        return CONNECTION_MAY_BLOCK;
    case POOL_EXPIRED:
        return CONNECTION_EXPIRED;
    case POOL_EVICTED:
    case POOL_UNPARKABLE:
        break;
    }
    return CONNECTION_LEAVE;
}

static enum pool_next park(struct session *session, enum pool_interest interest)
{
    session->item.interest = interest;
    session->item.deadline_ms = session->connection.deadline_ms;
    session->item.rank = POOL_KEEP;
    if (connection_is_idle(&session->connection))
        session->item.rank = POOL_EVICT_FIRST;
    else if (connection_is_in_head(&session->connection))
        session->item.rank = POOL_EVICT_SECOND;
    return POOL_PARK;
}

/* What shall happen to a session that has run. One that has ended is freed. */
static enum pool_next settle(struct session *session, struct worker *worker,
                             enum connection_next next)
{
    service_suspend(session->connection.exchange);
    switch (next) {
    case CONNECTION_WAIT_READABLE:
        return park(session, POOL_READABLE);
    case CONNECTION_WAIT_WRITABLE:
        return park(session, POOL_WRITABLE);
    case CONNECTION_SHARE:
        return POOL_AGAIN;
    case CONNECTION_BLOCK:
        return POOL_BLOCK;
    case CONNECTION_ABORT:
        reset_on_close(session->item.fd);
        break;
    case CONNECTION_END:
        break;
    }
    close_session(session, worker);
    return POOL_GONE;
}

/* By when the next request had come in, or its beginning, if the poller has seen it come. */
static int64_t waiting_since_us(const struct session *session, enum pool_event event)
{
    bool for_request = event == POOL_READY && session->connection.state == CONNECTION_HEAD;
    return for_request ? session->item.came_us : INT64_MAX;
}

enum pool_next session_run(struct pool_item *item, enum pool_event event, unsigned number,
                           void *context)
{
    struct session *session = (struct session *)item;
    struct worker *worker = server_worker(context, number);
    worker->waiting_since_us = waiting_since_us(session, event);
    worker_take_up(worker, session);
    if (event == POOL_MAY_BLOCK)
        worker_enter_disk(worker);
    enum connection_next next =
        connection_run(&session->connection, &worker->lends, event_of(event));
    /* Closing still logs the exchange under way, and needs the session for it. */
    enum pool_next answer = settle(session, worker, next);
    worker_put_down(worker);
    return answer;
}

void session_discard(struct pool_item *item, void *context)
{
    struct session *session = (struct session *)item;
    struct worker *worker = server_worker(context, 0);
    worker_take_up(worker, session);
    close_session(session, worker);
    worker_put_down(worker);
}
