/* Faults of a configuration, told as they are found: all of a file, not only the first. Also where
 * a value is from. Not shared between threads.
 */
#ifndef TARN_SERVER_CONFIG_PROBLEMS_H
#define TARN_SERVER_CONFIG_PROBLEMS_H

#include <stdio.h>

/* Where a value is from. Borrowed strings. */
struct origin {
    const char *name; /* the file, or "default", "--set", "command line" */
    unsigned line;    /* 0: none */
    const char *file; /* relative paths are relative to this file's folder; NULL: to the working
                       * directory */
};

struct problems {
    FILE *stream; /* borrowed */
    int status;   /* 0, CONFIG_EXIT_INVALID, or 1 (no memory) */
};

/* "NAME:LINE" or "NAME"; the caller frees it. NULL when there is no memory. */
char *origin_text(const struct origin *origin);

/* Writes `ORIGIN: message` as a line. */
void problems_add(struct problems *problems, const struct origin *origin, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes `ORIGIN: `, counts a fault, and returns the stream for the rest of the line. */
FILE *problems_begin(struct problems *problems, const struct origin *origin);

/* Says that there is no memory, once. */
void problems_no_memory(struct problems *problems);

#endif
