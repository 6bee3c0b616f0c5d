/* A response as a value: handlers make it, the connection sends it. */
#ifndef TARN_HTTP_RESPONSE_H
#define TARN_HTTP_RESPONSE_H

#include "http/slice.h"
#include "http/status.h"
#include "http/text.h"

#include <sys/types.h>

enum response_content {
    RESPONSE_EMPTY, /* no content at all, as 204 and 304 want it */
    RESPONSE_BYTES, /* bytes in memory, maybe none */
    RESPONSE_FILE,  /* parts of a file, mostly one: the whole */
};

#define RESPONSE_PARTS_MAX 4

/* A part of the file, with bytes of memory before it. */
struct response_part {
    struct slice before; /* borrowed like `bytes` */
    off_t offset;
    uint64_t len;
};

struct response {
    enum http_status status; /* HTTP_GO_ON: not made yet */
    struct slice media_type; /* of the content; borrowed like `bytes`; empty: no Content-Type */
    struct text fields;      /* further field lines, each with its CRLF */
    enum response_content content;
    struct slice bytes; /* borrowed, until the worker turns to another connection; of a file, what
                         * comes behind its last part */
    char *owned;        /* memory behind `bytes` that is freed with the response; NULL */
    bool bytes_last;    /* they live until the exchange ends, so that nobody has to copy them */
    int file;           /* owned; -1: none */
    struct response_part parts[RESPONSE_PARTS_MAX];
    unsigned part_count;
    bool close; /* the connection must not persist */
};

/* What the connection adds to a response's head. */
struct response_frame {
    struct slice date;      /* IMF-fixdate */
    bool persistent;        /* else `Connection: close` */
    unsigned requests_left; /* allowed on this connection, this one counted */
    unsigned idle_timeout_s;
};

/* An empty response whose field lines go to `field_buffer`. */
void response_init(struct response *response, char *field_buffer, size_t size);

/* Frees what the response owns. */
void response_deinit(struct response *response);

/* Appends a field line to a text. The value must not hold CR, LF or NUL. */
void response_append_field(struct text *text, struct slice name, struct slice value);

/* The same, to the response's field lines. */
void response_add_field(struct response *response, struct slice name, struct slice value);

/* Makes `len` bytes of a file the only part of the content. The response owns the file now. */
void response_set_file(struct response *response, int file, off_t offset, uint64_t len);

/* Makes a NUL-terminated text the content; the response owns it now. NULL is an empty one. */
void response_set_text(struct response *response, char *text, struct slice media_type);

/* How long the content is, in bytes. */
uint64_t response_content_bytes(const struct response *response);

/* Writes the status line and the field section, with the empty line that ends it
 * (RFC 9112 sections 2.1 and 4; Date, Server, nosniff, persistence and length included).
 */
void response_write_head(const struct response *response, const struct response_frame *frame,
                         struct text *out);

#endif
