#include "server/snapshot.h"

#include "pool/clock.h"
#include "server/log/error_log.h"
#include "server/worker.h"

static void log_pool(struct server *server, enum log_level level)
{
    struct pool_figures figures;
    pool_figures(server->pool, &figures);
    error_log(level, NULL,
              "snapshot: queue %zu of %zu, most so far %zu, waiting for the disk %zu; workers %u "
              "running and %u in the disk of %u; connections %zu: %zu idle, %zu in a head, %zu "
              "busy; refused ones lingering %zu; log lines dropped %llu",
              figures.queue.queued, server->queue_capacity, figures.queue.queued_most,
              figures.queue.waiting_for_disk, figures.queue.running, figures.queue.blocking,
              server->worker_count, atomic_load(&server->connections),
              figures.parked[POOL_EVICT_FIRST], figures.parked[POOL_EVICT_SECOND],
              figures.parked[POOL_KEEP], atomic_load(&server->refused),
              (unsigned long long)access_log_dropped(server->access_log));
}

static void log_worker(struct worker *worker, int64_t now_ms, enum log_level level)
{
    struct worker_status status;
    worker_status(worker, &status);
    if (!status.busy) {
        error_log(level, NULL, "snapshot: worker %u waits", worker->number);
        return;
    }
    error_log(level, status.client, "snapshot: worker %u for %lld ms with %s, %llu of %llu bytes",
              worker->number, (long long)(now_ms - status.since_ms),
              status.request[0] ? status.request : "a connection",
              (unsigned long long)status.sent_bytes, (unsigned long long)status.content_bytes);
}

void snapshot_log(struct server *server)
{
    /* It has been asked for, so it is written whatever the log's level. */
    enum log_level level = error_log_wants(LOG_INFO) ? LOG_INFO : LOG_ERROR;
    int64_t now_ms = clock_now_ms();
    log_pool(server, level);
    for (unsigned i = 0; i < server->worker_count; i++)
        log_worker(server_worker(server, i), now_ms, level);
}
