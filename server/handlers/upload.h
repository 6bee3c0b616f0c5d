/* POST /upload: one JSON document, or a batch of them (newline-delimited), checked as it comes and
 * stored byte for byte.
 *
 * 201 means that it is on the disk: the answer is made after the store has committed it; of a batch
 * all documents, else none. Content that turns out wrong is read to its end all the same, so that
 * the client reads the answer and keeps its connection; nothing of it is kept.
 */
#ifndef TARN_SERVER_HANDLERS_UPLOAD_H
#define TARN_SERVER_HANDLERS_UPLOAD_H

#include "server/handlers/request.h"

extern const struct handler upload_handler;

#endif
