#include "server/log/error_format.h"

#include "server/log/log_stamp.h"

#include <unistd.h>

enum error_token {
    ERROR_LITERAL = LOG_FORMAT_LITERAL,
    ERROR_TIME,
    ERROR_TIME_CUSTOM,
    ERROR_LEVEL,
    ERROR_MODULE,
    ERROR_PROCESS,
    ERROR_THREAD,
    ERROR_CLIENT,
    ERROR_MESSAGE,
};

static const struct log_directive directives[] = {
    {.letter = 'a', .token = ERROR_CLIENT},
    {.letter = 'l', .token = ERROR_LEVEL},
    {.letter = 'm', .token = ERROR_MODULE},
    {.letter = 'M', .token = ERROR_MESSAGE},
    {.letter = 'P', .token = ERROR_PROCESS},
    {.letter = 't', .token = ERROR_TIME},
    {.letter = 't', .accepts = log_stamp_accepts, .token = ERROR_TIME_CUSTOM},
    {.letter = 'T', .token = ERROR_THREAD},
};

static bool has_message(const struct log_format *format)
{
    bool found = false;
    for (unsigned i = 0; i < format->step_count; i++)
        found |= format->steps[i].token == ERROR_MESSAGE;
    return found;
}

int error_format_compile(const char *text, struct log_format *out, struct log_fault *fault)
{
    if (log_format_compile(slice_from_string(text), directives,
                           sizeof(directives) / sizeof(directives[0]), out, fault) != 0)
        return -1;
    if (has_message(out))
        return 0;
    *fault = (struct log_fault){"no %M", 0};
    return -1;
}

/* "2026-03-01T12:00:00.123Z" */
static void append_time(struct text *out, struct timespec time)
{
    struct log_stamp stamp = {0};
    long left = time.tv_nsec / 1000000;
    text_append(out, log_stamp_utc(&stamp, time.tv_sec));
    text_append_char(out, '.');
    for (long unit = 100; unit > 0; left %= unit, unit /= 10)
        text_append_char(out, (char)('0' + left / unit));
    text_append_char(out, 'Z');
}

static void append_custom_time(struct text *out, struct timespec time, struct slice format)
{
    struct log_stamp stamp = {0};
    text_append(out, log_stamp_custom(&stamp, time.tv_sec, format.data));
}

static void append_step(struct text *out, const struct log_format *format,
                        const struct log_step *step, const struct error_entry *entry)
{
    switch (step->token) {
    case ERROR_TIME:
        append_time(out, entry->time);
        break;
    case ERROR_TIME_CUSTOM:
        append_custom_time(out, entry->time, log_format_text(format, step));
        break;
    case ERROR_LEVEL:
        text_append(out, slice_from_string(entry->level));
        break;
    case ERROR_MODULE:
        text_append(out, SLICE("core"));
        break;
    case ERROR_PROCESS:
        text_append_u64(out, (uint64_t)getpid());
        break;
    case ERROR_THREAD:
        text_append_u64(out, (uint64_t)gettid());
        break;
    case ERROR_CLIENT:
        text_append_log(out, slice_from_string(entry->client ? entry->client : "-"));
        break;
    case ERROR_MESSAGE:
        text_append_log(out, entry->message);
        text_append(out, entry->reason);
        break;
    default:
        text_append(out, log_format_text(format, step));
        break;
    }
}

void error_format_append(struct text *out, const struct log_format *format,
                         const struct error_entry *entry)
{
    for (unsigned i = 0; i < format->step_count; i++)
        append_step(out, format, &format->steps[i], entry);
}
