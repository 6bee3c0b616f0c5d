#include "server/service.h"

#include "pool/clock.h"
#include "server/auth/authorization.h"
#include "server/cors.h"
#include "server/handlers/conditions.h"
#include "server/handlers/problem.h"
#include "server/log/access_format.h"
#include "server/log/access_log.h"
#include "server/log/error_log.h"
#include "server/router.h"
#include "server/server.h"
#include "server/session.h"
#include "server/visitor.h"
#include "server/worker.h"

#include <sys/socket.h>

/* Logged for a request whose client went away before it was answered, as nginx does it. */
#define STATUS_CLIENT_GONE 499

/* A request keeps the site that it was begun with, whatever is reloaded meanwhile. */
static const struct site *site_of(struct exchange *exchange, const struct worker *worker)
{
    if (!exchange->scope)
        exchange->scope = worker->site;
    return exchange->scope;
}

void service_suspend(struct exchange *exchange)
{
    if (!exchange || !exchange->scope || exchange->holds_scope)
        return;
    site_hold(exchange->scope);
    exchange->holds_scope = true;
}

static struct request request_of(struct exchange *exchange, struct worker *worker)
{
    return (struct request){
        .exchange = exchange,
        .site = site_of(exchange, worker),
        .handler = exchange->kind,
        .client = worker->session->client,
        .now = worker->date_time,
        .waiting_since_us = INT64_MAX,
        .content = text_over(worker->content, worker->content_size),
    };
}

static struct slice local_address(void *context)
{
    struct worker *worker = context;
    if (worker->local_address[0] == '\0') {
        struct sockaddr_storage address = {0};
        socklen_t size = sizeof(address);
        if (getsockname(worker->socket, (struct sockaddr *)&address, &size) != 0)
            return (struct slice){0};
        session_format_address(&address, worker->local_address);
    }
    return slice_from_string(worker->local_address);
}

static enum http_status resolve(struct request *request, struct worker *worker)
{
    return router_resolve(request, worker->path, worker->path_size, local_address, worker);
}

static void answer(struct request *request)
{
    if (request->exchange->head.method == METHOD_OPTIONS) {
        router_answer_options(request);
    } else {
        request->handler->answer(request);
        if (!request->handler->has_validators)
            conditions_judge(request);
    }
    visitor_add_cookie(request);
}

/* What only reads is answered without the handler having seen the content. */
static bool is_for_open(const struct request *request)
{
    return request->handler && request->handler->open &&
           !(request->exchange->head.method & METHODS_SAFE);
}

static void begin_resolved(struct request *request)
{
    struct exchange *exchange = request->exchange;
    if (is_for_open(request)) {
        exchange->kind = request->handler;
        if (request->handler->has_validators || conditions_hold_for_new(request))
            request->handler->open(request);
        return;
    }
    /* Else the answer may have to wait until the content has been read, or until the worker may
     * block in the disk: see complete().
     */
    const struct handler *handler = request->handler;
    exchange->may_block = handler && handler->waits_for_disk && handler->waits_for_disk(request);
    if (!exchange_has_content(exchange) && !exchange->may_block)
        answer(request);
}

/* Notes the time, as exactly as the log shows it. */
static void note_begin(struct exchange *exchange, struct worker *worker)
{
    unsigned needs = access_log_needs(worker->server->access_log);
    struct timespec now = {.tv_sec = worker->date_time};
    if (needs & ACCESS_NEEDS_FRACTION)
        (void)clock_gettime(CLOCK_REALTIME, &now); /* fails for an unknown clock only */
    exchange->began = now.tv_sec;
    exchange->began_fraction_us = (unsigned)now.tv_nsec / 1000;
    exchange->began_clock_us =
        needs & ACCESS_NEEDS_DURATION ? clock_now_us() : worker->lends.now_ms * 1000;
    exchange->queue_wait_us = worker->queue_wait_us;
    worker->queue_wait_us = 0; /* what comes behind it on the connection has not waited */
}

/* The first request of a run has been waiting since the poller saw it, but not if empty lines came
 * before it: then the poller may have seen only these. What comes behind it may have come later.
 */
static int64_t take_waiting_since_us(const struct exchange *exchange, struct worker *worker)
{
    int64_t since_us =
        exchange->head.request_line.offset == 0 ? worker->waiting_since_us : INT64_MAX;
    worker->waiting_since_us = INT64_MAX;
    return since_us;
}

static void begin(struct exchange *exchange, void *context)
{
    struct worker *worker = context;
    note_begin(exchange, worker);
    worker_tell_request(worker, exchange);
    struct request request = request_of(exchange, worker);
    request.waiting_since_us = take_waiting_since_us(exchange, worker);
    enum http_status status = resolve(&request, worker);
    if (status == HTTP_GO_ON)
        status = authorization_check(&request, worker->session->peer, worker->lends.now_ms);
    if (status == HTTP_GO_ON)
        begin_resolved(&request);
    else
        router_refuse(&request, status);
    if (exchange->response.status != HTTP_GO_ON)
        cors_add_fields(&request);
}

static enum http_status content(struct exchange *exchange, struct slice piece, void *context)
{
    (void)context;
    const struct handler *handler = exchange->kind;
    if (!handler)
        return HTTP_GO_ON;
    handler->take(exchange, piece);
    return handler->give_up ? handler->give_up(exchange) : HTTP_GO_ON;
}

static void complete(struct exchange *exchange, void *context)
{
    struct worker *worker = context;
    struct request request = request_of(exchange, worker);
    enum http_status status = resolve(&request, worker);
    bool may_block = exchange->may_block;
    if (status != HTTP_GO_ON)
        router_refuse(&request, status);
    else if (exchange->kind)
        request.handler->complete(&request);
    else
        answer(&request);
    if (may_block) {
        pool_blocking_end(worker->server->pool, worker->number);
        worker_leave_disk(worker);
    }
    cors_add_fields(&request);
}

static void refuse(struct exchange *exchange, enum http_status status, void *context)
{
    struct worker *worker = context;
    struct request request = request_of(exchange, worker);
    if (exchange->began == 0)
        note_begin(exchange, worker);
    if (exchange->head.target.len > 0)
        (void)resolve(&request, worker); /* the route decides on the form of the error */
    problem_answer(&request, status, NULL);
    cors_add_fields(&request);
}

/* --- the log ------------------------------------------------------------------------------- */

static void log_access(const struct exchange *exchange, struct worker *worker)
{
    struct access_log *log = worker->server->access_log;
    const struct connection *connection = &worker->session->connection;
    struct access_entry entry = {
        .head = &exchange->head,
        .client = slice_from_string(worker->session->client),
        .port = worker->site->authorities.port,
        .time = exchange->began,
        .microsecond = exchange->began_fraction_us,
        .status = exchange->answered ? (unsigned)exchange->response.status : STATUS_CLIENT_GONE,
        .body_bytes = exchange_content_sent(exchange),
        .queue_wait_us = (uint64_t)exchange->queue_wait_us,
        .request_number = connection->requests,
        .ending = exchange->broken   ? 'X'
                  : connection->last ? '-'
                                     : '+',
    };
    if (access_log_needs(log) & ACCESS_NEEDS_DURATION)
        entry.duration_us = (uint64_t)(clock_now_us() - exchange->began_clock_us);
    if (access_log_needs(log) & ACCESS_NEEDS_LOCAL)
        entry.local = local_address(worker);
    access_log_write(log, worker->number, &entry);
}

static void end(struct exchange *exchange, void *context)
{
    struct worker *worker = context;
    if (exchange->file_failed)
        error_log(LOG_ERROR, worker->session->client, "a file changed while it was being sent");
    log_access(exchange, worker);
    worker_count_request(worker, exchange->answered ? (unsigned)exchange->response.status : 0,
                         exchange_content_sent(exchange));
    const struct handler *handler = exchange->kind;
    if (handler && exchange->data)
        handler->close(exchange);
    if (exchange->holds_scope)
        site_release(exchange->scope);
}

const struct service service = {
    .begin = begin,
    .content = content,
    .complete = complete,
    .refuse = refuse,
    .end = end,
};
