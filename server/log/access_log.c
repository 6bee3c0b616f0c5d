#include "server/log/access_log.h"

#include "pool/clock.h"
#include "pool/sync.h"
#include "server/log/access_line.h"
#include "server/log/error_log.h"
#include "server/log/log_sink.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Of each of a channel's two buffers. The pages beyond what is used are never touched. */
#define BUFFER_BYTES ((size_t)1024 * 1024)

/* The log thread is woken when a buffer holds this much: early, so that there is room for what
 * comes until it runs on a machine that has no time.
 */
#define WAKE_BYTES ((size_t)64 * 1024)

#define FLUSH_MS   1000 /* the longest that a line stays in a buffer */
#define SINK_MS    1000 /* the longest that a round of writing waits for the sink's reader */

#define CACHE_LINE 64

struct channel {
    alignas(CACHE_LINE) pthread_mutex_t lock;

    char *filling; /* guarded by the lock, with its length */
    size_t len;

    struct access_stamps stamps; /* the writer's */

    char *spare; /* the log thread's */

    atomic_uint_least64_t dropped; /* lines for which there was no room */
};

struct access_log {
    /* Constant after open. The sink's descriptor too, whatever file it comes to stand for. */
    struct log_sink sink;
    char *where;
    struct log_format format;
    unsigned channel_count;
    struct channel *channels;
    pthread_t thread;

    /* Guarded by wake_lock. No lock of a channel is held while it is taken. */
    pthread_mutex_t wake_lock;
    pthread_cond_t wake;
    bool is_urgent;   /* a buffer is past its mark */
    bool is_outdated; /* the file is to be opened again */
    bool is_closing;
    int64_t close_deadline_ms;

    /* The log thread waits for the first line of all. Set while no channel's lock is held and
     * before the thread looks into the channels, so that a writer either sees it or is seen.
     */
    atomic_bool is_idle;

    /* The log thread's. */
    bool reopens; /* when it has written what there is */
    bool is_torn; /* what the sink took last did not end with a line */
    int sink_error;
    uint64_t reported;
    int64_t next_report_ms;

    atomic_uint_least64_t lost; /* lines that the sink did not take */
};

/* -- Writers -- */

/* Returns the length of the buffer before the line, and after it in *out_len: the same if there
 * was no room.
 */
static size_t append_line_locked(struct channel *channel, const struct log_format *format,
                                 const struct access_entry *entry, size_t *out_len)
{
    size_t before = channel->len;
    struct text room = text_over(channel->filling + before, BUFFER_BYTES - before);
    access_line_append(&room, format, &channel->stamps, entry);
    if (room.truncated)
        atomic_fetch_add_explicit(&channel->dropped, 1, memory_order_relaxed);
    else
        channel->len += room.len;
    *out_len = channel->len;
    return before;
}

static void wake_thread(struct access_log *log, bool is_urgent)
{
    sync_lock(&log->wake_lock);
    atomic_store(&log->is_idle, false);
    log->is_urgent |= is_urgent;
    sync_signal(&log->wake);
    sync_unlock(&log->wake_lock);
}

void access_log_write(struct access_log *log, unsigned channel, const struct access_entry *entry)
{
    if (log->sink.kind == LOG_SINK_OFF)
        return;
    struct channel *own = &log->channels[channel];
    size_t len;
    sync_lock(&own->lock);
    size_t before = append_line_locked(own, &log->format, entry, &len);
    bool is_idle = atomic_load(&log->is_idle);
    sync_unlock(&own->lock);
    bool is_urgent = before < WAKE_BYTES && len >= WAKE_BYTES;
    if (is_idle || is_urgent)
        wake_thread(log, is_urgent);
}

void access_log_reopen(struct access_log *log)
{
    if (log->sink.kind == LOG_SINK_OFF)
        return;
    sync_lock(&log->wake_lock);
    log->is_outdated = true;
    sync_signal(&log->wake);
    sync_unlock(&log->wake_lock);
}

unsigned access_log_needs(const struct access_log *log)
{
    return log->format.needs;
}

uint64_t access_log_dropped(const struct access_log *log)
{
    uint64_t dropped = atomic_load_explicit(&log->lost, memory_order_relaxed);
    for (unsigned i = 0; i < log->channel_count; i++)
        dropped += atomic_load_explicit(&log->channels[i].dropped, memory_order_relaxed);
    return dropped;
}

/* -- The log thread -- */

/* Takes what a channel holds, and gives it the other buffer. *out stays the channel's spare until
 * the next call.
 */
static size_t take_lines(struct channel *channel, const char **out)
{
    sync_lock(&channel->lock);
    char *full = channel->filling;
    size_t len = channel->len;
    channel->filling = channel->spare;
    channel->len = 0;
    sync_unlock(&channel->lock);
    channel->spare = full;
    *out = full;
    return len;
}

static uint64_t count_lines(const char *bytes, size_t len)
{
    uint64_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += bytes[i] == '\n';
    return count;
}

static void write_lines(struct access_log *log, const char *bytes, size_t len, int64_t deadline_ms)
{
    if (log->is_torn && log_sink_write(&log->sink, "\n", 1, deadline_ms) == 1)
        log->is_torn = false;
    size_t written = log->is_torn ? 0 : log_sink_write(&log->sink, bytes, len, deadline_ms);
    if (written == len)
        return;
    log->sink_error = errno;
    log->is_torn |= written > 0 && bytes[written - 1] != '\n';
    atomic_fetch_add(&log->lost, count_lines(bytes + written, len - written));
}

static void write_all(struct access_log *log, int64_t deadline_ms)
{
    for (unsigned i = 0; i < log->channel_count; i++) {
        const char *bytes;
        size_t len = take_lines(&log->channels[i], &bytes);
        if (len > 0)
            write_lines(log, bytes, len, deadline_ms);
    }
}

/* At most once a second, or at the end. */
static void report_dropped(struct access_log *log, bool is_last)
{
    uint64_t dropped = access_log_dropped(log);
    int64_t now_ms = clock_now_ms();
    if (dropped == log->reported || (now_ms < log->next_report_ms && !is_last))
        return;
    uint64_t count = dropped - log->reported;
    if (log->sink_error == 0 || log->sink_error == EAGAIN)
        error_log(LOG_WARN, NULL, "access log: %ju lines dropped, its sink is too slow",
                  (uintmax_t)count);
    else
        error_log_errno(LOG_WARN, log->sink_error, NULL, "access log: %ju lines dropped",
                        (uintmax_t)count);
    log->sink_error = 0;
    log->reported = dropped;
    log->next_report_ms = now_ms + FLUSH_MS;
}

static void reopen(struct access_log *log)
{
    log->reopens = false;
    if (log_sink_reopen(&log->sink, log->where) == 0) {
        log->is_torn &= log->sink.kind != LOG_SINK_FILE; /* the new file has no half line */
        error_log(LOG_INFO, NULL, "access log opened again");
    } else {
        error_log_errno(LOG_ERROR, errno, NULL, "the old access log stays in use, cannot open %s",
                        log->where);
    }
}

static bool has_work(struct access_log *log)
{
    bool has_lines = false;
    for (unsigned i = 0; i < log->channel_count && !has_lines; i++) {
        sync_lock(&log->channels[i].lock);
        has_lines = log->channels[i].len > 0;
        sync_unlock(&log->channels[i].lock);
    }
    return has_lines || access_log_dropped(log) != log->reported;
}

/* Waits for the first line, however long that takes, and then until it is due or a buffer is past
 * its mark; or until the file is to be opened again. Returns false when the log is to be closed.
 */
static bool wait_for_work(struct access_log *log)
{
    sync_lock(&log->wake_lock);
    atomic_store(&log->is_idle, true);
    if (has_work(log))
        atomic_store(&log->is_idle, false);
    while (atomic_load(&log->is_idle) && !log->is_outdated && !log->is_closing)
        sync_wait(&log->wake, &log->wake_lock);
    int64_t due_ns = sync_now_ns() + INT64_C(1000000) * FLUSH_MS;
    while (!log->is_urgent && !log->is_outdated && !log->is_closing)
        if (!sync_wait_until(&log->wake, &log->wake_lock, due_ns))
            break;
    log->is_urgent = false;
    log->reopens = log->is_outdated;
    log->is_outdated = false;
    bool goes_on = !log->is_closing;
    sync_unlock(&log->wake_lock);
    return goes_on;
}

static void *run_thread(void *argument)
{
    struct access_log *log = argument;
    while (wait_for_work(log)) {
        write_all(log, clock_now_ms() + SINK_MS);
        report_dropped(log, false);
        if (log->reopens)
            reopen(log);
    }
    write_all(log, log->close_deadline_ms);
    report_dropped(log, true);
    return NULL;
}

/* -- Opening and closing -- */

/* Signals are for the main thread. */
static int start_thread(struct access_log *log)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    errno = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (errno != 0)
        return -1;
    int error = pthread_create(&log->thread, NULL, run_thread, log);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL); /* worked a moment ago */
    errno = error;
    return error == 0 ? 0 : -1;
}

/* Returns 0, or -1 with errno and nothing left behind. */
static int init_channel(struct channel *channel)
{
    *channel = (struct channel){.filling = malloc(BUFFER_BYTES), .spare = malloc(BUFFER_BYTES)};
    if (channel->filling == NULL || channel->spare == NULL)
        goto fail;
    errno = pthread_mutex_init(&channel->lock, NULL);
    if (errno == 0)
        return 0;
fail:
    free(channel->filling);
    free(channel->spare);
    return -1;
}

static void destroy_channels(struct access_log *log)
{
    for (unsigned i = 0; i < log->channel_count; i++) {
        sync_destroy(&log->channels[i].lock);
        free(log->channels[i].filling);
        free(log->channels[i].spare);
    }
    free(log->channels);
}

static int create_channels(struct access_log *log, unsigned count)
{
    log->channels = aligned_alloc(CACHE_LINE, count * sizeof *log->channels);
    if (log->channels == NULL)
        return -1;
    for (; log->channel_count < count; log->channel_count++) {
        if (init_channel(&log->channels[log->channel_count]) != 0) {
            destroy_channels(log);
            return -1;
        }
    }
    return 0;
}

static int start(struct access_log *log, unsigned channels)
{
    errno = pthread_mutex_init(&log->wake_lock, NULL);
    if (errno != 0)
        return -1;
    if (sync_cond_init(&log->wake) != 0)
        goto no_cond;
    if (create_channels(log, channels) != 0)
        goto no_channels;
    if (start_thread(log) == 0)
        return 0;
    destroy_channels(log);
no_channels:
    sync_cond_destroy(&log->wake);
no_cond:
    sync_destroy(&log->wake_lock);
    return -1;
}

static int set_format(struct access_log *log, const char *format)
{
    struct log_fault fault;
    if (access_format_compile(format, &log->format, &fault) == 0)
        return 0;
    errno = EINVAL;
    return -1;
}

struct access_log *access_log_open(const char *where, const char *format, unsigned channels)
{
    assert(channels > 0);
    struct access_log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return NULL;
    log->where = strdup(where);
    if (log->where == NULL || set_format(log, format) != 0 || log_sink_open(where, &log->sink) != 0)
        goto no_sink;
    if (log->sink.kind == LOG_SINK_OFF)
        log->format.needs = 0;
    else if (start(log, channels) != 0)
        goto no_thread;
    return log;

no_thread:;
    int error = errno;
    log_sink_close(&log->sink);
    errno = error;
no_sink:
    free(log->where); /* both keep errno */
    free(log);
    return NULL;
}

static void stop(struct access_log *log)
{
    sync_lock(&log->wake_lock);
    log->is_closing = true;
    log->close_deadline_ms = clock_now_ms() + SINK_MS;
    sync_signal(&log->wake);
    sync_unlock(&log->wake_lock);
    (void)pthread_join(log->thread, NULL); /* fails only for a thread that was joined already */
    destroy_channels(log);
    sync_cond_destroy(&log->wake);
    sync_destroy(&log->wake_lock);
}

void access_log_close(struct access_log *log)
{
    if (log == NULL)
        return;
    if (log->sink.kind != LOG_SINK_OFF)
        stop(log);
    log_sink_close(&log->sink);
    free(log->where);
    free(log);
}
