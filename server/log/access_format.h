/* The formats of the access log: three that have a name, and any format string.
 *
 *     common     %h - - %t "%r" %>s %b
 *     combined   the same, and "%{Referer}i" "%{User-Agent}i"
 *     json       an object a line; see access_format.c for its members
 *
 * A format string has the notation of Apache's mod_log_config. All of it that this server knows is
 * in the table in access_format.c, and in the README.
 */
#ifndef TARN_SERVER_LOG_ACCESS_FORMAT_H
#define TARN_SERVER_LOG_ACCESS_FORMAT_H

#include "server/log/log_format.h"

/* Times that a format may show. */
#define ACCESS_FORMAT_STAMPS_MAX 4

/* What a step appends. */
enum access_token {
    ACCESS_LITERAL = LOG_FORMAT_LITERAL,
    /* strings */
    ACCESS_CLIENT,
    ACCESS_LOCAL,
    ACCESS_REQUEST_LINE,
    ACCESS_METHOD,
    ACCESS_PATH,
    ACCESS_MARKED_QUERY, /* with its '?' */
    ACCESS_QUERY,
    ACCESS_VERSION,
    ACCESS_FIELD,
    ACCESS_COOKIE,
    ACCESS_HOST,
    ACCESS_ENDING,
    /* numbers */
    ACCESS_STATUS,
    ACCESS_BYTES,
    ACCESS_BYTES_OR_DASH,
    ACCESS_DURATION_US,
    ACCESS_DURATION_MS,
    ACCESS_DURATION_S,
    ACCESS_QUEUE_US,
    ACCESS_QUEUE_MS,
    ACCESS_QUEUE_S,
    ACCESS_PORT,
    ACCESS_PROCESS,
    ACCESS_THREAD,
    ACCESS_KEPT_ALIVE, /* requests before it on its connection */
    ACCESS_REQUEST_NUMBER,
    ACCESS_SECOND,
    ACCESS_MILLISECOND,
    ACCESS_MICROSECOND,
    ACCESS_MILLISECOND_PART, /* of the second, three digits */
    ACCESS_MICROSECOND_PART, /* six */
    /* times that have a stamp */
    ACCESS_TIME,
    ACCESS_TIME_CUSTOM,
    ACCESS_TIME_UTC,
};

/* What costs something to know, so that it is filled in only for a format that shows it. */
enum access_need {
    ACCESS_NEEDS_FRACTION = 1 << 0, /* the time in more than seconds */
    ACCESS_NEEDS_DURATION = 1 << 1,
    ACCESS_NEEDS_LOCAL = 1 << 2, /* the server's address */
};

/* Compiles a name or a format string. Returns 0; or -1 with the fault (*out is of no use then). */
int access_format_compile(const char *text, struct log_format *out, struct log_fault *fault);

#endif
