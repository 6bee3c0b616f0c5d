/* The socket that the server listens to. */
#ifndef TARN_SERVER_LISTEN_SOCKET_H
#define TARN_SERVER_LISTEN_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

/* Opens a non-blocking listening socket. `host` is a numeric address, "localhost" (127.0.0.1), or
 * "*" (all addresses, of IPv6 too where the machine has it); port 0 means any free one.
 * Returns the descriptor, or -1 with errno.
 */
int listen_socket_open(const char *host, uint16_t port, int backlog);

/* The port that a socket is bound to; 0 if it is not bound. */
uint16_t listen_socket_port(int socket);

#endif
