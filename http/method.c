#include "http/method.h"

#include "http/text.h"

/* The most frequent first. */
static const struct {
    struct slice name;
    enum method method;
} methods[] = {
    {{"GET", 3}, METHOD_GET},       {{"HEAD", 4}, METHOD_HEAD},
    {{"POST", 4}, METHOD_POST},     {{"PUT", 3}, METHOD_PUT},
    {{"DELETE", 6}, METHOD_DELETE}, {{"OPTIONS", 7}, METHOD_OPTIONS},
    {{"TRACE", 5}, METHOD_TRACE},   {{"CONNECT", 7}, METHOD_CONNECT},
    {{"PATCH", 5}, METHOD_PATCH},
};

#define METHOD_COUNT (sizeof(methods) / sizeof(methods[0]))

enum method method_from_slice(struct slice name)
{
    for (size_t i = 0; i < METHOD_COUNT; i++)
        if (slice_equal(name, methods[i].name))
            return methods[i].method;
    return METHOD_UNKNOWN;
}

size_t method_list(unsigned set, char *out, size_t size)
{
    struct text text = text_over(out, size > 0 ? size - 1 : 0);
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        if ((set & methods[i].method) == 0)
            continue;
        if (text.len > 0)
            text_append(&text, SLICE(", "));
        text_append(&text, methods[i].name);
    }
    if (size > 0)
        out[text.len] = '\0';
    return text.len;
}
