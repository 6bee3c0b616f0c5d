/* Bounded building of text: response heads, bodies, field values, log lines.
 *
 * A text never overflows: the part that does not fit is dropped, and all that follows, and
 * `truncated` is set. So a writer appends without checks and looks once at the end; what is there
 * is always a prefix of the whole. Not NUL-terminated.
 */
#ifndef TARN_HTTP_TEXT_H
#define TARN_HTTP_TEXT_H

#include "http/slice.h"

#include <string.h>

struct text {
    char *data;  /* borrowed from the caller */
    size_t size; /* capacity */
    size_t len;
    bool truncated;
};

/* A text over a caller's buffer. */
struct text text_over(char *buffer, size_t size);

struct slice text_slice(const struct text *text);

/* Appends as much as fits, and sets `truncated` if that is not all. */
void text_append_cut(struct text *text, struct slice bytes);

/* Inline, since the bytes are mostly a literal: then the copy is a store or two. A response's head
 * is made of thirty of them.
 */
static inline void text_append(struct text *text, struct slice bytes)
{
    if (bytes.len > text->size - text->len) {
        text_append_cut(text, bytes);
    } else if (bytes.len > 0) {
        memcpy(text->data + text->len, bytes.data, bytes.len);
        text->len += bytes.len;
    }
}

static inline void text_append_char(struct text *text, char c)
{
    text_append(text, (struct slice){&c, 1});
}

void text_append_u64(struct text *text, uint64_t number);

/* "<>&\"'" as entities. */
void text_append_html(struct text *text, struct slice bytes);

/* Bytes outside RFC 3986's unreserved set and '/' as %XX: for a path-absolute reference that is
 * made from a canonical path.
 */
void text_append_percent(struct text *text, struct slice path);

/* `attachment; filename="..."`, and filename*=UTF-8''... where the name is not plain ASCII or
 * holds '"', '\' or '%' (RFC 6266, RFC 8187). `name` is UTF-8.
 */
void text_append_attachment(struct text *text, struct slice name);

/* The bytes as they may stand in a log line: control bytes, '"', '\' and 0x7f-0xff as \xhh. */
void text_append_log(struct text *text, struct slice bytes);

#endif
