/* Structured field values (RFC 9651), as far as this server reads them: the members of a
 * dictionary, byte sequences and strings.
 *
 * Pure; all slices point into the field's value.
 */
#ifndef TARN_HTTP_STRUCTURED_H
#define TARN_HTTP_STRUCTURED_H

#include "http/parse.h"
#include "http/slice.h"

/* A member of a dictionary (section 3.2). */
struct structured_member {
    struct slice key;
    struct slice item; /* as it is written, without its parameters; empty: the boolean true */
};

/* Takes the next member off the value of one field line.
 * PARSE_MORE: *out_member is one. PARSE_DONE: there is none left. PARSE_BAD: what comes next is
 * none; *out_member is untouched.
 */
enum parse_outcome structured_next_member(struct slice *list, struct structured_member *out_member);

/* The base64 text of an item that is a byte sequence (section 3.3.5). Returns false, *out_base64
 * untouched, if it is something else. Whether the text is right base64 is left to its decoder.
 */
bool structured_byte_sequence(struct slice item, struct slice *out_base64);

/* Copies the text of an item that is a string (section 3.3.3), escapes resolved, without a NUL.
 * Returns false if it is something else, or does not fit into `size` bytes.
 */
bool structured_string(struct slice item, char *out, size_t size, size_t *out_len);

#endif
