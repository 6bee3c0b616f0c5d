/* Reading a small regular file whole. Any thread. */
#ifndef TARN_SERVER_CONFIG_REGULAR_FILE_H
#define TARN_SERVER_CONFIG_REGULAR_FILE_H

#include <stddef.h>

/* Reads the file into new memory, with a NUL behind the last byte. Never waits for the other end
 * of a FIFO. Returns 0, and the caller frees *out_data; or -1 with errno, among others EISDIR,
 * ENOTSUP (not a regular file), EFBIG (more than `len_max` bytes) and ENOMEM.
 */
int regular_file_read(const char *path, size_t len_max, char **out_data, size_t *out_len);

#endif
