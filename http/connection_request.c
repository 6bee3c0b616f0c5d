#include "http/connection_run.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* So much may come behind a head before it is answered: what a client sends ahead is kept in memory
 * if it does not read.
 */
#define PIPELINED_BYTES 4096

void connection_request_prepare_response(struct run *run)
{
    struct connection_worker *worker = run->worker;
    response_init(&run->connection->exchange->response, worker->fields, worker->fields_size);
}

/* Answers an error that leaves the connection in an unknown state: it closes after it. */
static bool refuse(struct run *run, enum http_status status)
{
    struct exchange *exchange = run->connection->exchange;
    response_deinit(&exchange->response);
    connection_request_prepare_response(run);
    run->worker->service->refuse(exchange, status, run->worker->context);
    exchange->response.close = true;
    return go_to(run, CONNECTION_RESPOND);
}

bool connection_request_receive(struct run *run, ssize_t *out_result)
{
    *out_result = -1;
    errno = EAGAIN;
    if (!run->readable)
        return false;
    size_t most = SIZE_MAX;
    if (run->connection->state == CONNECTION_HEAD)
        most = run->worker->limits->head.head_bytes + PIPELINED_BYTES;
    ssize_t n = input_receive(&run->input, run->worker->transport, most);
    *out_result = n;
    if (n <= 0)
        return false;
    run->received_bytes += (size_t)n;
    /* Who goes on to wait tries once more: something else than the end of what there was may have
     * cut this short. After a whole request it is no use.
     */
    run->drained = !input_is_full(&run->input, most);
    return true;
}

/* --- the head ------------------------------------------------------------------------------ */

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
    exchange->scope = NULL;
    exchange->holds_scope = false;
    output_init(&exchange->output);
    exchange->head_copy = NULL;
    exchange->waited = false;
    exchange->head_sent_len = 0;
    exchange->answered = false;
    exchange->broken = false;
    exchange->file_failed = false;
    exchange->began = 0;
    run->connection->exchange = exchange;
    connection_request_prepare_response(run);
    return true;
}

static bool begin_request(struct run *run)
{
    struct connection *connection = run->connection;
    struct exchange *exchange = connection->exchange;
    connection->requests++;
    connection->in_head = false;
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
    run->connection->requests++;
    run->connection->in_head = false;
    return refuse(run, status);
}

/* Empty lines before a request are nothing to hurry for: old clients send one after a POST. */
static void note_begin(struct run *run, struct slice bytes)
{
    struct connection *connection = run->connection;
    if (connection->in_head ||
        !parser_has_begun(&connection->exchange->parser, bytes.data, bytes.len))
        return;
    connection->in_head = true;
    connection->deadline_ms = run->worker->now_ms + run->worker->limits->header_timeout_ms;
}

bool connection_request_head(struct run *run)
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
                note_begin(run, bytes);
                break;
            }
        }
        ssize_t result;
        if (connection_request_receive(run, &result))
            continue;
        /* One that is closing still answers a request that had come in before. */
        bool over = !must_wait(result) || (connection->closing && !connection->in_head);
        return stop(run, over ? CONNECTION_END : CONNECTION_WAIT_READABLE);
    }
}

/* --- the content --------------------------------------------------------------------------- */

bool connection_request_continue(struct run *run)
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

bool connection_request_content(struct run *run)
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
        if (connection_request_receive(run, &result))
            continue;
        if (result < 0 && errno == ENOBUFS)
            return stop(run, CONNECTION_SHARE); /* the head fills the memory: it is put aside */
        if (!must_wait(result))
            return break_off(run, CONNECTION_END);
        return wait_until(
            run, CONNECTION_WAIT_READABLE,
            pace_deadline_ms(&exchange->pace, limits->body_timeout_ms, limits->min_rate));
    }
}

bool connection_request_complete(struct run *run)
{
    struct exchange *exchange = run->connection->exchange;
    if (exchange->may_block && !run->may_block)
        return stop(run, CONNECTION_BLOCK);
    run->may_block = false;
    run->worker->service->complete(exchange, run->worker->context);
    assert(exchange->response.status != HTTP_GO_ON);
    return go_to(run, CONNECTION_RESPOND);
}

bool connection_request_expire(struct run *run)
{
    if (run->connection->state == CONNECTION_HEAD)
        return refuse_head(run, HTTP_REQUEST_TIMEOUT);
    return refuse(run, HTTP_REQUEST_TIMEOUT);
}
