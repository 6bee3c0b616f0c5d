/* The transport over a connected, non-blocking stream socket. */
#ifndef TARN_HTTP_SOCKET_TRANSPORT_H
#define TARN_HTTP_SOCKET_TRANSPORT_H

#include "http/transport.h"

/* `socket` must live as long as the transport; it is not closed by it. With `use_sendfile` false
 * files go through the server's memory.
 */
struct transport socket_transport(const int *socket, bool use_sendfile);

#endif
