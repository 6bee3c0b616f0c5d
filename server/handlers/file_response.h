/* A file as a representation: validators, preconditions and ranges (RFC 9110 sections 8.8, 13, 14),
 * for all handlers that answer with one.
 */
#ifndef TARN_SERVER_HANDLERS_FILE_RESPONSE_H
#define TARN_SERVER_HANDLERS_FILE_RESPONSE_H

#include "server/handlers/cached_file.h"
#include "server/handlers/file_look.h"
#include "server/handlers/request.h"

/* Makes the response to a GET or HEAD for an opened regular file, which is taken over: 200, 206,
 * 304, 412 or 416.
 */
void file_response_make(struct request *request, int file, const struct stat *stat,
                        const struct file_look *look);

/* The same from the cache: 200, 304 or 412; ranges are not selected. The file must be held until
 * the exchange ends.
 */
void file_response_make_cached(struct request *request, const struct cached_file *cached);

/* Makes the response for a file that could not be opened, with open's errno: 403, 404, 500 (which
 * is logged) or 503.
 */
void file_response_refuse(struct request *request, int error);

#endif
