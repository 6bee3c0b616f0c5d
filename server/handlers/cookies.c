#include "server/handlers/cookies.h"

#include "http/cookie.h"
#include "http/utf8.h"
#include "server/handlers/problem.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

/* More are left out: each is looked up among those before it. A client keeps about 50 for a host
 * (RFC 6265 section 6.1).
 */
#define COOKIES_MAX 256

#define REPLACEMENT SLICE("\xef\xbf\xbd") /* U+FFFD */

/* As a string for cJSON: a cookie may hold any byte, JSON only UTF-8. What is too long is cut
 * between two characters. The text's buffer has room for a NUL behind it.
 */
static const char *to_string(struct text *text, struct slice value)
{
    text->len = 0;
    while (value.len > 0) {
        size_t len = utf8_character_len(value);
        struct slice character = len ? (struct slice){value.data, len} : REPLACEMENT;
        if (text->size - text->len < character.len)
            break;
        text_append(text, character);
        value.data += len ? len : 1;
        value.len -= len ? len : 1;
    }
    text->data[text->len] = '\0';
    return text->data;
}

/* Of cookies with one name the first counts (RFC 6265 section 5.4); the case of names matters.
 * Returns false without memory.
 */
static bool add_cookie(cJSON *object, struct cookie cookie, struct text *name, struct text *value)
{
    const char *key = to_string(name, cookie.name);
    return cJSON_GetObjectItemCaseSensitive(object, key) ||
           cJSON_AddStringToObject(object, key, to_string(value, cookie.value));
}

/* Returns the document, owned by the caller; NULL without memory. */
static char *print_cookies(struct request *request)
{
    /* Names are ASCII; a byte of a value may become three, so that what is too long is cut. */
    size_t half = request->content.size / 2;
    struct text name = text_over(request->content.data, half - 1);
    struct text value = text_over(request->content.data + half, half - 1);
    struct cookie_cursor cursor = {0};
    struct cookie cookie;
    char *printed = NULL;
    cJSON *object = cJSON_CreateObject();
    bool complete = object != NULL;
    for (unsigned i = 0; complete && i < COOKIES_MAX; i++) {
        if (!cookie_next(&request->exchange->head, &cursor, &cookie))
            break;
        complete = add_cookie(object, cookie, &name, &value);
    }
    if (complete)
        printed = cJSON_PrintUnformatted(object);
    cJSON_Delete(object);
    return printed;
}

static void answer(struct request *request)
{
    struct response *response = &request->exchange->response;
    char *printed = print_cookies(request);
    if (!printed) {
        problem_answer(request, HTTP_SERVICE_UNAVAILABLE, NULL);
        return;
    }
    response->status = HTTP_OK;
    response_set_text(response, printed, SLICE("application/json"));
    response_add_field(response, SLICE("Cache-Control"), SLICE("no-store"));
}

const struct handler cookies_handler = {
    .methods = METHOD_GET | METHOD_HEAD,
    .answer = answer,
};
