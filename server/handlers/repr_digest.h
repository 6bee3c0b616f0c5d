/* Repr-Digest (RFC 9530 section 3) for answers with a file. */
#ifndef TARN_SERVER_HANDLERS_REPR_DIGEST_H
#define TARN_SERVER_HANDLERS_REPR_DIGEST_H

#include "server/digest/digest.h"
#include "server/handlers/request.h"

/* Of longer files no digest is told: to read one through takes a worker's time. */
#define REPR_DIGEST_BYTES_MAX 16777216

/* Adds the digest of the whole file to a response that was made from it, all or parts, if the
 * request asks for one (Want-Repr-Digest). A request to tell a digest is a wish: where there is
 * none to be had the response stays as it is.
 */
void repr_digest_add(struct request *request);

/* The same for an answer without content to a request whose content is the whole file; `digest` was
 * begun with what the request asks for, and is finished.
 */
void repr_digest_add_known(struct request *request, const struct digest *digest);

#endif
