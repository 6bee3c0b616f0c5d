/* Hot small files in memory, so that one need not be opened, described, read and closed for each
 * request.
 *
 * A change on disk shows at once: a hit is verified by fstatat(2) against device, inode, size,
 * mode, mtime and ctime in nanoseconds. One check serves all requests that were already waiting
 * when it began: for these it is as good as one of their own. A file is not taken in before it has
 * been unchanged for two seconds: ctime is stamped before the bytes of a write are copied, so that
 * a younger file might still change under the same stamp. Containment is the opener's: only what
 * was opened below the root is taken in, and the same inode has the same bytes by whatever path it
 * is found.
 *
 * Bounded: there is a number of places for files of each size, 64 MiB in all; a file drives out the
 * one that has the same place. Any thread; no lock is held over a system call.
 */
#ifndef TARN_SERVER_HANDLERS_FILE_CACHE_H
#define TARN_SERVER_HANDLERS_FILE_CACHE_H

#include "server/handlers/cached_file.h"

struct file_cache;

/* For `ttl_us` microseconds after a check hits are not verified. Returns NULL with errno. */
struct file_cache *file_cache_create(int64_t ttl_us);

/* NULL is allowed. */
void file_cache_destroy(struct file_cache *cache);

/* Looks for a file by its path below the directory `root` (relative, NUL-terminated), and verifies
 * that it is unchanged. A check that began after `waiting_since_us` (CLOCK_MONOTONIC) will do: the
 * request had come in by then; INT64_MAX asks for a new one. Returns the file, which the caller
 * holds, or NULL.
 */
struct cached_file *file_cache_find(struct file_cache *cache, int root, const char *path,
                                    int64_t waiting_since_us);

/* Tells of a regular file that has been opened: `path` led to it. It is taken in if it is as
 * cached_file_may_be() wants it, and the one that was last offered for the same place: a file that
 * is asked for once is not worth it, nor are files that would drive out one another each time.
 */
void file_cache_offer(struct file_cache *cache, const char *path, int file, const struct stat *stat,
                      const struct file_look *look, time_t now);

#endif
