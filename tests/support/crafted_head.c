#include "tests/support/crafted_head.h"

#include <string.h>

static struct span append(struct crafted_head *crafted, struct slice bytes)
{
    struct head *head = &crafted->head;
    if (bytes.len > sizeof(crafted->bytes) - head->len)
        bytes.len = sizeof(crafted->bytes) - head->len;
    struct span span = {(uint16_t)head->len, (uint16_t)bytes.len};
    if (bytes.len > 0)
        memcpy(crafted->bytes + head->len, bytes.data, bytes.len);
    head->len += bytes.len;
    return span;
}

void crafted_head_begin(struct crafted_head *crafted, struct slice method, struct slice target,
                        struct slice version)
{
    struct head *head = &crafted->head;
    *head = (struct head){.bytes = crafted->bytes, .minor_version = 1};
    if (method.len == 0)
        return;
    head->method = method_from_slice(method);
    head->method_name = append(crafted, method);
    (void)append(crafted, SLICE(" "));
    head->target = append(crafted, target);
    (void)append(crafted, SLICE(" "));
    (void)append(crafted, version);
    head->request_line.len = (uint16_t)head->len;
    (void)append(crafted, SLICE("\r\n"));
}

void crafted_head_add(struct crafted_head *crafted, struct slice name, struct slice value)
{
    struct head *head = &crafted->head;
    if (head->field_count == HEAD_FIELDS_MAX)
        return;
    struct span name_span = append(crafted, name);
    (void)append(crafted, SLICE(": "));
    struct span value_span = append(crafted, value);
    (void)append(crafted, SLICE("\r\n"));
    head_add(head, name_span, value_span);
}
