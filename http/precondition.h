/* Conditional requests (RFC 9110 section 13): If-Match, If-None-Match, If-Modified-Since and
 * If-Unmodified-Since; If-Range is range.h's. Pure functions of a parsed head.
 *
 * Where the RFC leaves room: an If-Match with a malformed member, or with `*` beside others, does
 * not hold, so that a write does not happen by mistake. Of an If-None-Match the well-formed members
 * count, a `*` beside others too. A field's lines make one list. A date field that is malformed
 * or repeated is ignored, as the RFC demands.
 */
#ifndef TARN_HTTP_PRECONDITION_H
#define TARN_HTTP_PRECONDITION_H

#include "http/head.h"
#include "http/status.h"

#include <time.h>

/* What preconditions compare with: the current representation of the target resource. */
struct validators {
    bool exists;            /* whether there is one; if not, the rest means nothing */
    struct slice etag;      /* as in an ETag field, `"..."` or `W/"..."`; empty: none */
    bool has_last_modified; /* and then: */
    time_t last_modified;   /* as in a Last-Modified field: whole seconds, not in the future */
};

/* Evaluates the preconditions in the order of section 13.2.2, for GET, HEAD, POST, PUT, DELETE and
 * PATCH; for other methods there are none. To be called only when the request would succeed without
 * them (section 13.2.1): a 404 stays a 404. `now` is the time of the response's Date.
 * Returns HTTP_GO_ON, HTTP_NOT_MODIFIED (GET and HEAD only) or HTTP_PRECONDITION_FAILED.
 */
enum http_status precondition_check(const struct head *head, const struct validators *validators,
                                    time_t now);

#endif
