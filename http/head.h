/* A request's head: request line and field section, as the parser leaves it (RFC 9112 section 3,
 * RFC 9110 section 5).
 *
 * A head holds no byte of its own: its spans are offsets into `bytes`, the buffer that held the
 * request. So it can be moved: copy the bytes and set `bytes` to the copy.
 * Not thread-safe; owned by whoever runs the connection.
 */
#ifndef TARN_HTTP_HEAD_H
#define TARN_HTTP_HEAD_H

#include "http/method.h"
#include "http/slice.h"

#include <stdint.h>

#define HEAD_BYTES_MAX  65535 /* the largest head_bytes limit: spans are 16 bits */
#define HEAD_FIELDS_MAX 256   /* the largest head_fields limit */

struct span {
    uint16_t offset; /* bytes from the first byte of the head */
    uint16_t len;
};

struct field {
    struct span name;  /* a token */
    struct span value; /* without the white space around it */
};

struct head {
    const char *bytes; /* borrowed */
    size_t len;        /* of the whole head, with the empty line that ends it */
    enum method method;
    unsigned minor_version;   /* 0 for HTTP/1.0, 1 for HTTP/1.1 and later 1.x */
    struct span request_line; /* without CRLF */
    struct span method_name;
    struct span target; /* as received */
    unsigned field_count;
    uint32_t name_lens; /* bit n: a name has a length of n, modulo 32; most look-ups end there */
    struct field fields[HEAD_FIELDS_MAX];
};

/* Adds a field; there must be less than HEAD_FIELDS_MAX. */
void head_add(struct head *head, struct span name, struct span value);

/* The bytes of a span of this head; they live as long as head->bytes does. */
struct slice head_slice(const struct head *head, struct span span);

/* How many fields have this name (compared without case).
 * If there is one, *out_value (may be NULL) is the value of the first.
 */
unsigned head_find(const struct head *head, struct slice name, struct slice *out_value);

/* Iterates over the values of all fields of one name: *cursor starts at 0.
 * Returns false when there is none left.
 */
bool head_next(const struct head *head, struct slice name, unsigned *cursor,
               struct slice *out_value);

#endif
