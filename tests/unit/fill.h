/* Long test input, built in a buffer: its beginning, one byte many times, and its end. */
#ifndef TARN_TESTS_UNIT_FILL_H
#define TARN_TESTS_UNIT_FILL_H

#include "http/text.h"

#include <stdlib.h>

/* Returns prefix, `count` times the byte, and suffix; they live in `out`. */
static inline struct slice fill(char *out, size_t size, const char *prefix, char byte, size_t count,
                                const char *suffix)
{
    struct text text = text_over(out, size);
    text_append(&text, slice_from_string(prefix));
    for (size_t i = 0; i < count; i++)
        text_append_char(&text, byte);
    text_append(&text, slice_from_string(suffix));
    if (text.truncated)
        abort();
    return text_slice(&text);
}

#endif
