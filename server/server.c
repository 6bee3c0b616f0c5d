#include "server/server.h"

#include "pool/sync.h"
#include "server/session.h"
#include "server/store/store.h"
#include "server/worker.h"

#include <errno.h>
#include <stdlib.h>

static bool has_room(struct store *store)
{
    return !store || store_check_space(store, 0) == 0;
}

/* Willing to take work: not draining, room in the queue for new connections, and in the stores. */
static bool is_ready(const struct site *site)
{
    struct server *server = site->context;
    struct pool_figures figures;
    pool_figures(server->pool, &figures);
    size_t room_for_new = server->queue_capacity * 3 / 4;
    return !server_is_draining(server) && !server_is_retiring(server) &&
           figures.queue.queued < room_for_new && has_room(site->store) && has_room(site->files);
}

/* Nothing to count where nothing is limited. */
static int create_peers(struct server *server, const struct config *config)
{
    int64_t limit = config->limits.connections_per_peer;
    if (limit > 0)
        server->peers = peer_counts_create((size_t)limit);
    return limit == 0 || server->peers ? 0 : -1;
}

static int create_workers(struct server *server, struct site *site)
{
    server->worker_count = (unsigned)site->config->pool.workers;
    server->workers = calloc(server->worker_count, sizeof(struct worker));
    if (!server->workers)
        return -1;
    for (unsigned i = 0; i < server->worker_count; i++)
        if (worker_init(&server->workers[i], server, i, site) != 0)
            return -1;
    return 0;
}

static int create_pool(struct server *server)
{
    server->pool = pool_create(&(struct pool_options){
        .workers = server->worker_count,
        .queue_capacity = server->queue_capacity,
        .run = session_run,
        .discard = session_discard,
        .context = server,
    });
    return server->pool ? 0 : -1;
}

/* What new connections, and those that are taken up, need of a site. */
static void adopt_site(struct server *server, struct site *site)
{
    site->is_ready = is_ready;
    site->context = server;
    atomic_store(&server->connections_max, (size_t)site->config->limits.connections);
    atomic_store(&server->idle_timeout_ms, site->limits.idle_timeout_ms);
    site_hold(site);
}

struct server *server_create(struct site *site, struct access_log *access_log)
{
    struct server *server = calloc(1, sizeof(*server));
    if (!server)
        return NULL;
    errno = pthread_mutex_init(&server->site_lock, NULL);
    if (errno != 0) {
        free(server);
        return NULL;
    }
    adopt_site(server, site);
    server->site = site;
    server->queue_capacity = (size_t)site->config->pool.queue;
    server->access_log = access_log;
    server->started = time(NULL);
    if (create_peers(server, site->config) == 0 && create_workers(server, site) == 0 &&
        create_pool(server) == 0)
        return server;
    server_destroy(server);
    return NULL;
}

void server_destroy(struct server *server)
{
    if (!server)
        return;
    int error = errno;
    pool_destroy(server->pool);
    for (unsigned i = 0; server->workers && i < server->worker_count; i++)
        worker_deinit(&server->workers[i]);
    site_release(server->site);
    peer_counts_destroy(server->peers);
    free(server->workers);
    sync_destroy(&server->site_lock);
    free(server);
    errno = error;
}

struct site *server_site(struct server *server)
{
    sync_lock(&server->site_lock);
    struct site *site = server->site;
    site_hold(site);
    sync_unlock(&server->site_lock);
    return site;
}

void server_set_site(struct server *server, struct site *site)
{
    adopt_site(server, site);
    sync_lock(&server->site_lock);
    struct site *old = server->site;
    server->site = site;
    sync_unlock(&server->site_lock);
    for (unsigned i = 0; i < server->worker_count; i++)
        worker_give_site(&server->workers[i], site);
    site_release(old);
}

struct worker *server_worker(struct server *server, unsigned number)
{
    return &server->workers[number];
}

bool server_connection_opened(struct server *server, struct peer peer)
{
    if (server->peers && !peer_counts_add(server->peers, peer))
        return false;
    atomic_fetch_add(&server->connections, 1);
    return true;
}

void server_connection_closed(struct server *server, struct peer peer, bool refused)
{
    if (server->peers && !refused)
        peer_counts_remove(server->peers, peer);
    atomic_fetch_sub(refused ? &server->refused : &server->connections, 1);
}

void server_relieve(struct server *server)
{
    if (atomic_load(&server->starved))
        server->relieved(server->relieved_context);
}

void server_drain(struct server *server)
{
    atomic_store(&server->draining, true);
    pool_drain(server->pool);
}

bool server_is_draining(const struct server *server)
{
    return atomic_load(&server->draining);
}

void server_retire(struct server *server)
{
    atomic_store(&server->retiring, true);
}

bool server_is_retiring(const struct server *server)
{
    return atomic_load(&server->retiring);
}

void server_counts(const struct server *server, struct server_counts *out_counts)
{
    *out_counts = (struct server_counts){0};
    for (unsigned i = 0; i < server->worker_count; i++)
        worker_add_counts(&server->workers[i], out_counts);
}
