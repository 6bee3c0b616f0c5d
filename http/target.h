/* The request target (RFC 9112 section 3.2) and its path in canonical form.
 *
 * The path is percent-decoded exactly once and must be UTF-8. A path that tries to leave the
 * root is refused here, not repaired; the kernel (openat2) still has the last word.
 */
#ifndef TARN_HTTP_TARGET_H
#define TARN_HTTP_TARGET_H

#include "http/method.h"
#include "http/slice.h"
#include "http/status.h"

enum target_form {
    TARGET_ORIGIN,    /* /path?query */
    TARGET_ABSOLUTE,  /* http://authority/path?query */
    TARGET_AUTHORITY, /* host:port, of CONNECT */
    TARGET_ASTERISK,  /* *, of OPTIONS */
};

/* Slices of the raw target. */
struct target {
    enum target_form form;
    struct slice authority; /* of absolute and authority form, not yet checked */
    struct slice path;      /* raw, begins with '/'; "/" where an absolute form has none */
    struct slice query;     /* without '?'; empty if there is none */
    bool has_query;
};

/* Splits a raw target. Returns HTTP_GO_ON, or 400 (*out untouched) where its form does not fit
 * the method, the scheme is not http, or a byte may not stand in a target. Besides what RFC 3986
 * allows, '|', '^', '[', ']' and '\' pass, and in a query '{', '}' and '`' too, since browsers send
 * them. Percent escapes are not looked at, nor is the authority (see authority_parse()).
 */
enum http_status target_split(struct slice raw, enum method method, struct target *out);

/* Decodes and canonicalises a raw path into out (`size` bytes; raw.len + 1 is always enough).
 * Empty segments are collapsed; a '/' at the end stays. The result begins with '/', holds no
 * NUL but the one that ends it, no control byte and no '.' or '..' segment.
 * Returns HTTP_GO_ON with *out_len (without the NUL); 400 for a bad percent escape, a NUL or
 * control byte or invalid UTF-8 after decoding; 403 for a '.' or '..' segment, a backslash or an
 * encoded slash or backslash; 414 if it does not fit. 400 goes before 403. On failure out holds
 * scraps.
 */
enum http_status target_canonicalize(struct slice raw_path, char *out, size_t size,
                                     size_t *out_len);

/* Whether a segment of a canonical path begins with a dot; `/.well-known/` as the first segment
 * does not count (RFC 8615).
 */
bool target_is_hidden(struct slice canonical_path);

#endif
