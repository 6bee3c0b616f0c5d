/* Where the lines of a log go. A sink never makes its writer wait longer than it wants to: a pipe
 * that nobody reads, or a stopped terminal, costs lines and not workers.
 *
 * A sink is constant after it has been opened, also if it is opened again: any thread may write to
 * it, and writes of up to PIPE_BUF bytes do not mix. SIGPIPE and SIGXFSZ must be ignored by the
 * process.
 */
#ifndef TARN_SERVER_LOG_LOG_SINK_H
#define TARN_SERVER_LOG_LOG_SINK_H

#include <stddef.h>
#include <stdint.h>

enum log_sink_kind {
    LOG_SINK_OFF,    /* takes everything and keeps nothing */
    LOG_SINK_FILE,   /* a regular file: written to without a look */
    LOG_SINK_STREAM, /* a pipe, terminal or other device: may block */
    LOG_SINK_SOCKET, /* as stdout is under systemd */
};

struct log_sink {
    enum log_sink_kind kind;
    int fd; /* owned; -1 for LOG_SINK_OFF */
};

/* Opens a sink. `where`: "-" (stdout), "stderr", "off", or the path of a file (appended to, made
 * with 0640) or named pipe. Returns 0, or -1 with errno, *out untouched; ENXIO: nobody has the
 * pipe open for reading.
 */
int log_sink_open(const char *where, struct log_sink *out);

/* Opens the path again and puts the new file in the place of the old one, under the same
 * descriptor: threads that write meanwhile write to one or the other. Does nothing for a sink that
 * has no path.
 * Returns 0, or -1 with errno and the old file in its place; ENOTSUP: what is there now is of
 * another kind.
 */
int log_sink_reopen(const struct log_sink *sink, const char *where);

void log_sink_close(struct log_sink *sink);

/* Writes, and waits for a slow reader until `deadline_ms` (clock_now_ms(); 0 = not at all).
 * Returns how many bytes were written. If that is less than len, errno says why; EAGAIN: the
 * deadline passed.
 */
size_t log_sink_write(const struct log_sink *sink, const char *bytes, size_t len,
                      int64_t deadline_ms);

#endif
