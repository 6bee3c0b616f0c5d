/* What store.c and store_file.c share. */
#ifndef TARN_SERVER_STORE_STORE_PRIVATE_H
#define TARN_SERVER_STORE_STORE_PRIVATE_H

#include "server/store/store.h"
#include "server/store/store_sync.h"

#include <stdbool.h>
#include <stdio.h>

/* Constant after store_open(), but for what `sync` guards itself. */
struct store {
    int folder;       /* the documents */
    int housekeeping; /* the dot folder in it: named temporary files */
    bool has_unnamed; /* there is O_TMPFILE, and /proc to link such a file by */
    bool is_durable;
    uint64_t min_free_bytes;
    time_t (*now)(void);
    struct store_sync sync; /* of `folder` */
};

#define STORE_PROC_PATH_SIZE 32

/* The path by which an open file can be linked. */
static inline void store_proc_path(int fd, char out[STORE_PROC_PATH_SIZE])
{
    snprintf(out, STORE_PROC_PATH_SIZE, "/proc/self/fd/%d", fd);
}

#endif
