#include "server/log/log_sink.h"

#include "pool/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A descriptor of our own for one that was inherited. Setting O_NONBLOCK on that would set it for
 * every process that shares it, such as the shell; opened anew through /proc it is ours alone.
 * Where that is not allowed, log_sink_write() asks poll() first.
 */
static int take_inherited(int fd, mode_t mode)
{
    if (S_ISFIFO(mode) || S_ISCHR(mode)) {
        char path[32];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        int own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (own >= 0)
            return own;
    }
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* The standard descriptor that is meant, -1 if it is a path. */
static int inherited_descriptor(const char *where)
{
    if (strcmp(where, "-") == 0)
        return STDOUT_FILENO;
    return strcmp(where, "stderr") == 0 ? STDERR_FILENO : -1;
}

static int open_descriptor(const char *where)
{
    int inherited = inherited_descriptor(where);
    if (inherited < 0)
        return open(where, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
    struct stat info;
    return fstat(inherited, &info) == 0 ? take_inherited(inherited, info.st_mode) : -1;
}

static enum log_sink_kind kind_of(mode_t mode)
{
    if (S_ISREG(mode))
        return LOG_SINK_FILE;
    return S_ISSOCK(mode) ? LOG_SINK_SOCKET : LOG_SINK_STREAM;
}

int log_sink_open(const char *where, struct log_sink *out)
{
    if (strcmp(where, "off") == 0) {
        *out = (struct log_sink){LOG_SINK_OFF, -1};
        return 0;
    }
    int fd = open_descriptor(where);
    if (fd < 0)
        return -1;
    struct stat info;
    if (fstat(fd, &info) != 0) {
        int error = errno;
        (void)close(fd); /* nothing was written to it */
        errno = error;
        return -1;
    }
    *out = (struct log_sink){kind_of(info.st_mode), fd};
    return 0;
}

int log_sink_reopen(const struct log_sink *sink, const char *where)
{
    struct log_sink fresh;
    if (sink->kind == LOG_SINK_OFF || inherited_descriptor(where) >= 0)
        return 0;
    if (log_sink_open(where, &fresh) != 0)
        return -1;
    int error = 0;
    if (fresh.kind != sink->kind)
        error = ENOTSUP;
    else if (dup3(fresh.fd, sink->fd, O_CLOEXEC) < 0)
        error = errno;
    log_sink_close(&fresh);
    errno = error;
    return error == 0 ? 0 : -1;
}

void log_sink_close(struct log_sink *sink)
{
    if (sink->kind != LOG_SINK_OFF)
        (void)close(sink->fd); /* a log is not synced, so there is no error to be told */
    *sink = (struct log_sink){LOG_SINK_OFF, -1};
}

/* Waits until a write of PIPE_BUF bytes would not block. Returns whether it would not. */
static bool wait_writable(int fd, int64_t deadline_ms)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    int result;
    do {
        int64_t left_ms = deadline_ms > 0 ? deadline_ms - clock_now_ms() : 0;
        result = poll(&ready, 1, left_ms <= 0 ? 0 : left_ms > INT_MAX ? INT_MAX : (int)left_ms);
    } while (result < 0 && errno == EINTR);
    return result > 0;
}

static ssize_t write_some(const struct log_sink *sink, const char *bytes, size_t len,
                          int64_t deadline_ms)
{
    if (sink->kind == LOG_SINK_FILE)
        return write(sink->fd, bytes, len);
    if (!wait_writable(sink->fd, deadline_ms)) {
        errno = EAGAIN;
        return -1;
    }
    size_t piece = len < PIPE_BUF ? len : PIPE_BUF;
    if (sink->kind == LOG_SINK_SOCKET)
        return send(sink->fd, bytes, piece, MSG_DONTWAIT | MSG_NOSIGNAL);
    return write(sink->fd, bytes, piece);
}

size_t log_sink_write(const struct log_sink *sink, const char *bytes, size_t len,
                      int64_t deadline_ms)
{
    if (sink->kind == LOG_SINK_OFF)
        return len;
    size_t done = 0;
    while (done < len) {
        ssize_t written = write_some(sink, bytes + done, len - done, deadline_ms);
        if (written < 0 && errno != EINTR)
            break;
        done += written > 0 ? (size_t)written : 0;
    }
    return done;
}
