/* What is still to be sent: pieces, each some bytes of memory and then some of a file.
 *
 * Of a file it holds at most one chunk in memory, the worker's, whatever the file's size; where
 * the transport can, the kernel moves the bytes and the server sees none of them.
 */
#ifndef TARN_HTTP_OUTPUT_H
#define TARN_HTTP_OUTPUT_H

#include "http/slice.h"
#include "http/transport.h"

#define OUTPUT_PIECES_MAX 6 /* a head, four parts of a file, and what ends them */

struct output_piece {
    struct slice memory; /* what is still to be sent of it; borrowed, until output_keep() */
    off_t offset;        /* in the file */
    uint64_t file_bytes; /* still to be sent from there */
};

struct output {
    struct output_piece pieces[OUTPUT_PIECES_MAX];
    unsigned next; /* pieces before it are done */
    unsigned count;
    char *owned;          /* freed at the end; NULL */
    struct slice lasting; /* memory of some pieces that need not be copied: it lives long enough */
    char *kept;           /* owned copy of what was borrowed; NULL */
    int file;             /* owned; -1: none */
    bool copies;         /* the file goes through memory, since its file system knows no sendfile */
    uint64_t sent_bytes; /* taken by the transport so far */
};

enum output_outcome {
    OUTPUT_DONE,    /* all has been taken */
    OUTPUT_BLOCKED, /* the transport would have to wait */
    OUTPUT_SHARE,   /* the share is used up */
    OUTPUT_BROKEN,  /* the connection is broken */
    OUTPUT_SHORT,   /* the file has shrunk, or cannot be read */
};

/* One worker's memory for a chunk of a file. */
struct output_chunk {
    char *buffer;
    size_t size;
};

/* Nothing to send. */
void output_init(struct output *output);

/* Adds a piece behind those that are there. */
void output_add(struct output *output, struct slice memory, off_t offset, uint64_t file_bytes);

/* Frees the copy and closes the file. */
void output_deinit(struct output *output);

/* Sends as much as it can, but about `share_bytes` at most: the call of sendfile does not return
 * before they are sent or the buffers of a fast reader are full.
 */
enum output_outcome output_send(struct output *output, const struct transport *transport,
                                struct output_chunk chunk, uint64_t share_bytes);

/* Copies the borrowed bytes that have not been sent. Returns 0, or -1 with ENOMEM. */
int output_keep(struct output *output);

#endif
