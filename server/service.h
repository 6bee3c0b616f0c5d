/* What the server answers: the service of http/connection.h. Its context is the worker. */
#ifndef TARN_SERVER_SERVICE_H
#define TARN_SERVER_SERVICE_H

#include "http/connection.h"

extern const struct service service;

#endif
