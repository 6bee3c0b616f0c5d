/* How long a message's body is, and whether the connection persists after it
 * (RFC 9112 sections 6.3 and 9.3). Pure functions of a parsed head.
 */
#ifndef TARN_HTTP_FRAMING_H
#define TARN_HTTP_FRAMING_H

#include "http/head.h"
#include "http/status.h"

enum framing_kind {
    FRAMING_NONE,    /* neither Content-Length nor Transfer-Encoding */
    FRAMING_LENGTH,  /* exactly `length` bytes, maybe 0 */
    FRAMING_CHUNKED, /* chunked transfer coding */
};

struct framing {
    enum framing_kind kind;
    uint64_t length;         /* for FRAMING_LENGTH */
    bool persistent;         /* by version and Connection field; the server may still close */
    bool expect_continue;    /* HTTP/1.1 and `Expect: 100-continue` */
};

/* Reads the framing out of a head.
 * Returns HTTP_GO_ON with *out filled, or the answer with *out untouched, after which the
 * connection must be closed: 400 (Content-Length with Transfer-Encoding, a repeated or
 * non-decimal or overflowing Content-Length, leading zeros, Transfer-Encoding in HTTP/1.0 or
 * other than one `chunked`), 501 (an unknown transfer coding), 417 (another expectation).
 */
enum http_status framing_read(const struct head *head, struct framing *out);

#endif
