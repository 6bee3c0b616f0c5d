/* Storing the content of an upload that has been found right. Waits for the disk. */
#ifndef TARN_SERVER_HANDLERS_UPLOAD_COMMIT_H
#define TARN_SERVER_HANDLERS_UPLOAD_COMMIT_H

#include "server/handlers/upload_key.h"
#include "server/handlers/upload_lines.h"
#include "server/handlers/upload_spool.h"

/* Stores one document, remembered under the key if there is one. Fills in the documents of *record,
 * whose other members are set. Returns 0; or -1 with errno, and nothing is visible.
 */
int upload_commit_document(struct upload_spool *spool, struct upload_key *key,
                           struct upload_record *record);

/* The same for a batch: all documents or none. */
int upload_commit_batch(const struct upload_spool *spool, const struct upload_lines *lines,
                        struct upload_key *key, struct upload_record *record);

#endif
