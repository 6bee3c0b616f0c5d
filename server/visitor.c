#include "server/visitor.h"

#include "http/cookie.h"

#include <sys/random.h>

#define ID_BYTES 16

static void append_id(struct text *text)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char id[ID_BYTES] = {0};
    (void)!getrandom(id, sizeof(id), 0); /* so short a read neither fails nor waits */
    for (size_t i = 0; i < sizeof(id); i++) {
        text_append_char(text, digits[id[i] >> 4]);
        text_append_char(text, digits[id[i] & 15]);
    }
}

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
    text_append(fields, SLICE("Set-Cookie: "));
    text_append(fields, name);
    text_append_char(fields, '=');
    append_id(fields);
    text_append(fields, SLICE("; Path=/; Max-Age="));
    text_append_u64(fields, (uint64_t)config->cookies.max_age);
    text_append(fields, SLICE("; HttpOnly; SameSite=Lax\r\n"));
}
