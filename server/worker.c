#include "server/worker.h"

#include "http/socket_transport.h"
#include "pool/clock.h"
#include "pool/sync.h"
#include "server/server.h"
#include "server/service.h"
#include "server/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* For a body's bytes, behind the head that is still in use. */
#define INPUT_BYTES_MORE 65536

/* A percent-encoded byte is three; the longest field is a Location of the longest target. */
#define FIELD_BYTES_MORE 2048
#define HEAD_BYTES_MORE  1024
#define CONTENT_BYTES    8192 /* an error page, or a path that is longer */

static int allocate_buffers(struct worker *worker, const struct config *config)
{
    size_t head_limit = (size_t)config->limits.head_bytes;
    struct connection_worker *lends = &worker->lends;
    lends->input_size = 2 * head_limit + INPUT_BYTES_MORE;
    lends->fields_size = 3 * head_limit + FIELD_BYTES_MORE;
    lends->head_size = lends->fields_size + HEAD_BYTES_MORE;
    lends->chunk.size = (size_t)config->stream.chunk_bytes;
    worker->path_size = head_limit + 1;
    worker->content_size = head_limit + CONTENT_BYTES;

    worker->memory = malloc(lends->input_size + lends->fields_size + lends->head_size +
                            lends->chunk.size + worker->path_size + worker->content_size);
    if (!worker->memory)
        return -1;
    lends->input = worker->memory;
    lends->fields = lends->input + lends->input_size;
    lends->head = lends->fields + lends->fields_size;
    lends->chunk.buffer = lends->head + lends->head_size;
    worker->path = lends->chunk.buffer + lends->chunk.size;
    worker->content = worker->path + worker->path_size;
    return 0;
}

/* --- what is being sent -------------------------------------------------------------------- */

/* For those who look, at the moment when the thread goes into the kernel and may stay there. */
static void tell_progress(struct worker *worker, const struct exchange *exchange)
{
    atomic_store_explicit(&worker->response_bytes, response_content_bytes(&exchange->response),
                          memory_order_relaxed);
    atomic_store_explicit(&worker->sent_bytes, exchange_content_sent(exchange),
                          memory_order_relaxed);
}

static ssize_t receive(void *context, void *buffer, size_t size)
{
    struct worker *worker = context;
    return worker->socket_transport.receive(worker->socket_transport.context, buffer, size);
}

static ssize_t send_parts(void *context, const struct iovec *parts, int count, bool more)
{
    struct worker *worker = context;
    tell_progress(worker, worker->session->connection.exchange);
    return worker->socket_transport.send(worker->socket_transport.context, parts, count, more);
}

static ssize_t send_file(void *context, int file, off_t offset, size_t len)
{
    struct worker *worker = context;
    tell_progress(worker, worker->session->connection.exchange);
    return worker->socket_transport.send_file(worker->socket_transport.context, file, offset, len);
}

static uint64_t unacknowledged(void *context)
{
    struct worker *worker = context;
    return worker->socket_transport.unacknowledged(worker->socket_transport.context);
}

static void hold_more(void *context, bool more)
{
    struct worker *worker = context;
    worker->socket_transport.hold_more(worker->socket_transport.context, more);
}

static void finish(void *context)
{
    struct worker *worker = context;
    worker->socket_transport.finish(worker->socket_transport.context);
}

static struct transport telling_transport(struct worker *worker)
{
    return (struct transport){
        .receive = receive,
        .send = send_parts,
        .send_file = worker->socket_transport.send_file ? send_file : NULL,
        .unacknowledged = unacknowledged,
        .hold_more = hold_more,
        .finish = finish,
        .context = worker,
    };
}

/* --- making -------------------------------------------------------------------------------- */

int worker_init(struct worker *worker, struct server *server, unsigned number, struct site *site)
{
    const struct config *config = site->config;
    if (allocate_buffers(worker, config) != 0)
        return -1;
    errno = pthread_mutex_init(&worker->lock, NULL);
    if (errno != 0) {
        free(worker->memory);
        worker->memory = NULL;
        return -1;
    }
    worker->server = server;
    worker->number = number;
    worker->socket = -1;
    worker->socket_transport = socket_transport(&worker->socket, config->stream.sendfile);
    worker->transport = telling_transport(worker);
    site_hold(site);
    worker->site = site;
    worker->lends.service = &service;
    worker->lends.context = worker;
    worker->lends.transport = &worker->transport;
    return 0;
}

void worker_deinit(struct worker *worker)
{
    if (!worker->memory)
        return;
    connection_worker_deinit(&worker->lends);
    site_release(worker->site);
    site_release(worker->next_site);
    sync_destroy(&worker->lock);
    free(worker->memory);
    worker->memory = NULL;
}

void worker_give_site(struct worker *worker, struct site *site)
{
    site_hold(site);
    sync_lock(&worker->lock);
    struct site **place = worker->status.busy ? &worker->next_site : &worker->site;
    struct site *old = *place;
    *place = site;
    sync_unlock(&worker->lock);
    site_release(old); /* which may take its time */
}

static void update_date(struct worker *worker)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME_COARSE, &now); /* fails for an unknown clock only */
    if (now.tv_sec == worker->date_time && worker->lends.date.len > 0)
        return;
    worker->date_time = now.tv_sec;
    date_format(now.tv_sec, worker->date);
    worker->lends.date = (struct slice){worker->date, DATE_LEN};
}

/* Returns the monotonic clock. */
static int64_t read_clocks(struct worker *worker)
{
    int64_t now_us = clock_now_us();
    worker->lends.now_ms = now_us / 1000;
    update_date(worker);
    return now_us;
}

/* How long the session has waited in the pool; once, since a session runs on without waiting too.
 */
static int64_t take_queue_wait_us(struct session *session, int64_t now_us)
{
    int64_t since_us = session->item.ready_us;
    session->item.ready_us = 0;
    return since_us > 0 ? now_us - since_us : 0;
}

void worker_take_up(struct worker *worker, struct session *session)
{
    worker->session = session;
    worker->socket = session->item.fd;
    worker->local_address[0] = '\0';
    worker->queue_wait_us = take_queue_wait_us(session, read_clocks(worker));
    session->connection.closing |= server_is_draining(worker->server);
    session->connection.parting |= server_is_retiring(worker->server);

    sync_lock(&worker->lock);
    worker->lends.limits = &worker->site->limits;
    worker->status.busy = true;
    worker->status.in_disk = false;
    worker->status.since_ms = worker->status.begun_ms = worker->lends.now_ms;
    worker->status.request[0] = '\0';
    memcpy(worker->status.client, session->client, sizeof(session->client));
    sync_unlock(&worker->lock);
    atomic_store_explicit(&worker->response_bytes, 0, memory_order_relaxed);
    atomic_store_explicit(&worker->sent_bytes, 0, memory_order_relaxed);
    if (session->connection.exchange && !connection_is_in_head(&session->connection))
        worker_tell_request(worker, session->connection.exchange);
}

void worker_put_down(struct worker *worker)
{
    worker->session = NULL;
    worker->socket = -1;
    struct site *old = NULL;
    sync_lock(&worker->lock);
    worker->status.busy = false;
    if (worker->next_site) {
        old = worker->site;
        worker->site = worker->next_site;
        worker->next_site = NULL;
    }
    sync_unlock(&worker->lock);
    site_release(old);
}

void worker_tell_request(struct worker *worker, const struct exchange *exchange)
{
    struct slice line = head_slice(&exchange->head, exchange->head.request_line);
    size_t len = line.len;
    if (len >= sizeof(worker->status.request))
        len = sizeof(worker->status.request) - 1;
    sync_lock(&worker->lock);
    if (len > 0)
        memcpy(worker->status.request, line.data, len);
    worker->status.request[len] = '\0';
    worker->status.begun_ms = exchange->began_clock_us / 1000;
    sync_unlock(&worker->lock);
    tell_progress(worker, exchange);
}

static void set_in_disk(struct worker *worker, bool in_disk)
{
    sync_lock(&worker->lock);
    worker->status.in_disk = in_disk;
    sync_unlock(&worker->lock);
}

void worker_enter_disk(struct worker *worker)
{
    set_in_disk(worker, true);
}

void worker_leave_disk(struct worker *worker)
{
    set_in_disk(worker, false);
    (void)read_clocks(worker);
}

/* No other thread writes, so that nothing is lost between reading and writing. */
static void add(atomic_uint_least64_t *count, uint64_t more)
{
    uint64_t value = atomic_load_explicit(count, memory_order_relaxed);
    atomic_store_explicit(count, value + more, memory_order_relaxed);
}

void worker_count_request(struct worker *worker, unsigned status, uint64_t content_bytes)
{
    unsigned first_digit = status / 100;
    add(&worker->requests_by_class[first_digit < 6 ? first_digit : 0], 1);
    add(&worker->content_bytes, content_bytes);
}

void worker_add_counts(const struct worker *worker, struct server_counts *counts)
{
    for (unsigned i = 0; i < 6; i++) {
        uint64_t count = atomic_load_explicit(&worker->requests_by_class[i], memory_order_relaxed);
        counts->by_class[i] += count;
        counts->requests += count;
    }
    counts->content_bytes += atomic_load_explicit(&worker->content_bytes, memory_order_relaxed);
}

void worker_status(struct worker *worker, struct worker_status *out_status)
{
    sync_lock(&worker->lock);
    *out_status = worker->status;
    sync_unlock(&worker->lock);
    out_status->content_bytes = atomic_load_explicit(&worker->response_bytes, memory_order_relaxed);
    out_status->sent_bytes = atomic_load_explicit(&worker->sent_bytes, memory_order_relaxed);
}
