/* What the answers to all that has been stored have in common. */
#ifndef TARN_SERVER_HANDLERS_RECEIPT_H
#define TARN_SERVER_HANDLERS_RECEIPT_H

#include "server/digest/digest.h"
#include "server/handlers/request.h"

struct cJSON;

/* Adds the Location of what is stored as `name` in `folder`, which ends with a '/'. */
void receipt_add_location(struct request *request, struct slice folder, const char *name);

/* Makes the answer 201 with a JSON text, which is taken over. NULL: there was no memory for it. It
 * is on the disk all the same, so the status and the Location say so, with `otherwise` for content.
 */
void receipt_answer(struct request *request, char *printed, struct slice otherwise);

/* Appends the path that a receipt names for a document, with a NUL: never one of the machine.
 * Returns whether it fits.
 */
bool receipt_append_path(struct text *out, const struct config *config, const char *name);

/* Adds the digest of what is stored as the member `digest`; nothing if `algorithm` is 0. It cannot
 * be a Repr-Digest: beside a receipt that would be the receipt's own (RFC 9530 section 3.2).
 * Returns false without memory.
 */
bool receipt_add_digest(struct cJSON *receipt, const struct digest *digest, unsigned algorithm);

#endif
