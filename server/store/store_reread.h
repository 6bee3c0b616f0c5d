/* Reading an object before it is committed. */
#ifndef TARN_SERVER_STORE_STORE_REREAD_H
#define TARN_SERVER_STORE_STORE_REREAD_H

#include "server/store/store.h"

/* Opens what has been, and what will be, appended to a file. Returns a descriptor for reading, the
 * caller's, or -1 with errno.
 */
int store_reread_open(const struct store_file *file);

#endif
