#include "http/head.h"

struct slice head_slice(const struct head *head, struct span span)
{
    return (struct slice){head->bytes + span.offset, span.len};
}

static uint32_t bit_of(size_t len)
{
    return UINT32_C(1) << (len % 32);
}

void head_add(struct head *head, struct span name, struct span value)
{
    head->fields[head->field_count++] = (struct field){name, value};
    head->name_lens |= bit_of(name.len);
}

bool head_next(const struct head *head, struct slice name, unsigned *cursor,
               struct slice *out_value)
{
    if ((head->name_lens & bit_of(name.len)) == 0)
        return false;
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
