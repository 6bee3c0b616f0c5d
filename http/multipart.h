/* Decoding of multipart/form-data (RFC 7578, RFC 2046 section 5.1): bytes in, events out.
 * Incremental and pure; the time is linear in the bytes, whatever they are and however they come.
 *
 * Stricter than RFC 2046 where leniency would let two readers see two forms: lines end with CRLF,
 * a line that begins with the delimiter and goes on with something else is an error, each part has
 * a name, and no part is a multipart itself. No part at all is a form without fields.
 *
 * Not thread-safe; owned by the caller.
 */
#ifndef TARN_HTTP_MULTIPART_H
#define TARN_HTTP_MULTIPART_H

#include "http/multipart_head.h"
#include "http/parse.h"

#define MULTIPART_PARTS_MAX      64
#define MULTIPART_HEAD_BYTES_MAX 8192 /* header lines of one part, with their line ends */
#define MULTIPART_IGNORED_BYTES_MAX                                                                \
    8192 /* preamble, epilogue, blanks behind a boundary: together */

enum multipart_event_kind {
    MULTIPART_NONE,
    MULTIPART_PART, /* a part begins: `part` */
    MULTIPART_DATA, /* some of its content: `data` */
    MULTIPART_END,  /* it has ended */
};

/* What it points to is valid until the next call. */
struct multipart_event {
    enum multipart_event_kind kind;
    struct multipart_part part;
    struct slice data;
};

#define MULTIPART_DELIMITER_SIZE (sizeof("\r\n--") - 1 + MULTIPART_BOUNDARY_MAX)

/* All members are the decoder's. About 8.3 KB. */
struct multipart {
    unsigned state;
    const char *fault; /* NULL: none */
    unsigned parts;
    size_t matched;   /* bytes of the delimiter that have been read, and are held back */
    size_t held_from; /* those before it are none of the part's content */
    size_t ignored_bytes;
    size_t line_start; /* of the header line that is being read */
    size_t head_len;
    size_t delimiter_len;
    char delimiter[MULTIPART_DELIMITER_SIZE];
    char head[MULTIPART_HEAD_BYTES_MAX];
};

/* Begins. The boundary is what multipart_head_boundary() found; it is copied. */
void multipart_init(struct multipart *multipart, struct slice boundary);

/* Decodes the next piece, up to an event. *out_consumed is how many bytes of the input were used.
 * PARSE_MORE: call again with the rest, or with more input once all has been consumed.
 * PARSE_BAD: multipart_fault() says why, and it stays so; the outputs are untouched. All events
 * before the fault have been told, however the bytes were split.
 */
enum parse_outcome multipart_decode(struct multipart *multipart, const char *bytes, size_t len,
                                    size_t *out_consumed, struct multipart_event *out_event);

/* Says that the bytes end here. PARSE_DONE: they were whole. PARSE_BAD: as above. */
enum parse_outcome multipart_finish(struct multipart *multipart);

/* A sentence for the client, a literal; NULL: nothing is wrong. */
const char *multipart_fault(const struct multipart *multipart);

#endif
