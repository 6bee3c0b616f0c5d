/* A small file that has been read and described once, to answer many requests.
 *
 * It does not change, but for the time of its last check, and is counted: who keeps one beyond a
 * call holds it. Any thread.
 */
#ifndef TARN_SERVER_HANDLERS_CACHED_FILE_H
#define TARN_SERVER_HANDLERS_CACHED_FILE_H

#include "server/handlers/file_look.h"
#include "server/handlers/representation.h"

#include <stdatomic.h>
#include <sys/stat.h>

/* The largest. From 10 to 256 KiB it costs 10 to 25 % less CPU time to send a file from memory than
 * by sendfile(2) from a descriptor that is kept open.
 */
#define CACHED_FILE_BYTES_MAX 262144

struct cached_file {
    /* Constant. All memory is in one block with the struct. */
    const char *path; /* by which it was found */
    struct stat stat;
    struct representation whole;
    struct slice media_type;
    struct slice validators; /* field lines that a 304 has too */
    struct slice look;       /* the others */
    struct slice bytes;      /* the content */

    atomic_int_least64_t checked_us; /* when the last check that it is unchanged began; 0: never */
    atomic_uint holders;
};

/* Whether a regular file is small enough, and has been unchanged for some seconds at `now`. */
bool cached_file_may_be(const struct stat *stat, time_t now);

/* Takes in such a file, which `path` led to and which stays the caller's; of `look` all is copied
 * but the media type, a literal. The caller holds the result. Returns NULL if the file is not, or
 * no longer, as `stat` says, or there is no memory.
 */
struct cached_file *cached_file_create(const char *path, int file, const struct stat *stat,
                                       const struct file_look *look, time_t now);

/* cached_file_release() by the last holder frees it; NULL is allowed. */
void cached_file_hold(struct cached_file *cached);
void cached_file_release(struct cached_file *cached);

/* Whether a file of which stat(2) says this is the same one, and unchanged. */
bool cached_file_is(const struct cached_file *cached, const struct stat *stat);

#endif
