/* A client's connection as the pool sees it: the item, the socket, and the state machine. */
#ifndef TARN_SERVER_SESSION_H
#define TARN_SERVER_SESSION_H

#include "http/connection.h"
#include "pool/item.h"
#include "server/peer_counts.h"

#include <netinet/in.h>
#include <sys/socket.h>

struct server;

/* Owned by whoever owns the pool item in it. Kept small: an idle connection is little else. */
struct session {
    struct pool_item item; /* first, so that a pointer to it is one to the session */
    struct connection connection;
    char client[INET6_ADDRSTRLEN]; /* the peer's address as text */
    struct peer peer;
    bool refused; /* counted among the refused, not among the connections */
};

/* Makes a session of an accepted, non-blocking socket, which it owns from then on.
 * Returns NULL without memory; then the socket is still the caller's.
 */
struct session *session_create(int socket, const struct sockaddr_storage *peer,
                               int64_t idle_timeout_ms);

/* Makes one that has been answered already and only lingers. */
struct session *session_create_refused(int socket, const struct sockaddr_storage *peer);

/* The pool's `run` and `discard`; context is the struct server, number the worker's. */
enum pool_next session_run(struct pool_item *item, enum pool_event event, unsigned number,
                           void *context);
void session_discard(struct pool_item *item, void *context);

/* An address as text: IPv4-mapped addresses as IPv4. */
void session_format_address(const struct sockaddr_storage *address, char out[INET6_ADDRSTRLEN]);

#endif
