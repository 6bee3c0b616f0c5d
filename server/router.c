#include "server/router.h"

#include "server/auth/authorization.h"
#include "server/cors.h"
#include "server/handlers/cookies.h"
#include "server/handlers/diagnostics.h"
#include "server/handlers/documents.h"
#include "server/handlers/files.h"
#include "server/handlers/form.h"
#include "server/handlers/form_page.h"
#include "server/handlers/problem.h"
#include "server/handlers/static_files.h"
#include "server/handlers/upload.h"

struct route {
    struct slice path; /* with a '/' at its end: everything below it */
    const struct handler *handler;
};

#define PATH(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

/* The first that fits. */
static const struct route routes[] = {
    {PATH("/upload"), &upload_handler},
    {PATH("/uploads/"), &documents_handler},
    {PATH("/form"), &form_handler},
    {PATH("/form/"), &form_page_handler},
    {PATH("/files/"), &files_handler},
    {PATH("/echo/"), &echo_handler},
    {PATH("/user-agent"), &user_agent_handler},
    {PATH("/cookies"), &cookies_handler},
    {PATH("/healthz"), &health_handler},
    {PATH("/readyz"), &readiness_handler},
    {PATH("/"), &static_files_handler},
};

#define ALL_METHODS     (METHOD_GET | METHOD_HEAD | METHOD_POST | METHOD_OPTIONS)

#define WRITING_METHODS (METHOD_POST | METHOD_PUT | METHOD_DELETE | METHOD_PATCH)

static bool route_fits(const struct route *route, struct slice path)
{
    bool has_rest = route->path.data[route->path.len - 1] == '/';
    return has_rest ? slice_starts_with(path, route->path) : slice_equal(path, route->path);
}

static void find_route(struct request *request)
{
    const struct route *route = routes;
    while (!route_fits(route, request->path))
        route++; /* the last fits every path */
    request->handler = route->handler;
    request->rest =
        (struct slice){request->path.data + route->path.len, request->path.len - route->path.len};
    if (request->handler == &files_handler)
        request->handler = files_handler_for(request);
}

/* One valid Host field is required, also where the target's authority decides
 * (RFC 9112 section 3.2).
 */
static enum http_status check_host(const struct request *request,
                                   struct slice (*local_address)(void *context), void *context)
{
    struct slice host = {0};
    struct authority authority;
    if (head_find(&request->exchange->head, SLICE("Host"), &host) != 1)
        return HTTP_BAD_REQUEST;
    if (authority_parse(host, &authority) != 0)
        return HTTP_BAD_REQUEST;
    if (request->target.form == TARGET_ABSOLUTE &&
        authority_parse(request->target.authority, &authority) != 0)
        return HTTP_BAD_REQUEST;
    const struct authority_rules *rules = &request->site->authorities;
    if (authority_is_served(&authority, rules, (struct slice){0}) ||
        authority_is_served(&authority, rules, local_address(context)))
        return HTTP_GO_ON;
    return HTTP_FORBIDDEN;
}

/* Whether an origin (RFC 6454 section 7) is one of this server's own. */
static bool is_served_origin(const struct request *request, struct slice origin,
                             struct slice (*local_address)(void *context), void *context)
{
    bool secure = slice_starts_with(origin, SLICE("https://"));
    struct slice scheme = secure ? SLICE("https://") : SLICE("http://");
    if (!slice_starts_with(origin, scheme))
        return false; /* "null", for one */
    struct authority authority;
    struct slice host = {origin.data + scheme.len, origin.len - scheme.len};
    if (authority_parse(host, &authority) != 0)
        return false;
    if (!authority.has_port && secure) {
        authority.has_port = true;
        authority.port = 443;
    }
    return authority_is_served(&authority, &request->site->authorities, local_address(context));
}

/* Whether a browser sends this for a page of another site. A form needs no leave to do so, so
 * that without this any page could write to a server on its visitor's machine.
 */
static bool is_cross_site(const struct request *request,
                          struct slice (*local_address)(void *context), void *context)
{
    const struct head *head = &request->exchange->head;
    struct slice origin;
    struct slice site;
    unsigned origin_count = head_find(head, SLICE("Origin"), &origin);
    if (origin_count == 1 && cors_allows(request->site->config, origin))
        return false;
    if (head_find(head, SLICE("Sec-Fetch-Site"), &site) > 0 &&
        slice_equal_nocase(site, SLICE("cross-site")))
        return true;
    if (origin_count != 1)
        return origin_count > 1; /* then nobody knows which is true */
    return !is_served_origin(request, origin, local_address, context);
}

static enum http_status check_method(const struct request *request)
{
    enum method method = request->exchange->head.method;
    if (method == METHOD_UNKNOWN)
        return HTTP_NOT_IMPLEMENTED;
    if (method == METHOD_OPTIONS)
        return HTTP_GO_ON;
    return request->handler->methods & method ? HTTP_GO_ON : HTTP_METHOD_NOT_ALLOWED;
}

static enum http_status resolve_target(struct request *request, char *path_buffer, size_t path_size)
{
    if (request->target.form == TARGET_AUTHORITY)
        return HTTP_METHOD_NOT_ALLOWED;
    if (request->target.form == TARGET_ASTERISK)
        return HTTP_GO_ON;
    request->path.data = path_buffer;
    enum http_status status =
        target_canonicalize(request->target.path, path_buffer, path_size, &request->path.len);
    if (status != HTTP_GO_ON)
        request->path = request->target.path; /* as it is written, for the form of the error */
    find_route(request);
    return status == HTTP_GO_ON ? check_method(request) : status;
}

enum http_status router_resolve(struct request *request, char *path_buffer, size_t path_size,
                                struct slice (*local_address)(void *context), void *context)
{
    const struct head *head = &request->exchange->head;
    enum http_status status =
        target_split(head_slice(head, head->target), head->method, &request->target);
    enum http_status host_status = check_host(request, local_address, context);
    if (status == HTTP_GO_ON)
        status = resolve_target(request, path_buffer, path_size);
    if (host_status != HTTP_GO_ON)
        return host_status;
    if (status != HTTP_GO_ON)
        return status;
    if ((head->method & WRITING_METHODS) && is_cross_site(request, local_address, context))
        return HTTP_FORBIDDEN;
    return request->exchange->framing.expect_other ? HTTP_EXPECTATION_FAILED : HTTP_GO_ON;
}

/* What the resource allows; without one (`*`, CONNECT) what any resource does. */
static unsigned allowed(const struct request *request)
{
    return request->handler ? request->handler->methods | METHOD_OPTIONS : ALL_METHODS;
}

static void add_allow(struct request *request, unsigned methods)
{
    char list[64];
    size_t len = method_list(methods, list, sizeof(list));
    response_add_field(&request->exchange->response, SLICE("Allow"), (struct slice){list, len});
}

void router_refuse(struct request *request, enum http_status status)
{
    struct exchange *exchange = request->exchange;
    problem_answer(request, status, NULL);
    if (status == HTTP_METHOD_NOT_ALLOWED)
        add_allow(request, allowed(request));
    if (status == HTTP_UNAUTHORIZED)
        authorization_add_challenge(request);
    /* Where the form of a request was wrong, nothing behind it can be trusted. */
    if (status == HTTP_BAD_REQUEST || exchange->head.method == METHOD_CONNECT)
        exchange->response.close = true;
}

void router_answer_options(struct request *request)
{
    struct response *response = &request->exchange->response;
    response->status = HTTP_NO_CONTENT;
    add_allow(request, request->handler ? request->handler->methods | METHOD_OPTIONS : ALL_METHODS);
}
