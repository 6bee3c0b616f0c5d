/* Range requests (RFC 9110 section 14) for the unit `bytes`, with If-Range (section 13.1.5).
 * Pure functions of a parsed head.
 */
#ifndef TARN_HTTP_RANGE_H
#define TARN_HTTP_RANGE_H

#include "http/precondition.h"
#include "http/text.h"

/* More ranges than this in a request are ignored: the RFC allows it, and nobody sends them but to
 * make work.
 */
#define RANGE_PARTS_MAX 4

/* Positions of the first and the last byte, first <= last < length of the representation. */
struct range {
    uint64_t first;
    uint64_t last;
};

struct range_set {
    unsigned count; /* 1 ... RANGE_PARTS_MAX */
    struct range parts[RANGE_PARTS_MAX];
};

enum range_outcome {
    RANGE_WHOLE,         /* 200 with the whole: no Range field, or one that is ignored */
    RANGE_PARTS,         /* 206; multipart/byteranges for more than one part */
    RANGE_UNSATISFIABLE, /* 416 */
};

/* Selects the parts of a representation of `length` bytes that a request asks for; to be called
 * after precondition_check() has let it go on. `now` is the time of the response's Date.
 *
 * The whole is sent for all methods but GET, for two Range fields, another unit, wrong syntax, more
 * than RANGE_PARTS_MAX ranges, and ranges that overlap or do not ascend; and for an If-Range that
 * is repeated, malformed, or not surely the current representation: a tag must equal it by the
 * strong comparison, a date must be its Last-Modified and at least a second before `now`.
 *
 * Unsatisfiable ranges are left out of a set; if none is left, it is RANGE_UNSATISFIABLE. So is
 * every valid range of an empty representation, a suffix too: no Content-Range could describe the
 * part. Numbers of any length are understood.
 *
 * Fills *out, in ascending order, for RANGE_PARTS only.
 */
enum range_outcome range_select(const struct head *head, uint64_t length,
                                const struct validators *validators, time_t now,
                                struct range_set *out);

static inline uint64_t range_bytes(struct range range)
{
    return range.last - range.first + 1;
}

/* The value of Content-Range (section 14.4) for a part, `bytes 0-4/10`. */
void range_append_part(struct text *text, struct range range, uint64_t length);

/* The value for a 416, which has the length and no positions. */
void range_append_unsatisfied(struct text *text, uint64_t length);

#endif
