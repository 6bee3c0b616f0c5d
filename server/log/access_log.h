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

#include "http/slice.h"

#include <time.h>

struct access_log;

/* What a line tells. All slices are borrowed for the call only and may hold any byte; the log
 * escapes them, and cuts what is longer than 8 KiB.
 */
struct access_entry {
    struct slice client;       /* address as text */
    time_t time;               /* when the request's head was complete */
    struct slice request_line; /* as received; empty: "-" */
    unsigned status;
    uint64_t body_bytes;     /* of the response, sent; "-" when 0 */
    struct slice referer;    /* empty: "-" */
    struct slice user_agent; /* empty: "-" */
};

/* Opens the log with `channels` (1 or more) channels and starts its thread.
 * `where`: "-" (stdout), "stderr", "off", or a file's path (appended to, 0640) or a named pipe's.
 * Returns NULL with errno if the file cannot be opened or the thread not started.
 */
struct access_log *access_log_open(const char *where, unsigned channels);

/* Writes what is buffered (for up to a second if the sink blocks), ends the thread, frees. Nobody
 * may write any more. NULL is allowed.
 */
void access_log_close(struct access_log *log);

/* Appends a line to a channel (0 ... channels - 1), in Combined format (local time with its offset,
 * as Apache writes it):
 * client - - [10/Oct/2000:13:55:36 +0000] "request line" status bytes "referer" "user agent"
 * To be called by one thread at a time for each channel. Never blocks on I/O.
 */
void access_log_write(struct access_log *log, unsigned channel, const struct access_entry *entry);

/* Lines dropped since the start. Any thread. */
uint64_t access_log_dropped(const struct access_log *log);

#endif
