#include "server/log/access_format.h"

#include "http/octet.h"
#include "server/log/log_stamp.h"

#include <assert.h>
#include <string.h>

/* "- -" and not "%l %u": so it is one literal. */
#define COMMON   "%h - - %t \"%r\" %>s %b"
#define COMBINED COMMON " \"%{Referer}i\" \"%{User-Agent}i\""

/* The name of a field, and of a cookie (RFC 9110 section 5.6.2, RFC 6265 section 4.1.1). */
static bool is_token(struct slice text)
{
    return text.len > 0 && octet_span(text.data, text.len, OCTET_TOKEN) == text.len;
}

/* Of two rows that fit the first counts. */
static const struct log_directive directives[] = {
    {.letter = 'a', .token = ACCESS_CLIENT},
    {.letter = 'A', .token = ACCESS_LOCAL, .needs = ACCESS_NEEDS_LOCAL},
    {.letter = 'b', .token = ACCESS_BYTES_OR_DASH},
    {.letter = 'B', .token = ACCESS_BYTES},
    {.letter = 'C', .accepts = is_token, .token = ACCESS_COOKIE},
    {.letter = 'D', .token = ACCESS_DURATION_US, .needs = ACCESS_NEEDS_DURATION},
    {.letter = 'h', .token = ACCESS_CLIENT},
    {.letter = 'H', .token = ACCESS_VERSION},
    {.letter = 'i', .accepts = is_token, .token = ACCESS_FIELD},
    {.letter = 'k', .token = ACCESS_KEPT_ALIVE},
    {.letter = 'l', .token = ACCESS_LITERAL},
    {.letter = 'm', .token = ACCESS_METHOD},
    {.letter = 'p', .token = ACCESS_PORT},
    {.letter = 'P', .token = ACCESS_PROCESS},
    {.letter = 'P', .argument = "pid", .token = ACCESS_PROCESS},
    {.letter = 'P', .argument = "tid", .token = ACCESS_THREAD},
    {.letter = 'q', .token = ACCESS_MARKED_QUERY},
    {.letter = 'Q', .token = ACCESS_QUEUE_US},
    {.letter = 'Q', .argument = "us", .token = ACCESS_QUEUE_US},
    {.letter = 'Q', .argument = "ms", .token = ACCESS_QUEUE_MS},
    {.letter = 'Q', .argument = "s", .token = ACCESS_QUEUE_S},
    {.letter = 'r', .token = ACCESS_REQUEST_LINE},
    {.letter = 's', .token = ACCESS_STATUS},
    {.letter = 't', .token = ACCESS_TIME},
    {.letter = 't', .argument = "sec", .token = ACCESS_SECOND},
    {.letter = 't',
     .argument = "msec",
     .token = ACCESS_MILLISECOND,
     .needs = ACCESS_NEEDS_FRACTION},
    {.letter = 't',
     .argument = "usec",
     .token = ACCESS_MICROSECOND,
     .needs = ACCESS_NEEDS_FRACTION},
    {.letter = 't',
     .argument = "msec_frac",
     .token = ACCESS_MILLISECOND_PART,
     .needs = ACCESS_NEEDS_FRACTION},
    {.letter = 't',
     .argument = "usec_frac",
     .token = ACCESS_MICROSECOND_PART,
     .needs = ACCESS_NEEDS_FRACTION},
    {.letter = 't',
     .argument = "rfc3339",
     .token = ACCESS_TIME_UTC,
     .needs = ACCESS_NEEDS_FRACTION},
    {.letter = 't', .accepts = log_stamp_accepts, .token = ACCESS_TIME_CUSTOM},
    {.letter = 'T', .token = ACCESS_DURATION_S, .needs = ACCESS_NEEDS_DURATION},
    {.letter = 'T', .argument = "s", .token = ACCESS_DURATION_S, .needs = ACCESS_NEEDS_DURATION},
    {.letter = 'T', .argument = "ms", .token = ACCESS_DURATION_MS, .needs = ACCESS_NEEDS_DURATION},
    {.letter = 'T', .argument = "us", .token = ACCESS_DURATION_US, .needs = ACCESS_NEEDS_DURATION},
    {.letter = 'u', .token = ACCESS_LITERAL},
    {.letter = 'U', .token = ACCESS_PATH},
    {.letter = 'v', .token = ACCESS_HOST},
    {.letter = 'X', .token = ACCESS_ENDING},
};

static const struct {
    const char *member;
    enum access_token token;
    const char *argument;
} json_members[] = {
    {"time", ACCESS_TIME_UTC, ""},
    {"client", ACCESS_CLIENT, ""},
    {"request", ACCESS_REQUEST_LINE, ""}, /* whole, since one that is broken has no parts */
    {"method", ACCESS_METHOD, ""},
    {"path", ACCESS_PATH, ""},
    {"query", ACCESS_QUERY, ""},
    {"version", ACCESS_VERSION, ""},
    {"host", ACCESS_FIELD, "Host"},
    {"status", ACCESS_STATUS, ""},
    {"bytes", ACCESS_BYTES, ""},
    {"referer", ACCESS_FIELD, "Referer"},
    {"user_agent", ACCESS_FIELD, "User-Agent"},
    {"duration_us", ACCESS_DURATION_US, ""},
    {"queue_wait_us", ACCESS_QUEUE_US, ""},
    {"request_number", ACCESS_REQUEST_NUMBER, ""},
};

#define MEMBER_COUNT (sizeof(json_members) / sizeof(json_members[0]))

static_assert(2 * MEMBER_COUNT + 1 <= LOG_FORMAT_STEPS_MAX, "a literal and a value, and the end");

static void compile_json(struct log_format *out)
{
    int result = 0;
    *out = (struct log_format){.is_json = true,
                               .needs = ACCESS_NEEDS_FRACTION | ACCESS_NEEDS_DURATION};
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        result |= log_format_add_literal(out, i == 0 ? SLICE("{\"") : SLICE(",\""));
        result |= log_format_add_literal(out, slice_from_string(json_members[i].member));
        result |= log_format_add_literal(out, SLICE("\":"));
        result |= log_format_add_step(out, (uint8_t)json_members[i].token,
                                      slice_from_string(json_members[i].argument));
    }
    result |= log_format_add_literal(out, SLICE("}"));
    assert(result == 0);
    (void)result;
}

static unsigned count_stamps(const struct log_format *format)
{
    unsigned count = 0;
    for (unsigned i = 0; i < format->step_count; i++)
        count += format->steps[i].token >= ACCESS_TIME;
    return count;
}

/* Whether it shows anything of a request. One that does not is a slip: a misspelt name, say. */
static bool has_values(const struct log_format *format)
{
    return format->step_count > 1 ||
           (format->step_count == 1 && format->steps[0].token != ACCESS_LITERAL);
}

int access_format_compile(const char *text, struct log_format *out, struct log_fault *fault)
{
    if (strcmp(text, "json") == 0) {
        compile_json(out);
        return 0;
    }
    if (strcmp(text, "combined") == 0)
        text = COMBINED;
    else if (strcmp(text, "common") == 0)
        text = COMMON;
    if (log_format_compile(slice_from_string(text), directives,
                           sizeof(directives) / sizeof(directives[0]), out, fault) != 0)
        return -1;
    if (!has_values(out)) {
        *fault = (struct log_fault){"no directive", 0};
        return -1;
    }
    if (count_stamps(out) > ACCESS_FORMAT_STAMPS_MAX) {
        *fault = (struct log_fault){"too many times", 0};
        return -1;
    }
    return 0;
}
