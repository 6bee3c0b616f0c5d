/* The answer to an upload that is on the disk. */
#ifndef TARN_SERVER_HANDLERS_UPLOAD_RECEIPT_H
#define TARN_SERVER_HANDLERS_UPLOAD_RECEIPT_H

#include "server/handlers/request.h"
#include "server/handlers/upload_record.h"

/* 201 with the Location of the (first) document, and what was stored: an object for one document,
 * an array of such for a batch. `digest` is told with one document, if `asked_for` is an algorithm.
 * Nothing can go wrong any more: without memory for the content, that is an empty object or array.
 */
void upload_receipt_answer(struct request *request, const struct upload_record *record,
                           const struct digest *digest, unsigned asked_for);

#endif
