/* GET /cookies: the cookies that the client has sent, as a JSON object. */
#ifndef TARN_SERVER_HANDLERS_COOKIES_H
#define TARN_SERVER_HANDLERS_COOKIES_H

#include "server/handlers/request.h"

extern const struct handler cookies_handler;

#endif
