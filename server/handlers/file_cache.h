/* Small files in memory, so that a hot one need not be opened, read and closed for each request.
 *
 * A change on disk shows at once: every hit is verified by fstatat(2) against device, inode, size,
 * mtime and ctime in nanoseconds. A file is not taken in before it has been unchanged for two
 * seconds: ctime is stamped before the bytes of a write are copied, so that a younger file might
 * still change under the same stamp. Containment is the opener's: only what was opened below the
 * root is taken in, and the same inode has the same bytes by whatever path it is found.
 *
 * Bounded: FILE_CACHE_ENTRIES files of FILE_CACHE_BYTES_MAX; a file drives out the one that has
 * the same place. Any thread; no lock is held over a system call.
 */
#ifndef TARN_SERVER_HANDLERS_FILE_CACHE_H
#define TARN_SERVER_HANDLERS_FILE_CACHE_H

#include "http/text.h"

#include <sys/stat.h>
#include <time.h>

#define FILE_CACHE_ENTRIES   4096
#define FILE_CACHE_BYTES_MAX 8192

struct file_cache;

/* Returns NULL with errno. */
struct file_cache *file_cache_create(void);

/* NULL is allowed. */
void file_cache_destroy(struct file_cache *cache);

/* Looks for a file by its path below the directory `root` (relative, NUL-terminated), and verifies
 * that it is unchanged. Returns true, its bytes in *out_bytes (which replaces what is there; needs
 * room for FILE_CACHE_BYTES_MAX) and *out_stat filled. `path` may stand in out_bytes' buffer.
 */
bool file_cache_find(struct file_cache *cache, int root, const char *path, struct text *out_bytes,
                     struct stat *out_stat);

/* Takes in the opened regular file that `path` led to, if it is small and old enough at `now`. */
void file_cache_offer(struct file_cache *cache, const char *path, int file, time_t now);

#endif
