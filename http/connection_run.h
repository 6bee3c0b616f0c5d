/* What the steps of a connection share; private to http/connection*.c.
 *
 * A step does what can be done in one state. It returns true to go on with the next one, or false
 * with run->next set, when the connection has to wait or is at its end.
 */
#ifndef TARN_HTTP_CONNECTION_RUN_H
#define TARN_HTTP_CONNECTION_RUN_H

#include "http/connection.h"

#include <errno.h>

/* A connection's share: so much in one run, then others have their turn. */
#define SHARE_BYTES      524288
#define FAST_SHARE_BYTES 2097152 /* as much as its buffer in the kernel takes at once, mostly */
#define SHARE_REQUESTS   32

/* One call of connection_run(). */
struct run {
    struct connection *connection;
    struct connection_worker *worker;
    struct input input;
    bool readable;     /* worth a try; epoll tells when it is again */
    bool drained;      /* a try has taken all that there was: epoll tells when more comes */
    bool may_block;    /* for the next step that asks */
    unsigned requests; /* answered in this run */
    uint64_t received_bytes;
    enum connection_next next; /* set when a step has returned false */
};

/* --- how a step ends ----------------------------------------------------------------------- */

static inline bool stop(struct run *run, enum connection_next next)
{
    run->next = next;
    return false;
}

static inline bool wait_until(struct run *run, enum connection_next next, int64_t deadline_ms)
{
    run->connection->deadline_ms = deadline_ms;
    return stop(run, next);
}

static inline bool go_to(struct run *run, enum connection_state state)
{
    run->connection->state = state;
    return true;
}

static inline bool break_off(struct run *run, enum connection_next next)
{
    run->connection->exchange->broken = true;
    return stop(run, next);
}

/* Whether a transport's result says that the peer has to be waited for. */
static inline bool must_wait(ssize_t result)
{
    return result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* --- steps --------------------------------------------------------------------------------- */

/* Receiving, connection_request.c. */
bool connection_request_head(struct run *run);
bool connection_request_continue(struct run *run);
bool connection_request_content(struct run *run);
bool connection_request_complete(struct run *run);

/* The peer was too slow with a head, or with content: 408. */
bool connection_request_expire(struct run *run);

/* Points the response's field lines to the buffer of the worker that runs the connection now. */
void connection_request_prepare_response(struct run *run);

/* Receives once. Returns false when there is nothing to be had now, with *out_result as the
 * transport's: 0 at the end, -1 with errno.
 */
bool connection_request_receive(struct run *run, ssize_t *out_result);

/* Sending, connection_response.c. */
bool connection_response_send(struct run *run);
bool connection_response_linger(struct run *run);

/* --- the exchange under way, connection.c -------------------------------------------------- */

/* Ends the exchange, which the service has seen, and gives it back to the worker. */
void connection_end_exchange(struct connection *connection, struct connection_worker *worker);

#endif
