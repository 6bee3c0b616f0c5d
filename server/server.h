/* The running server: what its threads share. Made before they start, freed after they ended. */
#ifndef TARN_SERVER_SERVER_H
#define TARN_SERVER_SERVER_H

#include "http/connection.h"
#include "pool/pool.h"
#include "server/log/access_log.h"
#include "server/peer_counts.h"
#include "server/site.h"

#include <stdatomic.h>

struct worker;

struct server {
    /* Constant after create. */
    struct site site;
    struct connection_limits limits;
    size_t connections_max; /* set before the threads start */
    struct pool *pool;
    struct access_log *access_log;
    struct worker *workers;
    unsigned worker_count;
    struct peer_counts *peers; /* NULL: a peer may have any number of connections */
    struct authority *hosts;   /* the `hosts` entries, parsed */

    /* Any thread. */
    atomic_size_t connections; /* open, refused ones left out */
    atomic_size_t refused;     /* refused ones that still linger */
    atomic_bool draining;
    atomic_bool starved; /* the listener waits for a descriptor, or for memory */

    /* Called when a connection has been closed while `starved`. Set before the threads start. */
    void (*relieved)(void *context);
    void *relieved_context;
};

/* Makes the server with its pool, whose workers do not run yet. `port` is the one that it listens
 * to. `root`, `store` and `access_log` stay the caller's, and must outlive it.
 * Returns NULL with errno.
 */
struct server *server_create(const struct config *config, uint16_t port, int root,
                             struct store *store, struct access_log *access_log);

/* Closes the connections that are left. The pool must have been stopped. NULL is allowed. */
void server_destroy(struct server *server);

struct worker *server_worker(struct server *server, unsigned number);

/* Counts a new connection. Returns false, nothing counted, if its peer has too many. Any thread. */
bool server_connection_opened(struct server *server, struct peer peer);

/* Counts a closed connection. Any thread. */
void server_connection_closed(struct server *server, struct peer peer, bool refused);

/* From now on responses close their connections, and idle ones are closed. */
void server_drain(struct server *server);
bool server_is_draining(const struct server *server);

#endif
