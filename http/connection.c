#include "http/connection.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A connection's share: so much in one run, then others have their turn. */
#define SHARE_BYTES    524288
#define SHARE_REQUESTS 32

/* One call of connection_run(). */
struct run {
    struct connection *connection;
    struct connection_worker *worker;
    struct input input;
    bool readable;     /* worth a try; epoll tells when it is again */
    bool may_block;    /* for the next step that asks */
    unsigned requests; /* answered in this run */
    uint64_t received_bytes;
    enum connection_next next; /* set when a step has returned false */
};

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
    return connection->state == CONNECTION_HEAD && !connection->exchange;
}

bool connection_is_in_head(const struct connection *connection)
{
    return connection->state == CONNECTION_HEAD && connection->exchange;
}

/* --- the exchange under way ---------------------------------------------------------------- */

static void prepare_response(struct run *run)
{
    struct connection_worker *worker = run->worker;
    response_init(&run->connection->exchange->response, worker->fields, worker->fields_size);
}

/* Takes the worker's spare exchange. Not all of it is cleared: the table of fields is large. */
static bool begin_exchange(struct run *run)
{
    struct connection_worker *worker = run->worker;
    struct exchange *exchange = worker->spare;
    worker->spare = NULL;
    if (!exchange)
        exchange = malloc(sizeof(*exchange));
    if (!exchange)
        return false;
    parser_init(&exchange->parser, &exchange->head);
    exchange->framing = (struct framing){0};
    exchange->content_limit = worker->limits->content_bytes;
    exchange->may_block = false;
    exchange->data = NULL;
    exchange->kind = NULL;
    exchange->output.count = exchange->output.next = 0;
    exchange->output.kept = NULL;
    exchange->output.file = -1;
    exchange->output.sent_bytes = 0;
    exchange->head_copy = NULL;
    exchange->head_sent_len = 0;
    exchange->answered = false;
    exchange->broken = false;
    exchange->file_failed = false;
    run->connection->exchange = exchange;
    run->connection->deadline_ms = worker->now_ms + worker->limits->header_timeout_ms;
    prepare_response(run);
    return true;
}

static void release_exchange(struct connection *connection, struct connection_worker *worker)
{
    struct exchange *exchange = connection->exchange;
    connection->exchange = NULL;
    response_deinit(&exchange->response);
    output_deinit(&exchange->output);
    free(exchange->head_copy);
    if (worker->spare)
        free(exchange);
    else
        worker->spare = exchange;
}

/* The service has seen this exchange if anything was answered, or was to be. */
static void end_exchange(struct connection *connection, struct connection_worker *worker)
{
    worker->service->end(connection->exchange, worker->context);
    release_exchange(connection, worker);
}

/* --- how a step ends ----------------------------------------------------------------------- */

static bool stop(struct run *run, enum connection_next next)
{
    run->next = next;
    return false;
}

static bool wait_until(struct run *run, enum connection_next next, int64_t deadline_ms)
{
    run->connection->deadline_ms = deadline_ms;
    return stop(run, next);
}

static bool go_to(struct run *run, enum connection_state state)
{
    run->connection->state = state;
    return true;
}

static bool break_off(struct run *run, enum connection_next next)
{
    run->connection->exchange->broken = true;
    return stop(run, next);
}

/* Answers an error that leaves the connection in an unknown state: it closes after it. */
static bool refuse(struct run *run, enum http_status status)
{
    struct exchange *exchange = run->connection->exchange;
    response_deinit(&exchange->response);
    prepare_response(run);
    run->worker->service->refuse(exchange, status, run->worker->context);
    exchange->response.close = true;
    return go_to(run, CONNECTION_RESPOND);
}

/* --- steps --------------------------------------------------------------------------------- */

/* Receives once. Returns false when there is nothing to be had now, with *out_result as the
 * transport's: 0 at the end, -1 with errno.
 */
static bool receive(struct run *run, ssize_t *out_result)
{
    *out_result = -1;
    errno = EAGAIN;
    if (!run->readable)
        return false;
    ssize_t n = input_receive(&run->input, run->worker->transport);
    *out_result = n;
    if (n <= 0)
        return false;
    run->received_bytes += (size_t)n;
    run->readable = run->input.end == run->input.size;
    return true;
}

static bool must_wait(ssize_t result)
{
    return result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

static bool begin_request(struct run *run)
{
    struct connection *connection = run->connection;
    struct exchange *exchange = connection->exchange;
    connection->requests++;
    exchange->pace = pace_begin(run->worker->now_ms);

    enum http_status status = framing_read(&exchange->head, &exchange->framing);
    if (status != HTTP_GO_ON)
        return refuse(run, status);
    run->worker->service->begin(exchange, run->worker->context);
    bool has_content = exchange_has_content(exchange);
    if (exchange->response.status != HTTP_GO_ON) {
        exchange->response.close |= has_content;
        return go_to(run, CONNECTION_RESPOND);
    }
    status = body_init(&exchange->body, &exchange->framing, exchange->content_limit);
    if (status != HTTP_GO_ON)
        return refuse(run, status);
    if (!has_content)
        return go_to(run, CONNECTION_COMPLETE);
    bool nothing_came = input_unused(&run->input).len == 0;
    if (!exchange->framing.expect_continue || !nothing_came)
        return go_to(run, CONNECTION_CONTENT);
    output_add(&exchange->output, SLICE("HTTP/1.1 100 Continue\r\n\r\n"), 0, 0);
    return go_to(run, CONNECTION_CONTINUE);
}

/* What came of a head that is wrong or late is used up: nothing behind it may be taken for a
 * request.
 */
static bool refuse_head(struct run *run, enum http_status status)
{
    struct exchange *exchange = run->connection->exchange;
    struct slice bytes = input_unused(&run->input);
    exchange->head.bytes = bytes.data;
    exchange->head.len = bytes.len;
    input_use(&run->input, bytes.len);
    input_hold(&run->input);
    return refuse(run, status);
}

static bool receive_head(struct run *run)
{
    struct connection *connection = run->connection;
    for (;;) {
        struct slice bytes = input_unused(&run->input);
        if (bytes.len > 0) {
            if (!connection->exchange && !begin_exchange(run))
                return stop(run, CONNECTION_END);
            struct exchange *exchange = connection->exchange;
            switch (parser_run(&exchange->parser, &exchange->head, &run->worker->limits->head,
                               bytes.data, bytes.len)) {
            case PARSE_DONE:
                input_use(&run->input, exchange->head.len);
                input_hold(&run->input);
                return begin_request(run);
            case PARSE_BAD:
                return refuse_head(run, parser_status(&exchange->parser));
            case PARSE_MORE:
                break;
            }
        }
        ssize_t result;
        if (receive(run, &result))
            continue;
        /* One that is closing still answers a request that had come in before. */
        bool over = !must_wait(result) || (connection->closing && !connection->exchange);
        return stop(run, over ? CONNECTION_END : CONNECTION_WAIT_READABLE);
    }
}

static bool send_continue(struct run *run)
{
    struct exchange *exchange = run->connection->exchange;
    switch (
        output_send(&exchange->output, run->worker->transport, run->worker->chunk, SHARE_BYTES)) {
    case OUTPUT_DONE:
    case OUTPUT_SHARE:
        output_deinit(&exchange->output);
        return go_to(run, CONNECTION_CONTENT);
    case OUTPUT_BLOCKED:
        return wait_until(run, CONNECTION_WAIT_WRITABLE,
                          run->worker->now_ms + run->worker->limits->write_timeout_ms);
    case OUTPUT_BROKEN:
    case OUTPUT_SHORT:
        break;
    }
    return break_off(run, CONNECTION_END);
}

/* Decodes what has been received. Sets *out_done when that ends the step, its result returned. */
static bool decode_content(struct run *run, bool *out_done)
{
    struct exchange *exchange = run->connection->exchange;
    *out_done = true;
    while (input_unused(&run->input).len > 0) {
        struct slice bytes = input_unused(&run->input);
        struct slice piece = {0};
        size_t used = 0;
        enum parse_outcome outcome =
            body_decode(&exchange->body, bytes.data, bytes.len, &used, &piece);
        input_use(&run->input, used);
        if (outcome == PARSE_BAD)
            return refuse(run, body_status(&exchange->body));
        if (piece.len > 0) {
            enum http_status status =
                run->worker->service->content(exchange, piece, run->worker->context);
            if (status != HTTP_GO_ON)
                return refuse(run, status);
        }
        if (outcome == PARSE_DONE)
            return go_to(run, CONNECTION_COMPLETE);
    }
    *out_done = false;
    return true;
}

static bool receive_content(struct run *run)
{
    struct exchange *exchange = run->connection->exchange;
    const struct connection_limits *limits = run->worker->limits;
    for (;;) {
        bool done;
        bool go_on = decode_content(run, &done);
        if (done)
            return go_on;
        pace_tell(&exchange->pace, exchange->body.content_bytes + exchange->body.framing_bytes,
                  run->worker->now_ms);
        if (run->received_bytes >= SHARE_BYTES)
            return stop(run, CONNECTION_SHARE);
        ssize_t result;
        if (receive(run, &result))
            continue;
        if (!must_wait(result))
            return break_off(run, CONNECTION_END);
        return wait_until(
            run, CONNECTION_WAIT_READABLE,
            pace_deadline_ms(&exchange->pace, limits->body_timeout_ms, limits->min_rate));
    }
}

static bool complete(struct run *run)
{
    struct exchange *exchange = run->connection->exchange;
    if (exchange->may_block && !run->may_block)
        return stop(run, CONNECTION_BLOCK);
    run->may_block = false;
    run->worker->service->complete(exchange, run->worker->context);
    assert(exchange->response.status != HTTP_GO_ON);
    return go_to(run, CONNECTION_RESPOND);
}

static void add_content(struct output *output, struct response *response)
{
    for (unsigned i = 0; i < response->part_count; i++) {
        const struct response_part *part = &response->parts[i];
        output_add(output, part->before, part->offset, part->len);
    }
    if (response->bytes.len > 0)
        output_add(output, response->bytes, 0, 0);
    output->file = response->file;
    response->file = -1; /* the output's now */
}

/* Turns the response into output: its head, and its content unless the method is HEAD. */
static void make_output(struct run *run)
{
    struct connection *connection = run->connection;
    struct exchange *exchange = connection->exchange;
    struct response *response = &exchange->response;
    struct connection_worker *worker = run->worker;

    bool last = connection->requests >= worker->limits->max_requests;
    struct response_frame frame = {
        .date = worker->date,
        .persistent =
            exchange->framing.persistent && !response->close && !connection->closing && !last,
        .requests_left = worker->limits->max_requests + 1 - connection->requests,
        .idle_timeout_s = (unsigned)(worker->limits->idle_timeout_ms / 1000),
    };
    /* A client that has announced to close sends nothing more, so that nothing can be lost. */
    connection->linger = exchange->framing.persistent || response->close;
    connection->closing = !frame.persistent;

    struct text head = text_over(worker->head, worker->head_size);
    response_write_head(response, &frame, &head);
    assert(!head.truncated);
    output_add(&exchange->output, text_slice(&head), 0, 0);
    exchange->head_sent_len = head.len;
    exchange->answered = true;
    exchange->pace = pace_begin(worker->now_ms);
    if (exchange->head.method != METHOD_HEAD)
        add_content(&exchange->output, response);
}

static bool after_response(struct run *run)
{
    struct connection *connection = run->connection;
    struct connection_worker *worker = run->worker;
    end_exchange(connection, worker);
    input_release(&run->input);
    bool unread = input_unused(&run->input).len > 0;
    if (connection->closing) {
        if (!connection->linger && !unread)
            return stop(run, CONNECTION_END);
        worker->transport->finish(worker->transport->context);
        connection->deadline_ms = worker->now_ms + CONNECTION_LINGER_MS;
        return go_to(run, CONNECTION_LINGER);
    }
    connection->state = CONNECTION_HEAD;
    connection->deadline_ms = worker->now_ms + worker->limits->idle_timeout_ms;
    run->readable = false; /* most clients send the next request after they have read this */
    if (unread && ++run->requests >= SHARE_REQUESTS)
        return stop(run, CONNECTION_SHARE);
    return true;
}

/* The transport takes no more now: waits, unless the peer has not got on for too long. What
 * counts is what the peer has acknowledged; the kernel may have taken megabytes more.
 */
static bool wait_for_peer(struct run *run)
{
    struct exchange *exchange = run->connection->exchange;
    const struct transport *transport = run->worker->transport;
    const struct connection_limits *limits = run->worker->limits;

    uint64_t sent = exchange->output.sent_bytes;
    uint64_t on_the_way = transport->unacknowledged(transport->context);
    pace_tell(&exchange->pace, sent > on_the_way ? sent - on_the_way : 0, run->worker->now_ms);
    int64_t deadline_ms =
        pace_deadline_ms(&exchange->pace, limits->write_timeout_ms, limits->min_rate);
    if (deadline_ms <= run->worker->now_ms)
        return break_off(run, CONNECTION_ABORT);
    return wait_until(run, CONNECTION_WAIT_WRITABLE, deadline_ms);
}

static bool respond(struct run *run)
{
    struct exchange *exchange = run->connection->exchange;
    if (!exchange->answered)
        make_output(run);
    switch (
        output_send(&exchange->output, run->worker->transport, run->worker->chunk, SHARE_BYTES)) {
    case OUTPUT_DONE:
        return after_response(run);
    case OUTPUT_BLOCKED:
        return wait_for_peer(run);
    case OUTPUT_SHARE:
        return stop(run, CONNECTION_SHARE);
    case OUTPUT_SHORT: /* closing short is the only way to say so: the length has been sent */
        exchange->file_failed = true;
        break;
    case OUTPUT_BROKEN:
        break;
    }
    return break_off(run, CONNECTION_END);
}

/* Reads and drops, so that the peer can read the last answer: the kernel would reset a connection
 * that is closed with unread bytes in it (RFC 9112 section 9.6).
 */
static bool linger(struct run *run)
{
    struct connection *connection = run->connection;
    for (;;) {
        size_t dropped = input_unused(&run->input).len;
        input_use(&run->input, dropped);
        connection->lingered_bytes += dropped;
        if (connection->lingered_bytes > CONNECTION_LINGER_BYTES)
            return stop(run, CONNECTION_END);
        if (run->received_bytes >= SHARE_BYTES)
            return stop(run, CONNECTION_SHARE);
        ssize_t result;
        run->readable = true;
        if (receive(run, &result))
            continue;
        return stop(run, must_wait(result) ? CONNECTION_WAIT_READABLE : CONNECTION_END);
    }
}

static bool expire(struct run *run)
{
    struct connection *connection = run->connection;
    switch (connection->state) {
    case CONNECTION_HEAD:
        if (!connection->exchange)
            return stop(run, CONNECTION_END);
        return refuse_head(run, HTTP_REQUEST_TIMEOUT);
    case CONNECTION_CONTENT:
        return refuse(run, HTTP_REQUEST_TIMEOUT);
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

/* --- running ------------------------------------------------------------------------------- */

static bool step(struct run *run)
{
    switch (run->connection->state) {
    case CONNECTION_HEAD:
        return receive_head(run);
    case CONNECTION_CONTINUE:
        return send_continue(run);
    case CONNECTION_CONTENT:
        return receive_content(run);
    case CONNECTION_COMPLETE:
        return complete(run);
    case CONNECTION_RESPOND:
        return respond(run);
    case CONNECTION_LINGER:
        return linger(run);
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
        prepare_response(&run); /* its field lines went to another worker's buffer */

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
        end_exchange(connection, worker);
    }
    free(connection->rest.bytes);
    connection->rest = (struct input_rest){0};
}

void connection_worker_deinit(struct connection_worker *worker)
{
    free(worker->spare);
    worker->spare = NULL;
}
