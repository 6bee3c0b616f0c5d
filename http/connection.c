#include "http/connection_run.h"

#include <stdlib.h>
#include <string.h>

void connection_init(struct connection *connection, int64_t now_ms, int64_t idle_timeout_ms)
{
    *connection =
        (struct connection){.state = CONNECTION_HEAD, .deadline_ms = now_ms + idle_timeout_ms};
}

void connection_init_lingering(struct connection *connection, int64_t now_ms)
{
    *connection = (struct connection){.state = CONNECTION_LINGER,
                                      .deadline_ms = now_ms + CONNECTION_LINGER_MS};
}

bool connection_is_idle(const struct connection *connection)
{
    return connection->state == CONNECTION_HEAD && !connection->in_head;
}

bool connection_is_in_head(const struct connection *connection)
{
    return connection->state == CONNECTION_HEAD && connection->in_head;
}

/* --- the exchange under way ---------------------------------------------------------------- */

static void release_exchange(struct connection *connection, struct connection_worker *worker)
{
    struct exchange *exchange = connection->exchange;
    connection->exchange = NULL;
    connection->sent_bytes += exchange->output.sent_bytes;
    response_deinit(&exchange->response);
    output_deinit(&exchange->output);
    free(exchange->head_copy);
    if (worker->spare)
        free(exchange);
    else
        worker->spare = exchange;
}

void connection_end_exchange(struct connection *connection, struct connection_worker *worker)
{
    worker->service->end(connection->exchange, worker->context);
    release_exchange(connection, worker);
}

/* --- running ------------------------------------------------------------------------------- */

static bool expire(struct run *run)
{
    struct connection *connection = run->connection;
    switch (connection->state) {
    case CONNECTION_HEAD:
    case CONNECTION_CONTENT:
        if (connection_is_idle(connection))
            return stop(run, CONNECTION_END);
        return connection_request_expire(run);
    case CONNECTION_CONTINUE:
        return break_off(run, CONNECTION_ABORT);
    case CONNECTION_LINGER:
        return stop(run, CONNECTION_END);
    case CONNECTION_COMPLETE:
    case CONNECTION_RESPOND:
        break; /* wait_for_peer() looks whether the peer has got on */
    }
    return true;
}

static bool step(struct run *run)
{
    switch (run->connection->state) {
    case CONNECTION_HEAD:
        return connection_request_head(run);
    case CONNECTION_CONTINUE:
        return connection_request_continue(run);
    case CONNECTION_CONTENT:
        return connection_request_content(run);
    case CONNECTION_COMPLETE:
        return connection_request_complete(run);
    case CONNECTION_RESPOND:
        return connection_response_send(run);
    case CONNECTION_LINGER:
        return connection_response_linger(run);
    }
    return stop(run, CONNECTION_END);
}

/* Copies all that is still needed out of the worker's buffers. */
static bool suspend(struct run *run)
{
    struct connection *connection = run->connection;
    struct exchange *exchange = connection->exchange;
    if (input_suspend(&run->input, &connection->rest) != 0)
        return false;
    if (!exchange || connection->state == CONNECTION_HEAD)
        return true;
    if (!exchange->head_copy && exchange->head.len > 0) {
        exchange->head_copy = malloc(exchange->head.len);
        if (!exchange->head_copy)
            return false;
        memcpy(exchange->head_copy, exchange->head.bytes, exchange->head.len);
        exchange->head.bytes = exchange->head_copy;
    }
    return output_keep(&exchange->output) == 0;
}

enum connection_next connection_run(struct connection *connection, struct connection_worker *worker,
                                    enum connection_event event)
{
    if (event == CONNECTION_LEAVE)
        return CONNECTION_END;
    struct run run = {
        .connection = connection,
        .worker = worker,
        .input = input_resume(worker->input, worker->input_size, &connection->rest),
        .readable = true,
        .may_block = event == CONNECTION_MAY_BLOCK,
    };
    if (connection->exchange && !connection->exchange->answered)
        connection_request_prepare_response(
            &run); /* its field lines went to another worker's buffer */

    bool go_on = event != CONNECTION_EXPIRED || expire(&run);
    while (go_on)
        go_on = step(&run);
    if (run.next == CONNECTION_END || run.next == CONNECTION_ABORT)
        return run.next;
    return suspend(&run) ? run.next : CONNECTION_END;
}

void connection_deinit(struct connection *connection, struct connection_worker *worker)
{
    if (connection->exchange && connection->state == CONNECTION_HEAD) {
        release_exchange(connection, worker); /* the service has not heard of it */
    } else if (connection->exchange) {
        connection->exchange->broken = true;
        connection_end_exchange(connection, worker);
    }
    free(connection->rest.bytes);
    connection->rest = (struct input_rest){0};
}

void connection_worker_deinit(struct connection_worker *worker)
{
    free(worker->spare);
    worker->spare = NULL;
}
