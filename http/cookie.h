/* Cookies of a request (RFC 6265 sections 4.2 and 5.4). Pure functions of a parsed head.
 *
 * Lenient as servers have to be, for a user agent sends back whatever some server has set: a pair
 * that has no `=`, or whose name is no token, is skipped and the others count; a value may hold any
 * byte that a field may (so it may not be UTF-8), but no `;`, also not within quotes.
 */
#ifndef TARN_HTTP_COOKIE_H
#define TARN_HTTP_COOKIE_H

#include "http/head.h"

/* Both are borrowed from the head. */
struct cookie {
    struct slice name;  /* a token; its case matters */
    struct slice value; /* without white space around it, and without a pair of quotes */
};

/* Begins as {0}. Holds as long as the head is not moved. */
struct cookie_cursor {
    unsigned field;    /* of head_next() */
    struct slice rest; /* of the field's value */
};

/* Iterates over the cookies of all Cookie fields, in order; a name may come more than once.
 * Returns false, *out untouched, when there is none left.
 */
bool cookie_next(const struct head *head, struct cookie_cursor *cursor, struct cookie *out);

/* The value of the first cookie of that name: the one with the longest path (section 5.4).
 * Returns false, *out_value untouched, when there is none.
 */
bool cookie_find(const struct head *head, struct slice name, struct slice *out_value);

#endif
