/* The running server: what its threads share. Made before they start, freed after they ended. */
#ifndef TARN_SERVER_SERVER_H
#define TARN_SERVER_SERVER_H

#include "http/connection.h"
#include "pool/pool.h"
#include "server/log/access_log.h"
#include "server/peer_counts.h"
#include "server/site.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

struct worker;

struct server {
    /* Constant after create. */
    struct pool *pool;
    size_t queue_capacity;
    struct access_log *access_log;
    struct worker *workers;
    unsigned worker_count;
    struct peer_counts *peers; /* NULL: a peer may have any number of connections */
    time_t started;

    /* Guarded by site_lock. */
    pthread_mutex_t site_lock;
    struct site *site; /* held; the newest */

    /* Any thread. */
    atomic_size_t connections_max;
    atomic_int_least64_t idle_timeout_ms; /* of a new connection */
    atomic_size_t connections;            /* open, refused ones left out */
    atomic_size_t refused;                /* refused ones that still linger */
    atomic_bool draining;
    atomic_bool retiring;
    atomic_bool starved; /* the listener waits for a descriptor, or for memory */

    /* Called when a connection has been closed while `starved`. Set before the threads start. */
    void (*relieved)(void *context);
    void *relieved_context;
};

/* Makes the server with its pool, whose workers do not run yet. It holds the site. `access_log`
 * stays the caller's, and must outlive it. Returns NULL with errno.
 */
struct server *server_create(struct site *site, struct access_log *access_log);

/* Closes the connections that are left. The pool must have been stopped. NULL is allowed. */
void server_destroy(struct server *server);

/* The site that new requests get. The caller holds it. Any thread. */
struct site *server_site(struct server *server);

/* Gives new requests another site; the server holds it. What the threads and their buffers were
 * made by must not differ: see config_find_fixed(). Any thread.
 */
void server_set_site(struct server *server, struct site *site);

struct worker *server_worker(struct server *server, unsigned number);

/* Counts a new connection. Returns false, nothing counted, if its peer has too many. Any thread. */
bool server_connection_opened(struct server *server, struct peer peer);

/* Counts a connection that is about to be closed. Any thread. */
void server_connection_closed(struct server *server, struct peer peer, bool refused);

/* A descriptor has become free. Any thread. */
void server_relieve(struct server *server);

/* From now on responses close their connections, and idle ones are closed. */
void server_drain(struct server *server);
bool server_is_draining(const struct server *server);

/* Another process has taken over: from now on responses close their connections, but idle ones
 * stay open for their next request, which may be on its way already.
 */
void server_retire(struct server *server);
bool server_is_retiring(const struct server *server);

/* What the server has done since it started. */
struct server_counts {
    uint64_t requests;
    uint64_t by_class[6]; /* by the first digit of the status; 0: without an answer */
    uint64_t content_bytes;
};

/* Any thread. */
void server_counts(const struct server *server, struct server_counts *out_counts);

#endif
