#include "server/auth/authorization.h"

#include "server/auth/tokens.h"

/* The token of an Authorization field, which must be the only one. Returns false if there is none.
 */
static bool find_token(const struct head *head, struct slice *out_token)
{
    struct slice value;
    if (head_find(head, SLICE("Authorization"), &value) != 1)
        return false;
    struct slice scheme = slice_take_part(&value, ' ');
    if (!slice_equal_nocase(scheme, SLICE("Bearer")))
        return false;
    *out_token = slice_trim(value);
    return out_token->len > 0;
}

enum http_status authorization_check(const struct request *request, struct peer peer,
                                     int64_t now_ms)
{
    const struct head *head = &request->exchange->head;
    struct tokens *tokens = request->site->tokens;
    struct slice token;
    if (!tokens || (head->method & METHODS_SAFE))
        return HTTP_GO_ON;
    if (!find_token(head, &token))
        return HTTP_UNAUTHORIZED;
    switch (tokens_check(tokens, token, peer, now_ms)) {
    case TOKENS_VALID:
        return HTTP_GO_ON;
    case TOKENS_BUSY:
        return HTTP_SERVICE_UNAVAILABLE;
    case TOKENS_INVALID:
        break;
    }
    return HTTP_UNAUTHORIZED;
}

void authorization_add_challenge(struct request *request)
{
    struct slice token;
    bool was_sent = find_token(&request->exchange->head, &token);
    response_add_field(&request->exchange->response, SLICE("WWW-Authenticate"),
                       was_sent ? SLICE("Bearer realm=\"tarn\", error=\"invalid_token\"")
                                : SLICE("Bearer realm=\"tarn\""));
}
