/* /files/NAME: files that clients may read, and, if `files.writable` says so, write.
 *
 * The folder is flat: a name is one segment, and those that begin with a dot are not there. What is
 * in a file came from a client, so it is never active content: a download of no known type,
 * sandboxed, whatever its name ends in.
 */
#ifndef TARN_SERVER_HANDLERS_FILES_H
#define TARN_SERVER_HANDLERS_FILES_H

#include "server/handlers/request.h"

/* GET and HEAD: of the folder itself, and of all that is in it where clients may not write. */
extern const struct handler files_handler;

/* GET, HEAD, PUT, POST and DELETE. */
extern const struct handler writable_files_handler;

/* Which of the two it is for a request to files_handler. */
const struct handler *files_handler_for(const struct request *request);

#endif
