/* One line of the access log: a request, as a format (server/log/access_format.h) shows it. */
#ifndef TARN_SERVER_LOG_ACCESS_LINE_H
#define TARN_SERVER_LOG_ACCESS_LINE_H

#include "http/text.h"
#include "server/log/access_format.h"
#include "server/log/access_log.h"
#include "server/log/log_stamp.h"

/* The times of a format's lines. Owned by one thread. All zero: none yet. */
struct access_stamps {
    struct log_stamp of[ACCESS_FORMAT_STAMPS_MAX];
};

/* Appends the entry's line with its newline, and brings the stamps up to date. The stamps go with
 * one format only.
 */
void access_line_append(struct text *out, const struct log_format *format,
                        struct access_stamps *stamps, const struct access_entry *entry);

#endif
