/* Static files: GET and HEAD of what lies below the document root.
 *
 * The kernel is the last word on containment: every path is opened with openat2(2) below the
 * root's descriptor, and symbolic links that lead out of it do not resolve.
 */
#ifndef TARN_SERVER_HANDLERS_STATIC_FILES_H
#define TARN_SERVER_HANDLERS_STATIC_FILES_H

#include "server/handlers/request.h"

extern const struct handler static_files_handler;

#endif
