#include "server/refusals.h"

#include "http/date.h"
#include "http/response.h"
#include "pool/clock.h"
#include "server/latency.h"
#include "server/log/error_log.h"
#include "server/session.h"

#include <stdlib.h>
#include <unistd.h>

/* How long a refusal is a sign that the next one will come. */
#define FLOOD_MS 100

/* Refused connections that may linger at a time; more are closed at once. */
#define LINGERING_MAX       256

#define WARNING_INTERVAL_MS 1000

/* --- telling ------------------------------------------------------------------------------- */

static void warn(struct refusals *refusals, const char *why)
{
    struct server *server = refusals->server;
    struct pool_figures figures;
    pool_figures(server->pool, &figures);
    error_log(LOG_WARN, NULL,
              "saturated (%s): %u refused, queue %zu of %zu, most so far %zu, workers %u running "
              "and %u in the disk of %u, connections %zu of %zu",
              why, refusals->untold, figures.queue.queued, server->queue_capacity,
              figures.queue.queued_most, figures.queue.running, figures.queue.blocking,
              server->worker_count, atomic_load(&server->connections),
              atomic_load(&server->connections_max));
    refusals->warned_ms = clock_now_ms();
    refusals->untold = 0;
}

/* How long the next warning has to wait, in milliseconds: one a second is enough. */
static int warning_wait_ms(const struct refusals *refusals)
{
    int64_t next_ms = refusals->warned_ms + WARNING_INTERVAL_MS;
    int64_t now_ms = clock_now_ms();
    return refusals->warned_ms == 0 || next_ms <= now_ms ? 0 : (int)(next_ms - now_ms);
}

void refusals_warn(struct refusals *refusals, const char *why)
{
    if (warning_wait_ms(refusals) == 0)
        warn(refusals, why);
}

/* A flood keeps all CPUs busy: if the listener waited for its turn as usual, tens of milliseconds,
 * the kernel would have to drop connections. At other times haste costs 2 % CPU time for each new
 * connection.
 */
static void hurry(struct refusals *refusals, bool hurries)
{
    if (refusals->hurries == hurries)
        return;
    refusals->hurries = hurries;
    latency_prefer_short(hurries);
}

void refusals_tell(struct refusals *refusals)
{
    if (refusals->untold > 0)
        refusals_warn(refusals, refusals->why);
    if (refusals->hurries && clock_now_ms() - refusals->last_ms > WARNING_INTERVAL_MS)
        hurry(refusals, false);
}

void refusals_end(struct refusals *refusals)
{
    if (refusals->untold > 0)
        warn(refusals, refusals->why);
}

int refusals_wait_ms(const struct refusals *refusals)
{
    return refusals->untold > 0 ? warning_wait_ms(refusals) : -1;
}

bool refusals_go_on(const struct refusals *refusals)
{
    return refusals->last_ms != 0 && clock_now_ms() - refusals->last_ms < FLOOD_MS;
}

/* --- answering ----------------------------------------------------------------------------- */

/* Sends the refusal without waiting: it fits the empty buffer of a new socket. */
static void send_refusal(int socket)
{
    char date[DATE_LEN + 1], fields[64], buffer[512];
    struct response response;
    response_init(&response, fields, sizeof(fields));
    response.status = HTTP_SERVICE_UNAVAILABLE;
    response.media_type = SLICE("text/plain; charset=utf-8");
    response.content = RESPONSE_BYTES;
    response.bytes = SLICE("503 Service Unavailable: The server is busy; try again soon.\n");
    response_add_field(&response, SLICE("Retry-After"), SLICE("1"));
    date_format(time(NULL), date);
    struct response_frame frame = {.date = {date, DATE_LEN}};
    struct text text = text_over(buffer, sizeof(buffer));
    response_write_head(&response, &frame, &text);
    text_append(&text, response.bytes);
    /* With the end in the same segment. Either fails if the peer is gone. */
    (void)send(socket, text.data, text.len, MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE);
    (void)shutdown(socket, SHUT_WR);
}

/* The connection lingers in the parked set, so that its answer can be read. Returns whether it
 * does.
 */
static bool linger(struct server *server, int socket, const struct sockaddr_storage *peer)
{
    if (atomic_load(&server->refused) >= LINGERING_MAX)
        return false;
    struct session *session = session_create_refused(socket, peer);
    if (!session)
        return false;
    atomic_fetch_add(&server->refused, 1);
    if (pool_park(server->pool, &session->item) == 0)
        return true;
    atomic_fetch_sub(&server->refused, 1);
    free(session);
    return false;
}

void refusals_add(struct refusals *refusals, int socket, const struct sockaddr_storage *peer,
                  const char *why, bool for_all)
{
    refusals->untold++;
    refusals->why = why;
    if (for_all) {
        refusals->last_ms = clock_now_ms();
        hurry(refusals, true);
    }
    refusals_tell(refusals);
    send_refusal(socket);
    if (!linger(refusals->server, socket, peer))
        (void)close(socket); /* what it sent is of no interest */
}
