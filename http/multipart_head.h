/* What the header fields around multipart content, and those of its parts, say: RFC 7578 section 4,
 * RFC 2046 section 5.1.1, RFC 2183 section 2. Pure functions.
 */
#ifndef TARN_HTTP_MULTIPART_HEAD_H
#define TARN_HTTP_MULTIPART_HEAD_H

#include "http/slice.h"

#define MULTIPART_BOUNDARY_MAX   70
#define MULTIPART_NAME_BYTES_MAX 1024

/* A part's header. The bytes are those of the header lines; name and filename are UTF-8 without
 * control bytes but HTAB.
 */
struct multipart_part {
    struct slice name; /* of the form's field; not empty */
    bool is_file;
    struct slice filename;   /* as the client sent it, maybe empty: data, never a path */
    struct slice media_type; /* the Content-Type with its parameters; empty: none */
};

/* Finds the boundary in the value of a Content-Type field. Returns false, *out_boundary untouched,
 * unless there is exactly one, of 1 ... 70 of the bytes that RFC 2046 allows, no blank at its end.
 * *out_boundary is a part of the value.
 */
bool multipart_head_boundary(struct slice content_type, struct slice *out_boundary);

/* Reads the header lines of a part, each with its CRLF; no byte is a control byte but those and
 * HTAB. The quoted pairs of names are resolved in place. Returns NULL and fills *out_part, or
 * returns a sentence that says what is wrong, a literal.
 *
 * A backslash quotes only '"' and '\': browsers send the others as they are in the name. Percent
 * escapes stay: nobody can tell those of a browser from the user's. A `filename*` is not read
 * (RFC 7578 section 4.2), it only tells a file from a field.
 */
const char *multipart_head_read(char *lines, size_t len, struct multipart_part *out_part);

#endif
