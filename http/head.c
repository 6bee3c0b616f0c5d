#include "http/head.h"

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
