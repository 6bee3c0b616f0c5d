#include "server/server.h"

#include "server/handlers/file_cache.h"
#include "server/session.h"
#include "server/store/store.h"
#include "server/worker.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct connection_limits limits_of(const struct config *config)
{
    return (struct connection_limits){
        .head = {.head_bytes = (size_t)config->limits.head_bytes,
                 .head_fields = (unsigned)config->limits.head_fields},
        .max_requests = (unsigned)config->limits.max_requests,
        .idle_timeout_ms = config->limits.idle_timeout * 1000,
        .header_timeout_ms = config->limits.header_timeout * 1000,
        .body_timeout_ms = config->limits.body_timeout * 1000,
        .write_timeout_ms = config->limits.write_timeout * 1000,
        .min_rate = (uint64_t)config->limits.min_rate,
        .content_bytes = (uint64_t)config->limits.body_bytes,
    };
}

/* Willing to take work: not draining, room in the queue for new connections, and on the disk. */
static bool is_ready(void *context)
{
    struct server *server = context;
    struct pool_figures figures;
    pool_figures(server->pool, &figures);
    size_t room_for_new = (size_t)server->site.config->pool.queue * 3 / 4;
    return !server_is_draining(server) && figures.queue.queued < room_for_new &&
           store_check_space(server->site.store, 0) == 0;
}

/* The hosts that are served. The configuration has been checked, so that they parse. */
static int set_authorities(struct server *server, uint16_t port)
{
    const struct string_list *hosts = &server->site.config->hosts;
    server->hosts = calloc(hosts->count + 1, sizeof(struct authority));
    if (!server->hosts)
        return -1;
    for (size_t i = 0; i < hosts->count; i++) {
        int result = authority_parse(slice_from_string(hosts->items[i]), &server->hosts[i]);
        assert(result == 0);
        (void)result;
    }
    server->site.authorities = (struct authority_rules){
        .configured_host = slice_from_string(server->site.config->listen.host),
        .port = port,
        .extra = server->hosts,
        .extra_count = hosts->count,
    };
    return 0;
}

/* Nothing to count where nothing is limited. */
static int create_peers(struct server *server)
{
    int64_t limit = server->site.config->limits.connections_per_peer;
    if (limit > 0)
        server->peers = peer_counts_create((size_t)limit);
    return limit == 0 || server->peers ? 0 : -1;
}

static int create_workers(struct server *server)
{
    server->worker_count = (unsigned)server->site.config->pool.workers;
    server->workers = calloc(server->worker_count, sizeof(struct worker));
    if (!server->workers)
        return -1;
    for (unsigned i = 0; i < server->worker_count; i++)
        if (worker_init(&server->workers[i], server, i) != 0)
            return -1;
    return 0;
}

struct server *server_create(const struct config *config, uint16_t port, int root,
                             struct store *store, struct access_log *access_log)
{
    struct server *server = calloc(1, sizeof(*server));
    if (!server)
        return NULL;
    server->site = (struct site){
        .config = config,
        .root = root,
        .store = store,
        .is_ready = is_ready,
        .context = server,
    };
    server->limits = limits_of(config);
    server->connections_max = (size_t)config->limits.connections;
    server->access_log = access_log;
    server->site.file_cache = file_cache_create();
    if (!server->site.file_cache)
        goto fail;
    if (set_authorities(server, port) != 0 || create_peers(server) != 0 ||
        create_workers(server) != 0)
        goto fail;
    server->pool = pool_create(&(struct pool_options){
        .workers = server->worker_count,
        .queue_capacity = (size_t)config->pool.queue,
        .run = session_run,
        .discard = session_discard,
        .context = server,
    });
    if (!server->pool)
        goto fail;
    return server;

fail:
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
    file_cache_destroy(server->site.file_cache);
    peer_counts_destroy(server->peers);
    free(server->workers);
    free(server->hosts);
    free(server);
    errno = error;
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
