/* Paths that are relative to a file. Any thread. */
#ifndef TARN_SERVER_CONFIG_PATH_H
#define TARN_SERVER_CONFIG_PATH_H

/* The path `name` as seen from the folder that `file` is in: `name` itself if it is absolute, or
 * if `file` is NULL or has no folder. The caller frees the result; NULL when there is no memory.
 */
char *path_beside(const char *file, const char *name);

#endif
