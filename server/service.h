/* What the server answers: the service of http/connection.h. Its context is the worker. */
#ifndef TARN_SERVER_SERVICE_H
#define TARN_SERVER_SERVICE_H

#include "http/connection.h"

extern const struct service service;

/* The exchange goes on after its worker has put it down, maybe with another: it holds the site that
 * it was begun with. NULL is allowed.
 */
void service_suspend(struct exchange *exchange);

#endif
