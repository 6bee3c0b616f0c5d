/* A file's bytes, all at once: for the small files that a test is made of. Any thread. */
#ifndef TARN_TESTER_WHOLE_FILE_H
#define TARN_TESTER_WHOLE_FILE_H

#include <stddef.h>

/* Reads the file at `path`, of at most `limit` bytes. Returns 0 with the bytes, which the caller
 * frees, in *out_bytes, a NUL behind them that *out_len does not count; -1 with errno (EFBIG: it
 * is larger), both untouched.
 */
int whole_file_read(const char *path, size_t limit, char **out_bytes, size_t *out_len);

/* The path of `name` as seen from the folder that holds the file `beside`; an absolute name stays
 * as it is. The caller frees it; NULL: no memory.
 */
char *whole_file_path_beside(const char *beside, const char *name);

#endif
