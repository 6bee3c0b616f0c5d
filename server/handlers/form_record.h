/* A form as a JSON document:
 *
 *     {"fields": {"name": "Ada", "colour": ["red", "blue"]},
 *      "files": [{"field": "photo", "filename": "me.jpg", "type": "image/jpeg",
 *                 "name": "me_0123456789abcdef.jpg", "path": "/files/me_0123456789abcdef.jpg",
 *                 "bytes": 12345}]}
 *
 * A field that came once is a string, one that came several times an array, in the order in which
 * the values came. `filename` and `type` are what the client says; `name` is where the file is.
 */
#ifndef TARN_SERVER_HANDLERS_FORM_RECORD_H
#define TARN_SERVER_HANDLERS_FORM_RECORD_H

#include "server/handlers/form_entries.h"
#include "server/handlers/form_files.h"

struct cJSON;

/* The files must have been committed. Returns the document, which the caller deletes; NULL without
 * memory.
 */
struct cJSON *form_record_create(const struct form_entries *entries,
                                 const struct form_files *files);

#endif
