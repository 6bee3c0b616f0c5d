#include "server/log/error_log.h"

#include "http/text.h"
#include "server/log/log_sink.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES_MAX 1024
#define NO_ERROR       (-1)

static const char *const level_names[] = {
    [LOG_ERROR] = "error",
    [LOG_WARN] = "warn",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};

/* Written to only while there is one thread. Not yet open, it is stderr as it is. */
static struct log_sink sink = {LOG_SINK_FILE, STDERR_FILENO};
static bool is_open;
static _Atomic enum log_level wanted_level = LOG_INFO; /* any thread */

static atomic_ulong lost_lines; /* not yet told */

int error_log_open(const char *where, enum log_level level)
{
    struct log_sink opened;
    if (log_sink_open(where, &opened) != 0)
        return -1;
    error_log_close();
    sink = opened;
    is_open = true;
    wanted_level = level;
    return 0;
}

void error_log_close(void)
{
    if (is_open)
        log_sink_close(&sink);
    sink = (struct log_sink){LOG_SINK_FILE, STDERR_FILENO};
    is_open = false;
    wanted_level = LOG_INFO;
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

static void append_string(struct text *line, const char *string)
{
    text_append(line, slice_from_string(string));
}

/* "[2026-03-01T12:00:00.123Z] [warn] [pid:tid] [client] " */
static void append_prefix(struct text *line, enum log_level level, const char *client)
{
    struct timespec now;
    struct tm utc;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail on Linux */
    if (gmtime_r(&now.tv_sec, &utc) == NULL)
        utc = (struct tm){.tm_year = 70, .tm_mday = 1};
    char prefix[128];
    snprintf(prefix, sizeof prefix, "[%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ] [%s] [%d:%d] [",
             utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
             now.tv_nsec / 1000000, level_names[level], (int)getpid(), (int)gettid());
    append_string(line, prefix);
    text_append_log(line, slice_from_string(client != NULL ? client : "-"));
    append_string(line, "] ");
}

/* strerror() is not for threads, and strerror_r() depends on the locale. */
static void append_error(struct text *line, int error)
{
    const char *description = strerrordesc_np(error);
    append_string(line, ": ");
    if (description != NULL) {
        append_string(line, description);
    } else {
        append_string(line, "error ");
        text_append_u64(line, (uint64_t)error);
    }
}

/* Returns whether the whole line was taken. */
static bool write_line(enum log_level level, int error, const char *client, const char *message)
{
    char buffer[LINE_BYTES_MAX];
    struct text line = text_over(buffer, sizeof buffer - 1); /* the newline always fits */
    append_prefix(&line, level, client);
    text_append_log(&line, slice_from_string(message));
    if (error != NO_ERROR)
        append_error(&line, error);
    buffer[line.len] = '\n';
    return log_sink_write(&sink, buffer, line.len + 1, 0) == line.len + 1;
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
    if (!error_log_wants(level))
        return;
    int saved_errno = errno;
    char message[LINE_BYTES_MAX];
    if (vsnprintf(message, sizeof message, format, arguments) < 0)
        message[0] = '\0';
    report_lost_lines();
    if (!write_line(level, error, client, message))
        atomic_fetch_add(&lost_lines, 1);
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
