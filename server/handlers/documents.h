/* Stored uploads: GET and HEAD of /uploads/NAME, and of /uploads/ (documents_list.h).
 *
 * They came from clients, so they are never active content: whatever is in them, a browser runs
 * nothing of it.
 */
#ifndef TARN_SERVER_HANDLERS_DOCUMENTS_H
#define TARN_SERVER_HANDLERS_DOCUMENTS_H

#include "server/handlers/request.h"

extern const struct handler documents_handler;

#endif
