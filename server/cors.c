#include "server/cors.h"

/* How long a browser may remember the answer to a preflight, in seconds. */
#define PREFLIGHT_SECONDS SLICE("600")

bool cors_allows(const struct config *config, struct slice origin)
{
    for (size_t i = 0; i < config->cors.origins.count; i++) {
        struct slice allowed = slice_from_string(config->cors.origins.items[i]);
        if (slice_equal_nocase(allowed, origin) || slice_equal(allowed, SLICE("*")))
            return true;
    }
    return false;
}

/* One asks for a resource, so that `OPTIONS *` is none, nor is what has been refused. */
static bool is_preflight(const struct request *request)
{
    const struct head *head = &request->exchange->head;
    bool is_refused = request->exchange->response.status >= HTTP_BAD_REQUEST;
    return request->handler && !is_refused && head->method == METHOD_OPTIONS &&
           head_find(head, SLICE("Access-Control-Request-Method"), NULL) == 1;
}

static void add_preflight(struct request *request)
{
    struct response *response = &request->exchange->response;
    char list[64];
    size_t len = method_list(request->handler->methods, list, sizeof(list));
    response_add_field(response, SLICE("Access-Control-Allow-Methods"), (struct slice){list, len});
    response_add_field(response, SLICE("Access-Control-Allow-Headers"),
                       SLICE("Authorization, Content-Digest, Content-Type, Idempotency-Key, Range, "
                             "If-Match, If-None-Match, If-Range, If-Modified-Since, "
                             "If-Unmodified-Since, Want-Repr-Digest"));
    response_add_field(response, SLICE("Access-Control-Max-Age"), PREFLIGHT_SECONDS);
}

void cors_add_fields(struct request *request)
{
    struct response *response = &request->exchange->response;
    const struct head *head = &request->exchange->head;
    const struct config *config = request->site->config;
    if (config->cors.origins.count == 0)
        return;
    response_add_field(response, SLICE("Vary"), SLICE("Origin"));
    struct slice origin;
    if (head_find(head, SLICE("Origin"), &origin) != 1 || !cors_allows(config, origin))
        return;
    response_add_field(response, SLICE("Access-Control-Allow-Origin"), origin);
    if (is_preflight(request))
        add_preflight(request);
    else
        response_add_field(response, SLICE("Access-Control-Expose-Headers"),
                           SLICE("Location, Content-Disposition, Content-Range, ETag, Allow, "
                                 "Repr-Digest"));
}
