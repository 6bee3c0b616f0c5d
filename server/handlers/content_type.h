/* What a request says of its content (RFC 9110 sections 8.3 and 8.4). */
#ifndef TARN_SERVER_HANDLERS_CONTENT_TYPE_H
#define TARN_SERVER_HANDLERS_CONTENT_TYPE_H

#include "http/head.h"

/* Whether the content is declared to have a content coding, so that it is not what it stands for.
 */
bool content_type_is_coded(const struct head *head);

/* Whether the content is declared to be of this media type, in UTF-8 if it names a charset, and
 * without a content coding. The fields must be there once at the most, and well-formed.
 */
bool content_type_is(const struct head *head, struct slice media_type);

#endif
