#include "server/log/error_log.h"

#include "server/log/error_format.h"
#include "server/log/log_sink.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES_MAX   1024
#define REASON_BYTES_MAX 128
#define NO_ERROR         (-1)

static const char *const level_names[] = {
    [LOG_ERROR] = "error",
    [LOG_WARN] = "warn",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};

/* Written to only while there is one thread. Not yet open, it is stderr as it is. */
static struct log_sink sink = {LOG_SINK_FILE, STDERR_FILENO};
static char *path;                                     /* owned; NULL while it is not open */
static _Atomic enum log_level wanted_level = LOG_INFO; /* any thread */
static struct log_format line_format;                  /* empty: the usual one */

static atomic_ulong lost_lines; /* not yet told */
static atomic_bool is_torn;     /* what the sink took last did not end with a line */

static _Thread_local int told_fd = -1;  /* also gets errors */
static _Thread_local bool is_only_told; /* ... and the log does not */

static void close_sink(void)
{
    is_torn = false;
    if (path != NULL)
        log_sink_close(&sink);
    sink = (struct log_sink){LOG_SINK_FILE, STDERR_FILENO};
    free(path);
    path = NULL;
}

int error_log_open(const char *where, enum log_level level)
{
    struct log_sink opened;
    char *copy = strdup(where);
    if (copy == NULL || log_sink_open(where, &opened) != 0) {
        free(copy); /* keeps errno */
        return -1;
    }
    close_sink();
    sink = opened;
    path = copy;
    wanted_level = level;
    return 0;
}

int error_log_set_format(const char *text)
{
    struct log_format compiled;
    struct log_fault fault;
    if (error_format_compile(text, &compiled, &fault) != 0) {
        errno = EINVAL;
        return -1;
    }
    line_format = compiled;
    return 0;
}

void error_log_reopen(void)
{
    if (path == NULL)
        return;
    if (log_sink_reopen(&sink, path) != 0)
        error_log_errno(LOG_ERROR, errno, NULL, "the old error log stays in use, cannot open %s",
                        path);
}

void error_log_close(void)
{
    close_sink();
    wanted_level = LOG_INFO;
    line_format.step_count = 0;
}

void error_log_tell(int fd, bool only)
{
    told_fd = fd;
    is_only_told = only;
}

void error_log_set_level(enum log_level level)
{
    wanted_level = level;
}

int error_log_level_parse(const char *name, enum log_level *out)
{
    for (enum log_level level = LOG_ERROR; level <= LOG_DEBUG; level++) {
        if (strcmp(name, level_names[level]) == 0) {
            *out = level;
            return 0;
        }
    }
    return -1;
}

bool error_log_wants(enum log_level level)
{
    return level <= wanted_level && sink.kind != LOG_SINK_OFF;
}

/* ": No such file or directory", whatever the locale, and by any thread. */
static void append_reason(struct text *out, int error)
{
    const char *description = strerrordesc_np(error);
    text_append(out, SLICE(": "));
    if (description != NULL) {
        text_append(out, slice_from_string(description));
    } else {
        text_append(out, SLICE("error "));
        text_append_u64(out, (uint64_t)error);
    }
}

/* Before a format has been set, the usual one is compiled for each line: there are few of them,
 * and it may be any thread that writes the first.
 */
static void append_line(struct text *line, const struct error_entry *entry)
{
    struct log_format usual;
    struct log_fault fault;
    if (line_format.step_count > 0)
        error_format_append(line, &line_format, entry);
    else if (error_format_compile(ERROR_FORMAT_DEFAULT, &usual, &fault) == 0)
        error_format_append(line, &usual, entry);
}

/* Writes what begins with a newline, without that unless the line before is to be ended. Returns
 * whether all was taken. On a full disk another thread may write between the two steps: then a line
 * is glued, or an empty one is too many, but none is lost.
 */
static bool write_bytes(const char *bytes, size_t len)
{
    bool was_torn = atomic_exchange(&is_torn, false);
    if (!was_torn) {
        bytes++;
        len--;
    }
    size_t written = log_sink_write(&sink, bytes, len, 0);
    if (written > 0 ? bytes[written - 1] != '\n' : was_torn)
        atomic_store(&is_torn, true);
    return written == len;
}

/* Returns whether the whole line was taken. */
static bool write_line(enum log_level level, int error, const char *client, const char *message)
{
    char buffer[1 + LINE_BYTES_MAX] = "\n";
    char reason_buffer[REASON_BYTES_MAX];
    struct text line = text_over(buffer + 1, LINE_BYTES_MAX - 1); /* a newline always fits */
    struct text reason = text_over(reason_buffer, sizeof reason_buffer);
    struct error_entry entry = {
        .level = level_names[level],
        .client = client,
        .message = slice_from_string(message),
    };
    (void)clock_gettime(CLOCK_REALTIME, &entry.time); /* cannot fail on Linux */
    if (error != NO_ERROR)
        append_reason(&reason, error);
    entry.reason = text_slice(&reason);
    append_line(&line, &entry);
    buffer[1 + line.len] = '\n';
    return write_bytes(buffer, line.len + 2);
}

/* A starter that does not read any more misses it; the log has it all the same. */
static void tell(const char *message, int error)
{
    char reason_buffer[REASON_BYTES_MAX];
    struct text reason = text_over(reason_buffer, sizeof reason_buffer);
    if (error != NO_ERROR)
        append_reason(&reason, error);
    (void)dprintf(told_fd, "%s%.*s\n", message, (int)reason.len, reason_buffer);
}

/* Tells how many lines the sink did not take, as soon as it takes some again. */
static void report_lost_lines(void)
{
    unsigned long lost = atomic_exchange(&lost_lines, 0);
    if (lost == 0)
        return;
    char message[64];
    snprintf(message, sizeof message, "%lu lines of this log were lost here", lost);
    if (!write_line(LOG_WARN, NO_ERROR, NULL, message))
        atomic_fetch_add(&lost_lines, lost);
}

__attribute__((format(printf, 4, 0))) static void log_message(enum log_level level, int error,
                                                              const char *client,
                                                              const char *format, va_list arguments)
{
    bool is_told = level == LOG_ERROR && told_fd >= 0;
    bool is_logged = error_log_wants(level) && !(is_told && is_only_told);
    if (!is_logged && !is_told)
        return;
    int saved_errno = errno;
    char message[LINE_BYTES_MAX];
    if (vsnprintf(message, sizeof message, format, arguments) < 0)
        message[0] = '\0';
    if (is_told)
        tell(message, error);
    if (is_logged) {
        report_lost_lines();
        if (!write_line(level, error, client, message))
            atomic_fetch_add(&lost_lines, 1);
    }
    errno = saved_errno;
}

void error_log(enum log_level level, const char *client, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_message(level, NO_ERROR, client, format, arguments);
    va_end(arguments);
}

void error_log_errno(enum log_level level, int error, const char *client, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_message(level, error, client, format, arguments);
    va_end(arguments);
}

void error_log_lines(enum log_level level, const char *lines)
{
    while (*lines != '\0') {
        int len = (int)strcspn(lines, "\n");
        error_log(level, NULL, "%.*s", len, lines);
        lines += len;
        lines += strspn(lines, "\n");
    }
}
