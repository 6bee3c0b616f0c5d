/* Media types by file name extension. */
#ifndef TARN_SERVER_HANDLERS_MEDIA_TYPES_H
#define TARN_SERVER_HANDLERS_MEDIA_TYPES_H

#include "http/slice.h"

/* The part behind the last dot of a file's name; empty if there is none. */
struct slice media_types_extension(struct slice name);

/* The media type for an extension, compared without case; text types with charset=utf-8.
 * Empty when the extension is not known. A literal.
 */
struct slice media_types_find(struct slice extension);

#endif
