#include "http/connection_run.h"

#include <assert.h>

/* A peer reads fast that has taken so much of a response, at such a rate: 134 Mbit/s. */
#define FAST_BYTES        4194304
#define FAST_BYTES_PER_MS 16384

static_assert(1 + RESPONSE_PARTS_MAX + 1 <= OUTPUT_PIECES_MAX, "a head, the parts, what ends them");

static void add_content(struct output *output, struct response *response)
{
    for (unsigned i = 0; i < response->part_count; i++) {
        const struct response_part *part = &response->parts[i];
        output_add(output, part->before, part->offset, part->len);
    }
    if (response->bytes.len > 0)
        output_add(output, response->bytes, 0, 0);
    /* Both are the output's from now on. */
    output->file = response->file;
    response->file = -1;
    output->owned = response->owned;
    if (response->owned || response->bytes_last)
        output->lasting = response->bytes;
    response->owned = NULL;
}

/* The buffers are large enough for all that the server says; if a handler says more, half a head
 * must not be sent.
 */
static void give_up_head(struct connection *connection)
{
    struct slice head = SLICE("HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n"
                              "Content-Length: 0\r\n\r\n");
    output_add(&connection->exchange->output, head, 0, 0);
    connection->exchange->head_sent_len = head.len;
    connection->exchange->response.status = HTTP_INTERNAL_SERVER_ERROR;
    connection->last = true;
}

/* Turns the response into output: its head, and its content unless the method is HEAD. */
static void make_output(struct run *run)
{
    struct connection *connection = run->connection;
    struct exchange *exchange = connection->exchange;
    struct response *response = &exchange->response;
    struct connection_worker *worker = run->worker;

    bool is_last = connection->requests >= worker->limits->max_requests;
    struct response_frame frame = {
        .date = worker->date,
        .persistent = exchange->framing.persistent && !response->close && !connection->closing &&
                      !connection->parting && !is_last,
        .requests_left = worker->limits->max_requests + 1 - connection->requests,
        .idle_timeout_s = (unsigned)(worker->limits->idle_timeout_ms / 1000),
    };
    /* A client that has announced to close sends nothing more, so that nothing can be lost. */
    connection->linger = exchange->framing.persistent || response->close;
    connection->last = !frame.persistent;

    struct text head = text_over(worker->head, worker->head_size);
    response_write_head(response, &frame, &head);
    exchange->answered = true;
    exchange->answered_ms = worker->now_ms;
    if (head.truncated || response->fields.truncated) {
        give_up_head(connection);
        return;
    }
    output_add(&exchange->output, text_slice(&head), 0, 0);
    exchange->head_sent_len = head.len;
    if (exchange->head.method != METHOD_HEAD)
        add_content(&exchange->output, response);
}

static void treat_as_fast(struct run *run, bool fast)
{
    const struct transport *transport = run->worker->transport;
    if (run->connection->fast == fast)
        return;
    run->connection->fast = fast;
    transport->hold_more(transport->context, fast);
}

/* Whoever reads fast is served by few and large calls, into a buffer that the kernel goes on
 * sending from whenever the peer acknowledges, as long as the response goes out at such a rate:
 * that takes a sixth off the CPU time of a download.
 */
static void judge_peer(struct run *run)
{
    const struct exchange *exchange = run->connection->exchange;
    uint64_t sent = exchange->output.sent_bytes;
    int64_t elapsed_ms = run->worker->now_ms - exchange->answered_ms;
    treat_as_fast(run, sent >= FAST_BYTES && (int64_t)(sent / FAST_BYTES_PER_MS) >= elapsed_ms);
}

static bool after_response(struct run *run)
{
    struct connection *connection = run->connection;
    struct connection_worker *worker = run->worker;
    connection_end_exchange(connection, worker);
    treat_as_fast(run, false);
    input_release(&run->input);
    bool unread = input_unused(&run->input).len > 0;
    if (connection->last) {
        if (!connection->linger && !unread)
            return stop(run, CONNECTION_END);
        worker->transport->finish(worker->transport->context);
        connection->deadline_ms = worker->now_ms + CONNECTION_LINGER_MS;
        return go_to(run, CONNECTION_LINGER);
    }
    connection->state = CONNECTION_HEAD;
    connection->deadline_ms = worker->now_ms + worker->limits->idle_timeout_ms;
    /* Most clients send the next request after they have read this answer, so that a look is in
     * vain if one has found all that there was. But before a connection closes that has not said
     * so, it looks again.
     */
    run->readable = connection->closing || !run->drained;
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

    /* The kernel may still hold bytes of earlier responses. */
    uint64_t sent = run->connection->sent_bytes + exchange->output.sent_bytes;
    uint64_t on_the_way = transport->unacknowledged(transport->context);
    uint64_t acknowledged = sent > on_the_way ? sent - on_the_way : 0;
    if (!exchange->waited) {
        exchange->waited = true;
        exchange->acknowledged = acknowledged;
        exchange->pace = pace_begin(run->worker->now_ms);
    }
    if (acknowledged > exchange->acknowledged)
        pace_tell(&exchange->pace, acknowledged - exchange->acknowledged, run->worker->now_ms);
    int64_t deadline_ms =
        pace_deadline_ms(&exchange->pace, limits->write_timeout_ms, limits->min_rate);
    if (deadline_ms <= run->worker->now_ms)
        return break_off(run, CONNECTION_ABORT);
    return wait_until(run, CONNECTION_WAIT_WRITABLE, deadline_ms);
}

bool connection_response_send(struct run *run)
{
    struct exchange *exchange = run->connection->exchange;
    if (!exchange->answered)
        make_output(run);
    uint64_t share_bytes = run->connection->fast ? FAST_SHARE_BYTES : SHARE_BYTES;
    switch (
        output_send(&exchange->output, run->worker->transport, run->worker->chunk, share_bytes)) {
    case OUTPUT_DONE:
        return after_response(run);
    case OUTPUT_BLOCKED:
        judge_peer(run);
        return wait_for_peer(run);
    case OUTPUT_SHARE:
        judge_peer(run);
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
bool connection_response_linger(struct run *run)
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
        if (connection_request_receive(run, &result))
            continue;
        return stop(run, must_wait(result) ? CONNECTION_WAIT_READABLE : CONNECTION_END);
    }
}
