/* What one worker thread has for itself: buffers that it lends to the connection it runs, the
 * date of the second, and what it tells of its work.
 */
#ifndef TARN_SERVER_WORKER_H
#define TARN_SERVER_WORKER_H

#include "http/connection.h"
#include "http/date.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

struct server;
struct server_counts;
struct session;
struct site;

/* What a worker is doing, for people who look. */
struct worker_status {
    bool busy;
    bool in_disk; /* it may block in the disk, and does not count as running */
    char client[INET6_ADDRSTRLEN];
    char request[96];       /* the request line, cut; empty before one is known */
    int64_t since_ms;       /* when it took this connection up; CLOCK_MONOTONIC */
    int64_t begun_ms;       /* when the request began, likewise; before that the same */
    uint64_t content_bytes; /* of the response; 0 before one is known */
    uint64_t sent_bytes;    /* of these, before the piece that is being sent */
};

struct worker {
    /* Constant after init. */
    struct server *server;
    unsigned number;
    char *memory; /* owned: all the buffers in one block */
    char *path;
    size_t path_size;
    char *content;
    size_t content_size;

    /* The worker's thread only. */
    struct connection_worker lends;
    struct transport transport; /* tells what is sent, and hands on to: */
    struct transport socket_transport;
    struct session *session;              /* the one that runs; NULL */
    int socket;                           /* its socket */
    char local_address[INET6_ADDRSTRLEN]; /* of that; empty: not asked for yet */
    char date[DATE_LEN + 1];
    time_t date_time;
    int64_t queue_wait_us;    /* of the session, until a request that has begun has it */
    int64_t waiting_since_us; /* that request had come in by then; INT64_MAX: nobody knows */

    /* Written by the worker's thread only, read by any. */
    atomic_uint_least64_t requests_by_class[6];
    atomic_uint_least64_t content_bytes;
    atomic_uint_least64_t response_bytes; /* as in the status */
    atomic_uint_least64_t sent_bytes;

    /* Guarded by lock: written by the worker, read by whoever makes a snapshot. */
    pthread_mutex_t lock;
    struct worker_status status; /* but for the bytes */

    /* Written under the lock, and `site` only while the worker is not busy: so a busy worker may
     * read it without.
     */
    struct site *site;      /* held; of requests that begin */
    struct site *next_site; /* held; given to a busy worker, for when it is not; NULL */
};

/* Makes the buffers as large as the site wants them. Returns 0, or -1 with errno. Zeroed memory may
 * be given to worker_deinit().
 */
int worker_init(struct worker *worker, struct server *server, unsigned number, struct site *site);
void worker_deinit(struct worker *worker);

/* Gives the worker another site, which it holds. Any thread. */
void worker_give_site(struct worker *worker, struct site *site);

/* The worker may block in the disk now. By its thread. */
void worker_enter_disk(struct worker *worker);

/* It will not any more: reads the clocks again, since the peer must not pay for the time that the
 * disk took. By its thread.
 */
void worker_leave_disk(struct worker *worker);

/* Around each run of a connection, by the worker's thread. */
void worker_take_up(struct worker *worker, struct session *session);
void worker_put_down(struct worker *worker);

/* Tells which request the worker is with, by its thread. */
void worker_tell_request(struct worker *worker, const struct exchange *exchange);

/* Counts a request that is over: the status of its answer, 0 if it had none. By its thread. */
void worker_count_request(struct worker *worker, unsigned status, uint64_t content_bytes);

/* Adds what the worker has counted. Any thread. */
void worker_add_counts(const struct worker *worker, struct server_counts *counts);

/* A copy of the status. Any thread. */
void worker_status(struct worker *worker, struct worker_status *out_status);

#endif
