#include "tests/support/conversation.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_SIZE  (2 * CONVERSATION_HEAD_BYTES)
#define FIELDS_SIZE 256
#define HEAD_SIZE   1024
#define CHUNK_SIZE  512
#define LENT_SIZE   (INPUT_SIZE + HEAD_SIZE + FIELDS_SIZE + CHUNK_SIZE)

/* More runs than any test needs: a connection that goes round in circles. */
#define RUNS_MAX 10000000

/* --- the service --------------------------------------------------------------------------- */

/* The content of a request so far: what the answer repeats of it. */
struct content {
    size_t len;
    char bytes[1024];
};

/* A rule of the service has been broken. */
static void expect(bool condition)
{
    if (!condition)
        abort();
}

static bool asks_for(const struct exchange *exchange, const char *target)
{
    return slice_equal(head_slice(&exchange->head, exchange->head.target),
                       slice_from_string(target));
}

static uint64_t limit_of(struct slice target, uint64_t otherwise)
{
    uint64_t limit = otherwise;
    struct slice prefix = SLICE("/limit-");
    if (slice_starts_with(target, prefix))
        (void)slice_to_u64((struct slice){target.data + prefix.len, target.len - prefix.len},
                           &limit);
    return limit;
}

static void answer_bytes(struct exchange *exchange, struct slice bytes)
{
    exchange->response.status = HTTP_OK;
    exchange->response.media_type = SLICE("text/plain");
    exchange->response.content = RESPONSE_BYTES;
    exchange->response.bytes = bytes;
}

/* Without memory for the content there is nothing to repeat it from. */
static void answer_repetition(struct exchange *exchange)
{
    const struct content *content = exchange->data;
    size_t size = sizeof(content->bytes) + CONVERSATION_HEAD_BYTES;
    exchange->response.owned = malloc(size);
    if (!exchange->response.owned) {
        exchange->response.status = HTTP_SERVICE_UNAVAILABLE;
        exchange->response.content = RESPONSE_BYTES;
        return;
    }
    struct text text = text_over(exchange->response.owned, size);
    text_append(&text, head_slice(&exchange->head, exchange->head.method_name));
    text_append_char(&text, ' ');
    text_append(&text, head_slice(&exchange->head, exchange->head.target));
    text_append_char(&text, ' ');
    if (content)
        text_append(&text, (struct slice){content->bytes, content->len});
    answer_bytes(exchange, text_slice(&text));
}

static void answer_parts(struct response *response, const struct conversation *talk)
{
    response->status = HTTP_PARTIAL_CONTENT;
    response_set_file(response, fcntl(talk->file, F_DUPFD_CLOEXEC, 0), 0, 1);
    response->parts[0].before = SLICE("[first:");
    response->parts[1] = (struct response_part){SLICE("][second:"), 1, 200};
    response->parts[2] = (struct response_part){SLICE("][third:"), 300, 2};
    response->part_count = 3;
    response->bytes = SLICE("]");
}

static void answer(struct exchange *exchange, const struct conversation *talk)
{
    struct response *response = &exchange->response;
    if (asks_for(exchange, "/empty")) {
        response->status = HTTP_NO_CONTENT;
    } else if (asks_for(exchange, "/file")) {
        response->status = HTTP_OK;
        response_set_file(response, fcntl(talk->file, F_DUPFD_CLOEXEC, 0), talk->file_offset,
                          talk->file_bytes);
    } else if (asks_for(exchange, "/parts")) {
        answer_parts(response, talk);
    } else if (asks_for(exchange, "/borrowed")) {
        answer_bytes(exchange, head_slice(&exchange->head, exchange->head.request_line));
    } else {
        answer_repetition(exchange);
    }
    if (asks_for(exchange, "/lines"))
        response_add_field(response, SLICE("X-Line"), SLICE("of the handler"));
    response->close |= asks_for(exchange, "/close");
}

static void begin(struct exchange *exchange, void *context)
{
    struct conversation *talk = context;
    expect(!talk->under_way);
    talk->under_way = exchange;
    talk->calls.begin++;
    exchange->content_limit =
        limit_of(head_slice(&exchange->head, exchange->head.target), exchange->content_limit);
    if (asks_for(exchange, "/block"))
        exchange->may_block = true;
    if (asks_for(exchange, "/early")) {
        answer_bytes(exchange, SLICE("early"));
        exchange->response.status = HTTP_NOT_FOUND;
    } else if (!exchange_has_content(exchange) && !exchange->may_block) {
        answer(exchange, talk);
    }
}

static enum http_status take(struct exchange *exchange, struct slice piece, void *context)
{
    struct conversation *talk = context;
    expect(talk->under_way == exchange && piece.len > 0);
    talk->calls.content++;
    talk->calls.content_bytes += piece.len;
    if (asks_for(exchange, "/wrong"))
        return HTTP_BAD_REQUEST;
    struct content *content = exchange->data;
    if (!content)
        exchange->data = content = calloc(1, sizeof(*content));
    if (!content)
        return HTTP_SERVICE_UNAVAILABLE;
    size_t room = sizeof(content->bytes) - content->len;
    size_t len = piece.len < room ? piece.len : room;
    memcpy(content->bytes + content->len, piece.data, len);
    content->len += len;
    return HTTP_GO_ON;
}

static void complete(struct exchange *exchange, void *context)
{
    struct conversation *talk = context;
    expect(talk->under_way == exchange);
    talk->calls.complete++;
    answer(exchange, talk);
}

static void refuse(struct exchange *exchange, enum http_status status, void *context)
{
    struct conversation *talk = context;
    expect(!talk->under_way || talk->under_way == exchange);
    expect(exchange->response.status == HTTP_GO_ON);
    talk->under_way = exchange;
    talk->calls.refuse++;
    talk->calls.refused = status;
    answer_bytes(exchange, http_status_reason(status));
    exchange->response.status = status;
}

/* What it sees of the request must be intact to the end: a log is written here. */
static void end(struct exchange *exchange, void *context)
{
    struct conversation *talk = context;
    expect(talk->under_way == exchange);
    talk->under_way = NULL;
    talk->calls.end++;
    talk->calls.status = exchange->answered ? exchange->response.status : HTTP_GO_ON;
    talk->calls.content_sent = exchange_content_sent(exchange);
    talk->calls.broken = exchange->broken;
    talk->calls.file_failed = exchange->file_failed;
    struct slice line = head_slice(&exchange->head, exchange->head.request_line);
    expect(line.len == 0 || memchr(line.data, '#', line.len) == NULL);
    free(exchange->data);
    exchange->data = NULL;
}

static const struct service service = {
    .begin = begin,
    .content = take,
    .complete = complete,
    .refuse = refuse,
    .end = end,
};

/* --- the workers --------------------------------------------------------------------------- */

/* Whatever is still borrowed from a worker reads as '#' from now on. */
static void overwrite(struct conversation *talk, unsigned worker)
{
    memset(talk->lent[worker], '#', LENT_SIZE);
}

/* Nothing may be written to what a worker has lent to an earlier run. */
static bool is_untouched(const struct conversation *talk, unsigned worker)
{
    const char *lent = talk->lent[worker];
    return lent[0] == '#' && memcmp(lent, lent + 1, LENT_SIZE - 1) == 0;
}

static void init_worker(struct conversation *talk, unsigned number)
{
    char *lent = malloc(LENT_SIZE);
    expect(lent);
    talk->lent[number] = lent;
    talk->workers[number] = (struct connection_worker){
        .limits = &talk->limits,
        .service = &service,
        .context = talk,
        .transport = &talk->transport,
        .date = SLICE(CONVERSATION_DATE),
        .input = lent,
        .input_size = INPUT_SIZE,
        .head = lent + INPUT_SIZE,
        .head_size = HEAD_SIZE,
        .fields = lent + INPUT_SIZE + HEAD_SIZE,
        .fields_size = FIELDS_SIZE,
        .chunk = {lent + INPUT_SIZE + HEAD_SIZE + FIELDS_SIZE, CHUNK_SIZE},
    };
    overwrite(talk, number);
}

/* --- the conversation ---------------------------------------------------------------------- */

void conversation_init(struct conversation *talk)
{
    *talk = (struct conversation){
        .limits =
            {
                .head = {.head_bytes = CONVERSATION_HEAD_BYTES, .head_fields = 20},
                .max_requests = CONVERSATION_MAX_REQUESTS,
                .idle_timeout_ms = CONVERSATION_IDLE_TIMEOUT_MS,
                .header_timeout_ms = CONVERSATION_HEADER_TIMEOUT_MS,
                .body_timeout_ms = CONVERSATION_BODY_TIMEOUT_MS,
                .write_timeout_ms = CONVERSATION_WRITE_TIMEOUT_MS,
                .content_bytes = CONVERSATION_CONTENT_BYTES,
            },
        .now_ms = 1000000,
        .file = -1,
    };
    memory_transport_init(&talk->peer);
    talk->transport = memory_transport(&talk->peer, true);
    for (unsigned i = 0; i < CONVERSATION_WORKERS; i++)
        init_worker(talk, i);
    connection_init(&talk->connection, talk->now_ms, talk->limits.idle_timeout_ms);
}

static void hang_up(struct conversation *talk)
{
    if (!talk->over)
        connection_deinit(&talk->connection, &talk->workers[talk->runs % CONVERSATION_WORKERS]);
    talk->over = true;
    expect(!talk->under_way);
}

void conversation_deinit(struct conversation *talk)
{
    hang_up(talk);
    for (unsigned i = 0; i < CONVERSATION_WORKERS; i++) {
        connection_worker_deinit(&talk->workers[i]);
        free(talk->lent[i]);
    }
    memory_transport_deinit(&talk->peer);
}

void conversation_restart(struct conversation *talk)
{
    hang_up(talk);
    memory_transport_reset(&talk->peer);
    talk->calls = (struct conversation_calls){0};
    talk->runs = 0;
    talk->over = false;
    connection_init(&talk->connection, talk->now_ms, talk->limits.idle_timeout_ms);
}

void conversation_run(struct conversation *talk, enum connection_event event)
{
    expect(!talk->over && talk->runs < RUNS_MAX);
    unsigned number = talk->runs % CONVERSATION_WORKERS;
    struct connection_worker *worker = &talk->workers[number];
    worker->now_ms = talk->now_ms;
    talk->next = connection_run(&talk->connection, worker, event);
    if (talk->next == CONNECTION_END || talk->next == CONNECTION_ABORT)
        hang_up(talk);
    overwrite(talk, number);
    for (unsigned i = 0; i < CONVERSATION_WORKERS; i++)
        expect(is_untouched(talk, i));
    talk->runs++;
}

void conversation_go(struct conversation *talk)
{
    enum connection_event event = CONNECTION_GO;
    while (!talk->over) {
        conversation_run(talk, event);
        event = talk->next == CONNECTION_BLOCK ? CONNECTION_MAY_BLOCK : CONNECTION_GO;
        if (talk->next == CONNECTION_WAIT_READABLE && !memory_transport_is_readable(&talk->peer))
            return;
        if (talk->next == CONNECTION_WAIT_WRITABLE) {
            if (talk->window == 0)
                return;
            talk->peer.room = talk->window;
        }
    }
}

void conversation_say(struct conversation *talk, const char *bytes)
{
    memory_transport_feed(&talk->peer, slice_from_string(bytes));
    conversation_go(talk);
}

const char *conversation_heard(struct conversation *talk)
{
    return memory_transport_output(&talk->peer).data;
}
