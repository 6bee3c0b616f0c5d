/* A look at what every worker is doing, for the error log. */
#ifndef TARN_SERVER_SNAPSHOT_H
#define TARN_SERVER_SNAPSHOT_H

#include "server/server.h"

/* Logs the pool's figures and a line for each worker. Any thread. */
void snapshot_log(struct server *server);

/* Snapshots every `log.snapshot_interval` seconds. Owned by one thread. Zeroed: none yet. */
struct snapshot_timer {
    int64_t due_ms;
};

/* Logs a snapshot if one is due. Returns when the next one is (clock_now_ms()), INT64_MAX if none
 * is wanted.
 */
int64_t snapshot_timer_run(struct snapshot_timer *timer, struct server *server);

#endif
