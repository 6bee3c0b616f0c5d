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
    error_log(level, status.client,
              "snapshot: worker %u %s for %lld ms with %s, begun %lld ms ago, %llu of %llu bytes",
              worker->number, status.in_disk ? "is in the disk" : "runs",
              (long long)(now_ms - status.since_ms),
              status.request[0] ? status.request : "a connection",
              (long long)(now_ms - status.begun_ms), (unsigned long long)status.sent_bytes,
              (unsigned long long)status.content_bytes);
}

int64_t snapshot_timer_run(struct snapshot_timer *timer, struct server *server)
{
    struct site *site = server_site(server);
    int64_t interval_ms = site->config->log.snapshot_interval * 1000;
    site_release(site);
    int64_t now_ms = clock_now_ms();
    if (interval_ms == 0)
        timer->due_ms = 0;
    else if (timer->due_ms == 0 || timer->due_ms > now_ms + interval_ms)
        timer->due_ms = now_ms + interval_ms; /* switched on, or made shorter */
    if (timer->due_ms == 0)
        return INT64_MAX;
    if (timer->due_ms <= now_ms) {
        snapshot_log(server);
        timer->due_ms = now_ms + interval_ms;
    }
    return timer->due_ms;
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
