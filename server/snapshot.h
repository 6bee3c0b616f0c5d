/* A look at what every worker is doing, for the error log. */
#ifndef TARN_SERVER_SNAPSHOT_H
#define TARN_SERVER_SNAPSHOT_H

#include "server/server.h"

/* Logs the pool's figures and a line for each worker. Any thread. */
void snapshot_log(struct server *server);

#endif
