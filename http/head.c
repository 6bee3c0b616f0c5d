#include "http/head.h"

#include <string.h>

struct slice head_slice(const struct head *head, struct span span)
{
    return (struct slice){head->bytes + span.offset, span.len};
}

bool head_next(const struct head *head, struct slice name, unsigned *cursor,
               struct slice *out_value)
{
    while (*cursor < head->field_count) {
        const struct field *field = &head->fields[(*cursor)++];
        if (field->name.len == name.len &&
            slice_equal_nocase(head_slice(head, field->name), name)) {
            *out_value = head_slice(head, field->value);
            return true;
        }
    }
    return false;
}

unsigned head_find(const struct head *head, struct slice name, struct slice *out_value)
{
    unsigned cursor = 0;
    unsigned count = 0;
    struct slice value;
    while (head_next(head, name, &cursor, &value)) {
        if (count == 0 && out_value)
            *out_value = value;
        count++;
    }
    return count;
}

/* An element without its parameters. */
static struct slice element_name(struct slice element)
{
    const char *semicolon = memchr(element.data, ';', element.len);
    if (semicolon)
        element.len = (size_t)(semicolon - element.data);
    return slice_trim(element);
}

bool head_has_token(const struct head *head, struct slice name, struct slice token)
{
    unsigned cursor = 0;
    struct slice list;
    while (head_next(head, name, &cursor, &list)) {
        struct slice element;
        while (slice_next_element(&list, &element))
            if (slice_equal_nocase(element_name(element), token))
                return true;
    }
    return false;
}
