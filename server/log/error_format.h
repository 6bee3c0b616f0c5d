/* The format of the error log's lines: a format string after Apache's ErrorLogFormat.
 *
 *     %t   time, UTC with milliseconds; %{...}t: local, by strftime(3)
 *     %l   level           %m   part of the server: "core"
 *     %P   process id      %T   thread id, the kernel's
 *     %a   the client's address, "-" where there is none
 *     %M   the message
 */
#ifndef TARN_SERVER_LOG_ERROR_FORMAT_H
#define TARN_SERVER_LOG_ERROR_FORMAT_H

#include "http/text.h"
#include "server/log/log_format.h"

#include <time.h>

#define ERROR_FORMAT_DEFAULT "[%t] [%l] [%P:%T] [%a] %M"

/* What a line tells. */
struct error_entry {
    struct timespec time;
    const char *level;
    const char *client; /* NULL: none */
    struct slice message;
    struct slice reason; /* appended to it as it is; empty: none */
};

/* Compiles a format string. Returns 0; or -1 with the fault (*out is of no use then). One without
 * the message is refused.
 */
int error_format_compile(const char *text, struct log_format *out, struct log_fault *fault);

/* Appends the entry's line, without a newline, as written by this thread. Client and message may
 * hold any byte: they are escaped.
 */
void error_format_append(struct text *out, const struct log_format *format,
                         const struct error_entry *entry);

#endif
