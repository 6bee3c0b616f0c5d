#include "server/handlers/content_type.h"

#include <string.h>

/* Takes what stands before the next `separator` outside of a quoted string, and the separator,
 * off *rest.
 */
static struct slice take_until(struct slice *rest, char separator)
{
    bool quoted = false;
    size_t len = 0;
    for (; len < rest->len && (quoted || rest->data[len] != separator); len++) {
        if (rest->data[len] == '"')
            quoted = !quoted;
        else if (quoted && rest->data[len] == '\\' && len + 1 < rest->len)
            len++;
    }
    struct slice taken = {rest->data, len};
    size_t used = len < rest->len ? len + 1 : len;
    rest->data += used;
    rest->len -= used;
    return slice_trim(taken);
}

static struct slice unquote(struct slice value)
{
    if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"')
        return (struct slice){value.data + 1, value.len - 2};
    return value;
}

/* Whether the parameters leave the text to be UTF-8. */
static bool parameters_fit(struct slice parameters)
{
    while (parameters.len > 0) {
        struct slice value = take_until(&parameters, ';');
        if (value.len == 0)
            continue;
        struct slice name = take_until(&value, '=');
        if (slice_equal_nocase(name, SLICE("charset")) &&
            !slice_equal_nocase(unquote(value), SLICE("utf-8")))
            return false;
    }
    return true;
}

bool content_type_is(const struct head *head, struct slice media_type)
{
    struct slice value, coding;
    if (head_find(head, SLICE("Content-Type"), &value) != 1)
        return false;
    unsigned codings = head_find(head, SLICE("Content-Encoding"), &coding);
    if (codings > 1 || (codings == 1 && !slice_equal_nocase(coding, SLICE("identity"))))
        return false;
    struct slice declared = take_until(&value, ';');
    return slice_equal_nocase(declared, media_type) && parameters_fit(value);
}
