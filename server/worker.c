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

int worker_init(struct worker *worker, struct server *server, unsigned number)
{
    const struct config *config = server->site.config;
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
    worker->transport = socket_transport(&worker->socket, config->stream.sendfile);
    worker->lends.limits = &server->limits;
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
    sync_destroy(&worker->lock);
    free(worker->memory);
    worker->memory = NULL;
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

void worker_read_clocks(struct worker *worker)
{
    worker->lends.now_ms = clock_now_ms();
    update_date(worker);
}

void worker_take_up(struct worker *worker, struct session *session)
{
    worker->session = session;
    worker->socket = session->item.fd;
    worker->local_address[0] = '\0';
    worker_read_clocks(worker);
    if (server_is_draining(worker->server))
        session->connection.closing = true;

    sync_lock(&worker->lock);
    worker->status.busy = true;
    worker->status.since_ms = worker->lends.now_ms;
    worker->status.request[0] = '\0';
    worker->status.content_bytes = 0;
    worker->status.sent_bytes = 0;
    memcpy(worker->status.client, session->client, sizeof(session->client));
    sync_unlock(&worker->lock);
    if (session->connection.exchange && !connection_is_in_head(&session->connection))
        worker_tell_request(worker, session->connection.exchange);
}

void worker_put_down(struct worker *worker)
{
    worker->session = NULL;
    worker->socket = -1;
    sync_lock(&worker->lock);
    worker->status.busy = false;
    sync_unlock(&worker->lock);
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
    worker->status.content_bytes = response_content_bytes(&exchange->response);
    worker->status.sent_bytes = exchange_content_sent(exchange);
    sync_unlock(&worker->lock);
}

void worker_status(struct worker *worker, struct worker_status *out_status)
{
    sync_lock(&worker->lock);
    *out_status = worker->status;
    sync_unlock(&worker->lock);
}
