/* The access log: one line a request, whatever bytes it held.
 *
 * Each writer (a worker) has a channel of its own, with two buffers: it appends to one while the
 * log thread writes the other, within a second of the line. Lines of one channel keep their
 * order; those of different channels may stand in another order than they were written in, by
 * up to a second. A writer never waits for the disk or for a full pipe: when there is no room in
 * its buffer, or the sink takes nothing for a second or fails, lines are dropped and counted, and
 * the error log is told how many, once a second at most.
 *
 * SIGPIPE and SIGXFSZ must be ignored by the process.
 */
#ifndef TARN_SERVER_LOG_ACCESS_LOG_H
#define TARN_SERVER_LOG_ACCESS_LOG_H

#include "http/head.h"

#include <time.h>

struct access_log;

/* What a line tells. All bytes are borrowed for the call only and may be any; the log escapes
 * them, and cuts strings that are longer than 8 KiB.
 */
struct access_entry {
    const struct head *head; /* of the request, as far as it was understood */
    struct slice client;     /* address as text */
    struct slice local;      /* the server's; for ACCESS_NEEDS_LOCAL */
    uint16_t port;           /* the server's */
    time_t time;             /* when the request's head was complete */
    unsigned microsecond;    /* of that second; for ACCESS_NEEDS_FRACTION */
    unsigned status;         /* of the response */
    uint64_t body_bytes;     /* of the response, sent */
    uint64_t duration_us;    /* until the last byte was handed over; for ACCESS_NEEDS_DURATION */
    uint64_t queue_wait_us;  /* that its connection waited for a worker before */
    unsigned request_number; /* on its connection, from 1 */
    char ending;             /* what became of the connection: '+' stays, '-' closes, 'X' broke */
};

/* Opens the log with `channels` (1 or more) channels and starts its thread.
 * `where`: "-" (stdout), "stderr", "off", or a file's path (appended to, 0640) or a named pipe's.
 * `format`: as server/log/access_format.h says. Both are copied.
 * Returns NULL with errno if the file cannot be opened or the thread not started; EINVAL: the
 * format is none.
 */
struct access_log *access_log_open(const char *where, const char *format, unsigned channels);

/* Writes what is buffered (for up to a second if the sink blocks), ends the thread, frees. Nobody
 * may write any more. NULL is allowed.
 */
void access_log_close(struct access_log *log);

/* What an entry has to have for the format: enum access_need, or-ed together. Any thread. */
unsigned access_log_needs(const struct access_log *log);

/* Appends a line to a channel (0 ... channels - 1). To be called by one thread at a time for each
 * channel. Never blocks on I/O.
 */
void access_log_write(struct access_log *log, unsigned channel, const struct access_entry *entry);

/* Has the log thread open the file by its path again, after it was moved away: soon, between two
 * lines. The error log is told; if it fails, the old file stays in use. Any thread; does not wait.
 */
void access_log_reopen(struct access_log *log);

/* Lines dropped since the start. Any thread. */
uint64_t access_log_dropped(const struct access_log *log);

#endif
