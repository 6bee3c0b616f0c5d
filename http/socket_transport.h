/* The transport over a connected, non-blocking stream socket. */
#ifndef TARN_HTTP_SOCKET_TRANSPORT_H
#define TARN_HTTP_SOCKET_TRANSPORT_H

#include "http/transport.h"

/* The kernel buffers so much of a response that has not been sent yet, for each connection: more
 * would only be memory, since a connection that drains it is asked for more in time; but for a fast
 * peer it spares calls. To be set on the listening socket (TCP_NOTSENT_LOWAT).
 */
#define SOCKET_UNSENT_BYTES 131072

/* `socket` must live as long as the transport; it is not closed by it. With `use_sendfile` false
 * files go through the server's memory.
 */
struct transport socket_transport(const int *socket, bool use_sendfile);

#endif
