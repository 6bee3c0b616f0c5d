/* Opening of files below a directory, whatever the path and the links in it. */
#ifndef TARN_SERVER_HANDLERS_CONTAINED_H
#define TARN_SERVER_HANDLERS_CONTAINED_H

#include "http/status.h"

#include <sys/stat.h>

/* Opens `path` (relative, NUL-terminated) below `directory` for reading. Never blocks in opening,
 * never leaves the directory. Returns a descriptor, or -1 with errno; ENOENT, EXDEV (it would have
 * left), EACCES and others of openat2(2).
 */
int contained_open(int directory, const char *path);

/* The status for such an error: 404 for what is not there, 403 for what must not be read. */
enum http_status contained_status_of_errno(int error);

#endif
