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

/* Prepares a listening socket that another process has opened as listen_socket_open() does it.
 * Returns 0, or -1 with errno: EINVAL if it is no stream socket of IP that listens.
 */
int listen_socket_adopt(int socket);

/* Whether a socket is bound to what listen_socket_open() would bind it to. */
bool listen_socket_is_at(int socket, const char *host, uint16_t port);

/* The port that a socket is bound to; 0 if it is not bound. */
uint16_t listen_socket_port(int socket);

#endif
