#include "server/handlers/diagnostics.h"

#include "server/handlers/problem.h"

static void answer_text(struct request *request, struct slice bytes)
{
    struct response *response = &request->exchange->response;
    response->status = HTTP_OK;
    response->media_type = SLICE("text/plain; charset=utf-8");
    response->content = RESPONSE_BYTES;
    response->bytes = bytes;
    response_add_field(response, SLICE("Cache-Control"), SLICE("no-store"));
}

/* The text is in a worker's memory until the response has been sent or copied. */
static void answer_echo(struct request *request)
{
    answer_text(request, request->rest);
}

static void answer_user_agent(struct request *request)
{
    struct slice user_agent = {0};
    (void)head_find(&request->exchange->head, SLICE("User-Agent"), &user_agent);
    answer_text(request, user_agent);
}

static void answer_health(struct request *request)
{
    answer_text(request, SLICE("ok\n"));
}

static void answer_readiness(struct request *request)
{
    const struct site *site = request->site;
    if (!site->is_ready || site->is_ready(site))
        answer_text(request, SLICE("ready\n"));
    else
        problem_answer(request, HTTP_SERVICE_UNAVAILABLE, "The server takes no new work now.");
}

#define READING (METHOD_GET | METHOD_HEAD)

const struct handler echo_handler = {.methods = READING, .answer = answer_echo};
const struct handler user_agent_handler = {.methods = READING, .answer = answer_user_agent};
const struct handler health_handler = {.methods = READING, .answer = answer_health};
const struct handler readiness_handler = {.methods = READING, .answer = answer_readiness};
