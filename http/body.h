/* Decoding of a request body (RFC 9112 sections 6 and 7): takes the framing off, hands out the
 * content as slices of the input. Incremental and pure; no byte is copied.
 */
#ifndef TARN_HTTP_BODY_H
#define TARN_HTTP_BODY_H

#include "http/framing.h"
#include "http/parse.h"
#include "http/status.h"

#define BODY_EXTENSION_BYTES_MAX 4096   /* chunk extensions of one request */
#define BODY_TRAILER_BYTES_MAX   8192   /* trailer lines of one request, with their line ends */
#define BODY_OVERHEAD_BYTES_MAX  102400 /* framing bytes beyond the content's own number */

/* Owned by the caller; all members are the decoder's. */
struct body {
    enum framing_kind kind;
    unsigned state;
    unsigned size_digits;   /* of the current chunk's size */
    uint64_t remaining;     /* of the content or of the current chunk */
    uint64_t content_bytes; /* handed out so far */
    uint64_t framing_bytes; /* sizes, extensions, line ends, trailers so far */
    uint64_t limit;
    size_t extension_bytes;
    size_t trailer_bytes;
    enum http_status status;
};

/* Begins a body. `limit` is the largest content allowed, in bytes; 0 = none.
 * Returns HTTP_GO_ON, or 413 if the length in the head is already over the limit.
 */
enum http_status body_init(struct body *body, const struct framing *framing, uint64_t limit);

/* Decodes the next piece. *out_consumed is how many bytes of the input were used, *out_content a
 * part of the input that is content (maybe empty).
 * PARSE_DONE: the body ended; input beyond *out_consumed belongs to the next request. The last
 * content may come with DONE.
 * PARSE_MORE: call again with the rest, or with more input once all has been consumed.
 * PARSE_BAD: body_status() is the answer (400, 413, 431), and the connection must be closed; the
 * outputs are untouched. All content before the fault has been handed out, however it was split.
 */
enum parse_outcome body_decode(struct body *body, const char *bytes, size_t len,
                               size_t *out_consumed, struct slice *out_content);

enum http_status body_status(const struct body *body);

#endif
