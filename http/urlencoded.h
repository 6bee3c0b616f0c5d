/* Decoding of application/x-www-form-urlencoded (URL Standard, section 5.1): bytes in, pieces of
 * names and values out. Incremental and pure; linear in the bytes.
 *
 * As browsers and scripts write it: fields are separated by '&', '+' is a space, %XX a byte, and an
 * empty field between two '&' is none. Stricter than the standard, which leaves a '%' without two
 * hexadecimal digits as it is: that is an error, since a form that lost a byte on its way must not
 * be taken for another. Whether the decoded bytes are text is the caller's to see.
 *
 * Not thread-safe; owned by the caller.
 */
#ifndef TARN_HTTP_URLENCODED_H
#define TARN_HTTP_URLENCODED_H

#include "http/parse.h"
#include "http/slice.h"

enum urlencoded_event_kind {
    URLENCODED_NONE,
    URLENCODED_NAME,  /* some of a field's name: `data`; not told for an empty one */
    URLENCODED_VALUE, /* some of its value, the same */
    URLENCODED_END,   /* the field has ended */
};

struct urlencoded_event {
    enum urlencoded_event_kind kind;
    struct slice data; /* the decoder's, until the next call */
};

/* How long a piece can be. */
#define URLENCODED_PIECE_BYTES 512

/* All members are the decoder's. All zero: at the beginning. */
struct urlencoded {
    unsigned state;
    bool in_field;
    bool in_value;
    unsigned char high; /* the first digit of an escape */
    size_t len;
    char piece[URLENCODED_PIECE_BYTES];
};

/* Decodes the next bytes, up to an event. *out_consumed is how many of them were used.
 * PARSE_MORE: call again with the rest, or with more input once all has been consumed.
 * PARSE_BAD: an escape is malformed; it stays so; the outputs are untouched. All events before it
 * have been told, however the bytes were split.
 */
enum parse_outcome urlencoded_decode(struct urlencoded *urlencoded, const char *bytes, size_t len,
                                     size_t *out_consumed, struct urlencoded_event *out_event);

/* Says that the bytes end here; all have been consumed. *out_event may be the end of the last
 * field. PARSE_DONE: they were whole. PARSE_BAD: as above.
 */
enum parse_outcome urlencoded_finish(struct urlencoded *urlencoded,
                                     struct urlencoded_event *out_event);

#endif
