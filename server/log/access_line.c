#include "server/log/access_line.h"

#include "http/cookie.h"
#include "http/target.h"
#include "server/log/log_json.h"

#include <string.h>
#include <unistd.h>

#define FIELD_BYTES_MAX 8192 /* longer strings are cut */

/* --- strings ------------------------------------------------------------------------------- */

/* A slice whose data is NULL stands for what is not there. */
static struct slice slice_if_any(const struct head *head, struct span span)
{
    return span.len > 0 ? head_slice(head, span) : (struct slice){0};
}

/* What there is of a request line that was wrong, or too late, to be parsed. */
static struct slice broken_line(const struct head *head)
{
    size_t len = 0;
    while (len < head->len && head->bytes[len] != '\r' && head->bytes[len] != '\n')
        len++;
    return (struct slice){len > 0 ? head->bytes : NULL, len};
}

static struct slice request_line_of(const struct head *head)
{
    return head->request_line.len > 0 ? head_slice(head, head->request_line) : broken_line(head);
}

/* What follows the target and a space. */
static struct slice version_of(const struct head *head)
{
    struct slice line = head_slice(head, head->request_line);
    size_t before = (size_t)head->target.offset - head->request_line.offset + head->target.len + 1;
    if (head->target.len == 0 || before > line.len)
        return (struct slice){0};
    return (struct slice){line.data + before, line.len - before};
}

/* The target without its query; of an absolute form what follows the authority. */
static struct slice path_of(const struct head *head)
{
    struct slice target = slice_if_any(head, head->target);
    struct target parts;
    if (target.len > 0 && target.data[0] != '/' &&
        target_split(target, head->method, &parts) == HTTP_GO_ON && parts.form == TARGET_ABSOLUTE)
        return parts.path;
    const char *mark = target.len > 0 ? memchr(target.data, '?', target.len) : NULL;
    return (struct slice){target.data, mark ? (size_t)(mark - target.data) : target.len};
}

/* The query with its '?'. */
static struct slice marked_query_of(const struct head *head)
{
    struct slice target = slice_if_any(head, head->target);
    const char *mark = target.len > 0 ? memchr(target.data, '?', target.len) : NULL;
    size_t before = mark ? (size_t)(mark - target.data) : 0;
    return mark ? (struct slice){mark, target.len - before} : (struct slice){0};
}

static struct slice query_of(const struct head *head)
{
    struct slice marked = marked_query_of(head);
    return marked.len > 0 ? (struct slice){marked.data + 1, marked.len - 1} : marked;
}

static struct slice field_of(const struct head *head, struct slice name)
{
    unsigned cursor = 0;
    struct slice value = {0};
    (void)head_next(head, name, &cursor, &value); /* of several the first */
    return value;
}

static struct slice cookie_of(const struct head *head, struct slice name)
{
    struct slice value = {0};
    (void)cookie_find(head, name, &value); /* untouched if there is none */
    return value;
}

/* The host that was asked for, without the port (RFC 9112 section 3.2.2). */
static struct slice host_of(const struct head *head)
{
    struct slice target = slice_if_any(head, head->target);
    struct slice host = field_of(head, SLICE("Host"));
    struct target parts;
    if (target.len > 0 && target.data[0] != '/' &&
        target_split(target, head->method, &parts) == HTTP_GO_ON && parts.authority.len > 0)
        host = parts.authority;
    size_t len = host.len;
    while (len > 0 && host.data[len - 1] != ':' && host.data[len - 1] != ']')
        len--;
    if (len > 0 && host.data[len - 1] == ':')
        host.len = len - 1;
    return host;
}

static struct slice string_of(const struct log_format *format, const struct log_step *step,
                              const struct access_entry *entry)
{
    switch (step->token) {
    case ACCESS_CLIENT:
        return entry->client;
    case ACCESS_LOCAL:
        return entry->local;
    case ACCESS_REQUEST_LINE:
        return request_line_of(entry->head);
    case ACCESS_METHOD:
        return slice_if_any(entry->head, entry->head->method_name);
    case ACCESS_PATH:
        return path_of(entry->head);
    case ACCESS_MARKED_QUERY:
        return marked_query_of(entry->head);
    case ACCESS_QUERY:
        return query_of(entry->head);
    case ACCESS_VERSION:
        return version_of(entry->head);
    case ACCESS_FIELD:
        return field_of(entry->head, log_format_text(format, step));
    case ACCESS_COOKIE:
        return cookie_of(entry->head, log_format_text(format, step));
    case ACCESS_HOST:
        return host_of(entry->head);
    default:
        return (struct slice){&entry->ending, 1};
    }
}

static void append_string(struct text *out, const struct log_format *format,
                          const struct log_step *step, const struct access_entry *entry)
{
    struct slice string = string_of(format, step, entry);
    if (string.len > FIELD_BYTES_MAX)
        string.len = FIELD_BYTES_MAX;
    if (format->is_json && !string.data)
        text_append(out, SLICE("null"));
    else if (format->is_json)
        log_json_append_string(out, string);
    else if (string.len > 0)
        text_append_log(out, string);
    else if (step->token != ACCESS_MARKED_QUERY) /* stands behind the path */
        text_append_char(out, '-');
}

/* --- numbers ------------------------------------------------------------------------------- */

static uint64_t second_of(const struct access_entry *entry)
{
    return entry->time > 0 ? (uint64_t)entry->time : 0;
}

static uint64_t number_of(const struct log_step *step, const struct access_entry *entry)
{
    switch (step->token) {
    case ACCESS_STATUS:
        return entry->status;
    case ACCESS_DURATION_US:
        return entry->duration_us;
    case ACCESS_DURATION_MS:
        return entry->duration_us / 1000;
    case ACCESS_DURATION_S:
        return entry->duration_us / 1000000;
    case ACCESS_QUEUE_US:
        return entry->queue_wait_us;
    case ACCESS_QUEUE_MS:
        return entry->queue_wait_us / 1000;
    case ACCESS_QUEUE_S:
        return entry->queue_wait_us / 1000000;
    case ACCESS_PORT:
        return entry->port;
    case ACCESS_PROCESS:
        return (uint64_t)getpid();
    case ACCESS_THREAD:
        return (uint64_t)gettid();
    case ACCESS_KEPT_ALIVE:
        return entry->request_number > 0 ? entry->request_number - 1 : 0;
    case ACCESS_REQUEST_NUMBER:
        return entry->request_number;
    case ACCESS_SECOND:
        return second_of(entry);
    case ACCESS_MILLISECOND:
        return second_of(entry) * 1000 + entry->microsecond / 1000;
    case ACCESS_MICROSECOND:
        return second_of(entry) * 1000000 + entry->microsecond;
    default: /* both of the bytes */
        return entry->body_bytes;
    }
}

/* With zeros in front. */
static void append_digits(struct text *out, unsigned number, unsigned count)
{
    char digits[6];
    for (unsigned i = count; i > 0; number /= 10)
        digits[--i] = (char)('0' + number % 10);
    text_append(out, (struct slice){digits, count});
}

static void append_number(struct text *out, const struct log_step *step,
                          const struct access_entry *entry)
{
    if (step->token == ACCESS_MILLISECOND_PART)
        append_digits(out, entry->microsecond / 1000, 3);
    else if (step->token == ACCESS_MICROSECOND_PART)
        append_digits(out, entry->microsecond, 6);
    else if (step->token == ACCESS_BYTES_OR_DASH && entry->body_bytes == 0)
        text_append_char(out, '-');
    else
        text_append_u64(out, number_of(step, entry));
}

/* --- times --------------------------------------------------------------------------------- */

/* "2000-10-10T13:55:36.123Z" (RFC 3339). */
static void append_utc(struct text *out, bool is_json, struct log_stamp *stamp,
                       const struct access_entry *entry)
{
    struct slice quote = is_json ? SLICE("\"") : SLICE("");
    text_append(out, quote);
    text_append(out, log_stamp_utc(stamp, entry->time));
    text_append_char(out, '.');
    append_digits(out, entry->microsecond / 1000, 3);
    text_append_char(out, 'Z');
    text_append(out, quote);
}

static void append_time(struct text *out, const struct log_format *format,
                        const struct log_step *step, struct log_stamp *stamp,
                        const struct access_entry *entry)
{
    if (step->token == ACCESS_TIME)
        text_append(out, log_stamp_common(stamp, entry->time));
    else if (step->token == ACCESS_TIME_UTC)
        append_utc(out, format->is_json, stamp, entry);
    else
        text_append(out, log_stamp_custom(stamp, entry->time, log_format_text(format, step).data));
}

void access_line_append(struct text *out, const struct log_format *format,
                        struct access_stamps *stamps, const struct access_entry *entry)
{
    struct log_stamp *stamp = stamps->of;
    for (unsigned i = 0; i < format->step_count; i++) {
        const struct log_step *step = &format->steps[i];
        if (step->token == ACCESS_LITERAL)
            text_append(out, log_format_text(format, step));
        else if (step->token < ACCESS_STATUS)
            append_string(out, format, step, entry);
        else if (step->token < ACCESS_TIME)
            append_number(out, step, entry);
        else
            append_time(out, format, step, stamp++, entry);
    }
    text_append_char(out, '\n');
}
