/* Request methods (RFC 9110 section 9). */
#ifndef TARN_HTTP_METHOD_H
#define TARN_HTTP_METHOD_H

#include "http/slice.h"

enum method {
    METHOD_UNKNOWN = 0, /* a well-formed token that is not in the table: 501 */
    METHOD_GET = 1 << 0,
    METHOD_HEAD = 1 << 1,
    METHOD_POST = 1 << 2,
    METHOD_PUT = 1 << 3,
    METHOD_DELETE = 1 << 4,
    METHOD_OPTIONS = 1 << 5,
    METHOD_TRACE = 1 << 6,
    METHOD_CONNECT = 1 << 7,
    METHOD_PATCH = 1 << 8,
};

/* Those that only read (RFC 9110 section 9.2.1), of the ones that are answered at all. */
#define METHODS_SAFE       (METHOD_GET | METHOD_HEAD | METHOD_OPTIONS)

#define METHOD_LONGEST_LEN 7 /* bytes of the longest name in the table */

/* The method of that name; names are case-sensitive. METHOD_UNKNOWN when there is none. */
enum method method_from_slice(struct slice name);

/* Writes the names of a set (methods or-ed together) as an Allow field's value, "GET, HEAD".
 * `size` is the room in out (64 is enough for all). Returns the length without the NUL.
 */
size_t method_list(unsigned set, char *out, size_t size);

#endif
