/* The content of an upload until it is known what becomes of it: in memory as long as it is short,
 * else in a file of the store that nobody sees. So a thousand slow senders hold no thousand
 * megabytes.
 */
#ifndef TARN_SERVER_HANDLERS_UPLOAD_SPOOL_H
#define TARN_SERVER_HANDLERS_UPLOAD_SPOOL_H

#include "http/slice.h"
#include "server/store/store.h"

#include <sys/types.h>

#define UPLOAD_SPOOL_MEMORY_BYTES 65536

/* All members but `store` are the spool's. Zero, but for the store: empty. */
struct upload_spool {
    struct store *store; /* borrowed */
    char *bytes;         /* the content, as long as it fits */
    size_t len;
    size_t size;
    struct store_file file; /* the content, once it does not */
};

/* Appends a piece. Returns 0, or -1 with errno; then it can only be dropped. */
int upload_spool_append(struct upload_spool *spool, struct slice piece);

/* Moves the content to its file, to be committed by the caller. Returns 0, or -1 with errno. */
int upload_spool_move_to_file(struct upload_spool *spool);

/* What reads a spool that is complete. */
struct upload_spool_reader {
    const struct upload_spool *spool;
    int fd; /* owned; -1: it is in memory */
};

/* Returns 0, or -1 with errno. */
int upload_spool_read_begin(const struct upload_spool *spool, struct upload_spool_reader *out);

/* Reads `size` bytes from `offset` on, less at the end. Returns how many, or -1 with errno. */
ssize_t upload_spool_read(const struct upload_spool_reader *reader, uint64_t offset, char *out,
                          size_t size);
void upload_spool_read_end(struct upload_spool_reader *reader);

/* Forgets the content. Keeps errno. */
void upload_spool_drop(struct upload_spool *spool);

#endif
