#include "server/visitor.h"

#include "http/cookie.h"
#include "server/handlers/random_token.h"

void visitor_add_cookie(struct request *request)
{
    const struct config *config = request->site->config;
    struct response *response = &request->exchange->response;
    struct slice name = slice_from_string(config->cookies.name);
    struct slice sent;
    if (name.len == 0 || response->status != HTTP_OK ||
        !slice_starts_with(response->media_type, SLICE("text/html")) ||
        cookie_find(&request->exchange->head, name, &sent))
        return;
    struct text *fields = &response->fields;
    size_t before = fields->len;
    text_append(fields, SLICE("Set-Cookie: "));
    text_append(fields, name);
    text_append_char(fields, '=');
    if (random_token_append(fields) != 0) {
        fields->len = before; /* a visitor without a name */
        return;
    }
    text_append(fields, SLICE("; Path=/; Max-Age="));
    text_append_u64(fields, (uint64_t)config->cookies.max_age);
    text_append(fields, SLICE("; HttpOnly; SameSite=Lax\r\n"));
}
