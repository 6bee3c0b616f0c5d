/* Cross-origin requests of browsers (the Fetch standard's CORS protocol), for the origins that the
 * configuration lists; without any, nothing of it is sent.
 */
#ifndef TARN_SERVER_CORS_H
#define TARN_SERVER_CORS_H

#include "server/handlers/request.h"

/* Whether pages of this origin (an Origin field's value) may read answers and write. */
bool cors_allows(const struct config *config, struct slice origin);

/* Adds the fields that tell the browser so to a response that has been made; for a preflight also
 * what may be sent.
 */
void cors_add_fields(struct request *request);

#endif
