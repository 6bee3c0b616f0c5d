/* Directory listings: what a directory holds, as a page or as JSON.
 *
 *     {"path":"/x/","entries":[{"name":"a","type":"file","bytes":1,"modified":"2026-01-02T03:04:05Z"}]}
 *
 * A directory's entry has no `bytes`. `"truncated":true` follows the entries when there are more
 * than LISTING_ENTRIES_MAX; which of them are listed is then the file system's choice. Both forms
 * take `?sort=name|size|date&order=asc|desc`, and directories always come first. What else stands
 * in the query is ignored.
 *
 * The form is what Accept prefers. Of two that are equally welcome it is HTML, unless JSON alone is
 * accepted by name, or HTML is not accepted at all.
 */
#ifndef TARN_SERVER_HANDLERS_LISTING_H
#define TARN_SERVER_HANDLERS_LISTING_H

#include "server/handlers/request.h"

/* Makes the response to GET or HEAD of a directory; request->path has a slash at its end.
 * `directory` is open for reading, at its beginning, and is closed here. Reads the directory, so it
 * may block in the disk. 503 without memory.
 */
void listing_answer(struct request *request, int directory);

/* --- for other lists ----------------------------------------------------------------------- */

/* Nothing runs in the page, whatever the names in it: its own style is all it needs. */
#define LISTING_POLICY                                                                             \
    SLICE("default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; "       \
          "form-action 'none'")

/* Whether the client wants JSON rather than a page, as said above. */
bool listing_prefers_json(const struct head *head);

/* Makes the response to GET or HEAD of a list. `content` is a string, taken over. */
void listing_respond(struct request *request, char *content, struct slice media_type);

#endif
