/* The error log: what the operator should know. One line an event:
 *
 *     [2026-03-01T12:00:00.123Z] [warn] [pid:tid] [client] message
 *
 * or in another format, see server/log/error_format.h.
 *
 * One log for the process (the only global of the server: a log that had to be handed to every
 * function would be used by none). Any thread may log; a line is formatted into a buffer of its
 * own and written at once, so that lines never mix. The log escapes what it is given (control
 * bytes, '"', '\' and 0x7f-0xff as \xHH): one line an event, whatever it holds.
 *
 * Nobody waits for the log: lines that a full pipe does not take are lost, and counted in a line
 * that comes when it takes some again. SIGPIPE and SIGXFSZ must be ignored by the process.
 */
#ifndef TARN_SERVER_LOG_ERROR_LOG_H
#define TARN_SERVER_LOG_ERROR_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Opens the log. `where`: "stderr", "-" (stdout), "off", or a file's path (appended to, 0640).
 * Returns 0, or -1 with errno; before it succeeds, lines from LOG_INFO on go to stderr. To be
 * called before any other thread runs.
 */
int error_log_open(const char *where, enum log_level level);

/* Changes what is written. Any thread. */
void error_log_set_level(enum log_level level);

/* Sets the format of the lines, a string as in server/log/error_format.h. Returns 0, or -1 with
 * EINVAL if it is none. To be called before any other thread runs.
 */
int error_log_set_format(const char *text);

/* From now on this thread's errors are also written to a descriptor, each as a plain line without
 * the format: whoever has started the server reads them there. `only`: and not to the log, which
 * would show them in the same place. -1: no longer.
 */
void error_log_tell(int fd, bool only);

/* Opens the file by its path again, after it was moved away. Nobody waits, and no line is lost or
 * torn by it. If that fails, the old file stays in use, and is told so. Any thread, but one at a
 * time, and not beside open and close.
 */
void error_log_reopen(void);

/* Back to stderr, and to the usual format. To be called when no other thread runs any more. */
void error_log_close(void);

/* "error", "warn", "info" or "debug". Returns 0 or -1. */
int error_log_level_parse(const char *name, enum log_level *out);

/* Whether lines of this level are written: to spare the work for one that is not. */
bool error_log_wants(enum log_level level);

/* Logs a line. `client` is the peer's address as text, NULL where there is none ("-").
 * Keeps errno. Lines longer than 1 KiB are cut.
 */
void error_log(enum log_level level, const char *client, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Logs each line of a text, none of which is empty. */
void error_log_lines(enum log_level level, const char *lines);

/* The same as error_log(), with ": " and a description of the error number at the end. */
void error_log_errno(enum log_level level, int error, const char *client, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
