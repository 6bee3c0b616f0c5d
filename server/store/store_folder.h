/* Folders of the store: made where they are missing, with permissions that the umask does not
 * change, and synced so that they stay.
 */
#ifndef TARN_SERVER_STORE_STORE_FOLDER_H
#define TARN_SERVER_STORE_STORE_FOLDER_H

#include <stdbool.h>

/* Opens the folder `name` in the folder `parent` (a descriptor or AT_FDCWD); `name` may be a path.
 * Each folder on the way that is not there is made with mode 0750, and, if `syncs`, the folder that
 * it was made in is synced. Returns a descriptor for reading, the caller's, or -1 with errno.
 */
int store_folder_open(int parent, const char *name, bool syncs);

/* Syncs a folder through a descriptor that was not there before. Returns 0, or -1 with errno. */
int store_folder_sync(int folder);

#endif
