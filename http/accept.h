/* Proactive negotiation of the media type (RFC 9110 section 12.5.1). Pure functions of a parsed
 * head; the time is linear in the length of the Accept fields.
 */
#ifndef TARN_HTTP_ACCEPT_H
#define TARN_HTTP_ACCEPT_H

#include "http/head.h"

#define ACCEPT_QUALITY_MAX 1000

/* How welcome a media type is to the client: the weight of the most specific range that matches, in
 * thousandths, 0 (not acceptable) to ACCEPT_QUALITY_MAX; of two ranges alike, the higher one.
 *
 * `type` is "text/html", or has parameters, "text/html;charset=utf-8": a range matches if the type
 * has each parameter that the range has; so the charset should be there when the answer has one,
 * since some clients ask for it. Names and values are compared without case, quotes left out.
 *
 * A field's lines make one list. Malformed members are skipped; when there is no other, or no
 * Accept field, everything is welcome.
 *
 * *out_by_name (may be NULL) says whether that range names the type, and is not just a wildcard
 * such as a browser sends for anything.
 */
unsigned accept_quality(const struct head *head, struct slice type, bool *out_by_name);

#endif
