/* A directory's listing as JSON; server/handlers/listing.h shows it. */
#ifndef TARN_SERVER_HANDLERS_LISTING_JSON_H
#define TARN_SERVER_HANDLERS_LISTING_JSON_H

#include "server/handlers/listing_entries.h"

/* Returns the document, NUL-terminated and owned by the caller; NULL without memory. `path` is
 * canonical, and a NUL stands behind it.
 */
char *listing_json_print(struct slice path, const struct listing_entries *entries);

#endif
