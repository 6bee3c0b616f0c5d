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
    uint64_t length;      /* for FRAMING_LENGTH */
    bool persistent;      /* by version and Connection field; the server may still close */
    bool expect_continue; /* HTTP/1.1 and `Expect: 100-continue` */
    bool expect_other;    /* HTTP/1.1 and another expectation, which nobody here can meet */
};

/* Reads the framing out of a head.
 * Returns HTTP_GO_ON with *out filled, or the answer with *out untouched, after which the
 * connection must be closed: 400 (Content-Length with Transfer-Encoding; a Content-Length that is
 * repeated, not decimal, with leading zeros, or above 2^63 - 1; Transfer-Encoding in HTTP/1.0,
 * repeated, or no list of names), 501 (a transfer coding other than `chunked`). In HTTP/1.0
 * expectations are ignored.
 */
enum http_status framing_read(const struct head *head, struct framing *out);

#endif
