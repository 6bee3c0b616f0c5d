#include "server/control/status.h"

#include "server/store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static void print_uptime(FILE *out, time_t started)
{
    long long s = (long long)(time(NULL) - started);
    if (s < 0)
        s = 0; /* the clock was set back */
    (void)fprintf(out, "up          %lld d %02lld:%02lld:%02lld\n", s / 86400, s / 3600 % 24,
                  s / 60 % 60, s % 60);
}

static void print_pool(FILE *out, struct server *server)
{
    struct pool_figures figures;
    pool_figures(server->pool, &figures);
    (void)fprintf(out, "workers     %u: %u running, %u in the disk\n", server->worker_count,
                  figures.queue.running, figures.queue.blocking);
    (void)fprintf(out, "queue       %zu of %zu, most so far %zu; waiting for the disk %zu\n",
                  figures.queue.queued, server->queue_capacity, figures.queue.queued_most,
                  figures.queue.waiting_for_disk);
    (void)fprintf(out,
                  "connections %zu of %zu: %zu idle, %zu in a head, %zu busy; %zu refused ones "
                  "linger\n",
                  atomic_load(&server->connections), atomic_load(&server->connections_max),
                  figures.parked[POOL_EVICT_FIRST], figures.parked[POOL_EVICT_SECOND],
                  figures.parked[POOL_KEEP], atomic_load(&server->refused));
}

static void print_counts(FILE *out, const struct server *server)
{
    struct server_counts counts;
    server_counts(server, &counts);
    (void)fprintf(out,
                  "requests    %" PRIu64 ": 2xx %" PRIu64 ", 3xx %" PRIu64 ", 4xx %" PRIu64
                  ", 5xx %" PRIu64 ", unanswered %" PRIu64 "\n",
                  counts.requests, counts.by_class[2], counts.by_class[3], counts.by_class[4],
                  counts.by_class[5], counts.by_class[0]);
    (void)fprintf(out, "content     %" PRIu64 " bytes sent\n", counts.content_bytes);
    (void)fprintf(out, "log         %" PRIu64 " lines dropped\n",
                  server->access_log ? access_log_dropped(server->access_log) : 0);
}

static void print_site(FILE *out, const struct site *site, uint16_t port)
{
    const struct config *config = site->config;
    (void)fprintf(out, "address     %s port %u\n", config->listen.host, port);
    (void)fprintf(out, "root        %s\n", config->root);
    (void)fprintf(out, "file        %s\n", config->file ? config->file : "none");
}

char *status_text(struct server *server, uint16_t port)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    struct site *site = server_site(server);
    (void)fprintf(out, "process     %d, tarn " TARN_VERSION "\n", (int)getpid());
    (void)fprintf(out, "state       %s\n", server_is_draining(server) ? "stopping" : "serving");
    print_uptime(out, server->started);
    print_site(out, site, port);
    site_release(site);
    print_pool(out, server);
    print_counts(out, server);
    return fclose(out) == 0 ? text : NULL;
}
