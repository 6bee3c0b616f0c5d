/* The visitor cookie: a random id for a browser that has none, so that the operator can tell
 * visits apart. Off unless the configuration names it.
 */
#ifndef TARN_SERVER_VISITOR_H
#define TARN_SERVER_VISITOR_H

#include "server/handlers/request.h"

/* Adds a Set-Cookie field (RFC 6265) to a page for a client that has sent no such cookie. The
 * cookie is HttpOnly and SameSite=Lax.
 */
void visitor_add_cookie(struct request *request);

#endif
