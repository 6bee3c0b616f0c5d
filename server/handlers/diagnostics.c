#include "server/handlers/diagnostics.h"

#include "server/handlers/problem.h"
#include "server/store/store.h"

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

static void append_share(struct text *text, uint64_t used, uint64_t limit, struct slice unit)
{
    text_append_u64(text, used);
    text_append(text, SLICE(" of "));
    text_append_u64(text, limit);
    text_append(text, unit);
}

/* A line that says how full a store is, if it has limits that are its own. */
static void append_usage(struct text *text, struct slice name, struct store *store)
{
    struct store_usage usage;
    if (!store)
        return;
    store_usage(store, &usage);
    if (!usage.is_known)
        return;
    text_append(text, name);
    if (usage.max_files > 0)
        append_share(text, usage.files, usage.max_files, SLICE(" files"));
    if (usage.max_files > 0 && usage.max_bytes > 0)
        text_append(text, SLICE(", "));
    if (usage.max_bytes > 0)
        append_share(text, usage.bytes, usage.max_bytes, SLICE(" bytes"));
    text_append_char(text, '\n');
}

static const char *explain_unreadiness(const struct site *site)
{
    bool is_full = (site->store && store_check_space(site->store, 0) != 0) ||
                   (site->files && store_check_space(site->files, 0) != 0);
    return is_full ? "The server has no room for more." : "The server takes no new work now.";
}

static void answer_readiness(struct request *request)
{
    const struct site *site = request->site;
    if (site->is_ready && !site->is_ready(site)) {
        problem_answer(request, HTTP_SERVICE_UNAVAILABLE, explain_unreadiness(site));
        return;
    }
    struct text *text = &request->content;
    text_append(text, SLICE("ready\n"));
    append_usage(text, SLICE("uploads: "), site->store);
    append_usage(text, SLICE("files: "), site->files);
    answer_text(request, text_slice(text));
}

#define READING (METHOD_GET | METHOD_HEAD)

const struct handler echo_handler = {.methods = READING, .answer = answer_echo};
const struct handler user_agent_handler = {.methods = READING, .answer = answer_user_agent};
const struct handler health_handler = {.methods = READING, .answer = answer_health};
const struct handler readiness_handler = {.methods = READING, .answer = answer_readiness};
