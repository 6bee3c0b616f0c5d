/* A file as a representation: validators, preconditions and ranges (RFC 9110 sections 8.8, 13, 14),
 * for all handlers that answer with one.
 */
#ifndef TARN_SERVER_HANDLERS_FILE_RESPONSE_H
#define TARN_SERVER_HANDLERS_FILE_RESPONSE_H

#include "server/handlers/request.h"

#include <sys/stat.h>

/* How the file is to be seen. */
struct file_look {
    struct slice media_type;    /* required */
    struct slice download_name; /* empty: shown inline, else to be saved under this name */
    struct slice cache_control; /* empty: no such field */
    struct slice policy;        /* Content-Security-Policy; empty: no such field */
};

/* Where its bytes are. */
struct file_source {
    int file;           /* an opened regular file, which is taken over; -1: in memory */
    struct slice bytes; /* then: all of them, borrowed as those of a response are */
};

/* Makes the response to a GET or HEAD for a file: 200, 206, 304, 412 or 416. Ranges of what is in
 * memory are not selected: it is answered whole.
 */
void file_response_make(struct request *request, const struct file_source *source,
                        const struct stat *stat, const struct file_look *look);

/* Makes the response for a file that could not be opened, with open's errno: 403, 404, 500 (which
 * is logged) or 503.
 */
void file_response_refuse(struct request *request, int error);

#endif
