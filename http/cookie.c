#include "http/cookie.h"

#include "http/octet.h"

#include <string.h>

/* Returns whether the text is a pair. */
static bool read_pair(struct slice text, struct cookie *out)
{
    const char *equals = text.len > 0 ? memchr(text.data, '=', text.len) : NULL;
    if (!equals)
        return false;
    size_t name_len = (size_t)(equals - text.data);
    struct slice name = slice_trim((struct slice){text.data, name_len});
    struct slice value = slice_trim((struct slice){equals + 1, text.len - name_len - 1});
    if (name.len == 0 || octet_span(name.data, name.len, OCTET_TOKEN) != name.len)
        return false;
    *out = (struct cookie){name, slice_unquote(value)};
    return true;
}

bool cookie_next(const struct head *head, struct cookie_cursor *cursor, struct cookie *out)
{
    do {
        while (cursor->rest.len > 0)
            if (read_pair(slice_take_until(&cursor->rest, ';'), out))
                return true;
    } while (head_next(head, SLICE("Cookie"), &cursor->field, &cursor->rest));
    return false;
}

bool cookie_find(const struct head *head, struct slice name, struct slice *out_value)
{
    struct cookie_cursor cursor = {0};
    struct cookie cookie;
    while (cookie_next(head, &cursor, &cookie)) {
        if (slice_equal(cookie.name, name)) {
            *out_value = cookie.value;
            return true;
        }
    }
    return false;
}
