#include "server/handlers/content_type.h"

/* Whether the parameters leave the text to be UTF-8. */
static bool parameters_fit(struct slice parameters)
{
    while (parameters.len > 0) {
        struct slice value = slice_take_part(&parameters, ';');
        if (value.len == 0)
            continue;
        struct slice name = slice_take_part(&value, '=');
        if (slice_equal_nocase(name, SLICE("charset")) &&
            !slice_equal_nocase(slice_unquote(value), SLICE("utf-8")))
            return false;
    }
    return true;
}

bool content_type_is_coded(const struct head *head)
{
    struct slice coding;
    unsigned count = head_find(head, SLICE("Content-Encoding"), &coding);
    return count > 1 || (count == 1 && !slice_equal_nocase(coding, SLICE("identity")));
}

bool content_type_is(const struct head *head, struct slice media_type)
{
    struct slice value;
    if (content_type_is_coded(head) || head_find(head, SLICE("Content-Type"), &value) != 1)
        return false;
    struct slice declared = slice_take_part(&value, ';');
    return slice_equal_nocase(declared, media_type) && parameters_fit(value);
}
