/* What `server status` prints. */
#ifndef TARN_SERVER_CONTROL_STATUS_H
#define TARN_SERVER_CONTROL_STATUS_H

#include "server/server.h"

/* The figures of a server as lines of text, which the caller frees. NULL without memory. Any
 * thread.
 */
char *status_text(struct server *server, uint16_t port);

#endif
