/* The text of a configuration file as libconfig is to read it, and where each line of it is from.
 *
 * libconfig 1.5 could open files itself, but not safely: it hangs on a FIFO, takes 5000000000 for
 * 705032704, and ends at a NUL byte or in an unclosed comment without a word. So the text is made
 * ready here:
 *
 *   - a line `@include "FILE"` is replaced by that file (relative to the file it stands in);
 *   - each integer is given the suffix L, so that it is read with 64 bits.
 *
 * Only regular files are read, SOURCE_BYTES_MAX bytes altogether.
 */
#ifndef TARN_SERVER_CONFIG_SOURCE_H
#define TARN_SERVER_CONFIG_SOURCE_H

#include "server/config/config.h"
#include "server/config/problems.h"

/* libconfig's time grows with the square of the number of settings: this much is a few seconds. */
#define SOURCE_BYTES_MAX         (256 * 1024)

#define SOURCE_INCLUDE_DEPTH_MAX 10

struct source {
    char *text;           /* NUL-terminated */
    struct origin *lines; /* where each line of the text is from; never empty */
    size_t line_count;
    struct string_list files; /* owns the names in `lines` */
};

/* Reads a file with all that it includes. Returns 0 and a source to deinitialise; -1 after the
 * reason was added to `problems`, *out untouched.
 */
int source_read(const char *path, struct source *out, struct problems *problems);
void source_deinit(struct source *source);

/* Where a line of the text is from, counted from 1; the nearest line there is. Borrowed. */
const struct origin *source_origin(const struct source *source, unsigned line);

#endif
