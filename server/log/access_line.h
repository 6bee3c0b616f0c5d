/* One line of the access log, in Combined format:
 *
 *     client - - [10/Oct/2000:13:55:36 +0000] "request line" status bytes "referer" "user agent"
 */
#ifndef TARN_SERVER_LOG_ACCESS_LINE_H
#define TARN_SERVER_LOG_ACCESS_LINE_H

#include "http/text.h"
#include "server/log/access_log.h"

/* A time as it stands in a line, kept for the next line of the same second. All zero: none yet. */
struct access_stamp {
    time_t time;
    size_t len;
    char text[64];
};

/* Appends the entry's line with its newline, and brings the stamp up to date. */
void access_line_append(struct text *out, struct access_stamp *stamp,
                        const struct access_entry *entry);

#endif
