/* The answer to a form that has been stored. */
#ifndef TARN_SERVER_HANDLERS_FORM_RECEIPT_H
#define TARN_SERVER_HANDLERS_FORM_RECEIPT_H

#include "server/handlers/form_commit.h"
#include "server/handlers/request.h"

/* 201 with Location and JSON: path, name, bytes and durability of the record, as for an upload, and
 * the files as in the record. To a client that accepts HTML by name, and likes it no less than
 * JSON: 303 to /form/NAME.
 */
void form_receipt_answer(struct request *request, const struct form_stored *stored);

#endif
