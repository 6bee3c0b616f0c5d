/* A directory's listing as a page, for browsers with and without scripts, wide and narrow. */
#ifndef TARN_SERVER_HANDLERS_LISTING_HTML_H
#define TARN_SERVER_HANDLERS_LISTING_HTML_H

#include "server/handlers/listing_entries.h"

/* Returns the page, NUL-terminated and owned by the caller; NULL without memory. `path` is
 * canonical; `order` is the one that the entries are in.
 */
char *listing_html_print(struct slice path, const struct listing_entries *entries,
                         struct listing_order order);

#endif
