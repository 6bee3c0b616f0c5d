/* The listener: one thread that accepts connections and pushes them onto the pool's queue.
 *
 * When there are more connections than may be, one that waits idly makes room; when nobody can,
 * or the queue is full, the new one is refused with a 503 that costs no worker.
 */
#ifndef TARN_SERVER_LISTENER_H
#define TARN_SERVER_LISTENER_H

#include "server/server.h"

struct listener;

/* Makes a listener for `socket`, which it owns from then on. Returns NULL with errno; then the
 * socket is still the caller's. To be called before the pool starts.
 */
struct listener *listener_create(struct server *server, int socket);

/* The socket, which stays the listener's. Before listener_stop(). */
int listener_socket(const struct listener *listener);

/* Starts its thread. Returns 0, or -1 with errno. */
int listener_start(struct listener *listener);

/* Ends the thread and closes the socket. May be called again, and without a start. */
void listener_stop(struct listener *listener);

/* listener_stop() must have been called. NULL is allowed. */
void listener_destroy(struct listener *listener);

#endif
