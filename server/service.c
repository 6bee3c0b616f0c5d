#include "server/service.h"

#include "http/precondition.h"
#include "server/cors.h"
#include "server/handlers/problem.h"
#include "server/log/access_log.h"
#include "server/log/error_log.h"
#include "server/router.h"
#include "server/server.h"
#include "server/session.h"
#include "server/visitor.h"
#include "server/worker.h"

#include <string.h>
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

/* Preconditions where the handler has nothing to compare with: what is read is there, but has no
 * entity tag; what is posted becomes something that is not there yet (RFC 9110 section 13.2).
 * Answers, and returns false, if they do not hold.
 */
static bool meets_preconditions(struct request *request)
{
    struct exchange *exchange = request->exchange;
    struct validators validators = {.exists = !request->handler->open};
    if (request->handler->has_validators)
        return true;
    enum http_status status = precondition_check(&exchange->head, &validators, request->now);
    if (status == HTTP_NOT_MODIFIED)
        exchange->response.status = status;
    else if (status != HTTP_GO_ON)
        problem_answer(request, status, problem_detail(status));
    return status == HTTP_GO_ON;
}

static void answer(struct request *request)
{
    if (request->exchange->head.method == METHOD_OPTIONS)
        router_answer_options(request);
    else if (meets_preconditions(request))
        request->handler->answer(request);
    visitor_add_cookie(request);
}

static void begin_resolved(struct request *request)
{
    struct exchange *exchange = request->exchange;
    if (request->handler && request->handler->open && exchange->head.method != METHOD_OPTIONS) {
        exchange->kind = request->handler;
        if (meets_preconditions(request))
            request->handler->open(request);
    } else if (!exchange_has_content(exchange)) {
        answer(request);
    } /* else the answer has to wait until the content has been read: see complete() */
}

static void begin(struct exchange *exchange, void *context)
{
    struct worker *worker = context;
    exchange->began = worker->date_time;
    worker_tell_request(worker, exchange);
    struct request request = request_of(exchange, worker);
    enum http_status status = resolve(&request, worker);
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
    if (handler)
        handler->take(exchange, piece);
    return HTTP_GO_ON;
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
        worker_read_clocks(worker); /* the peer must not pay for the time that the disk took */
    }
    cors_add_fields(&request);
}

static void refuse(struct exchange *exchange, enum http_status status, void *context)
{
    struct worker *worker = context;
    struct request request = request_of(exchange, worker);
    if (exchange->began == 0)
        exchange->began = worker->date_time;
    if (exchange->head.target.len > 0)
        (void)resolve(&request, worker); /* the route decides on the form of the error */
    problem_answer(&request, status, problem_detail(status));
    cors_add_fields(&request);
}

/* --- the log ------------------------------------------------------------------------------- */

/* What there is of a request line that was wrong, or too late, to be parsed. */
static struct slice broken_line(const struct head *head)
{
    const char *end = head->bytes ? memchr(head->bytes, '\r', head->len) : NULL;
    const char *feed = head->bytes ? memchr(head->bytes, '\n', head->len) : NULL;
    size_t len = head->len;
    if (end)
        len = (size_t)(end - head->bytes);
    if (feed && (size_t)(feed - head->bytes) < len)
        len = (size_t)(feed - head->bytes);
    return (struct slice){head->bytes, len};
}

static void log_access(const struct exchange *exchange, struct worker *worker)
{
    struct access_entry entry = {
        .client = slice_from_string(worker->session->client),
        .time = exchange->began,
        .request_line = head_slice(&exchange->head, exchange->head.request_line),
        .status = exchange->answered ? (unsigned)exchange->response.status : STATUS_CLIENT_GONE,
        .body_bytes = exchange_content_sent(exchange),
    };
    if (entry.request_line.len == 0)
        entry.request_line = broken_line(&exchange->head);
    (void)head_find(&exchange->head, SLICE("Referer"), &entry.referer);
    (void)head_find(&exchange->head, SLICE("User-Agent"), &entry.user_agent);
    access_log_write(worker->server->access_log, worker->number, &entry);
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
