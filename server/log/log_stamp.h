/* Times as log lines show them. A stamp keeps the text of its second, since most lines come in the
 * same second as the one before.
 */
#ifndef TARN_SERVER_LOG_LOG_STAMP_H
#define TARN_SERVER_LOG_LOG_STAMP_H

#include "http/slice.h"

#include <time.h>

#define LOG_STAMP_LEN_MAX 95

/* Owned by one thread. All zero: nothing yet. */
struct log_stamp {
    time_t time;
    size_t len;
    char text[LOG_STAMP_LEN_MAX + 1];
};

/* Each of these returns the text of a time, borrowed from the stamp until the next call with it. A
 * stamp is used with one function, and one format, only.
 */

/* "[10/Oct/2000:13:55:36 +0000]", local time, as Apache writes it. */
struct slice log_stamp_common(struct log_stamp *stamp, time_t when);

/* "2000-10-10T13:55:36", UTC. */
struct slice log_stamp_utc(struct log_stamp *stamp, time_t when);

/* Local time as strftime(3) formats it in the C locale. */
struct slice log_stamp_custom(struct log_stamp *stamp, time_t when, const char *format);

/* Whether log_stamp_custom() knows the format's conversions, and its text is one line that fits. */
bool log_stamp_accepts(struct slice format);

#endif
