#include "http/output.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Parts that are shorter than this together are copied into one. */
#define JOINED_BYTES_MAX 4096

/* Parts of memory that one call sends: a head and its content, and a chunk of a file. */
#define VECTORS_MAX 3

/* The pieces are not cleared: a response has one or two, mostly. */
void output_init(struct output *output)
{
    output->next = 0;
    output->count = 0;
    output->owned = NULL;
    output->lasting = (struct slice){0};
    output->kept = NULL;
    output->file = -1;
    output->copies = false;
    output->sent_bytes = 0;
}

void output_add(struct output *output, struct slice memory, off_t offset, uint64_t file_bytes)
{
    assert(output->count < OUTPUT_PIECES_MAX);
    output->pieces[output->count++] = (struct output_piece){memory, offset, file_bytes};
}

void output_deinit(struct output *output)
{
    free(output->owned);
    free(output->kept);
    if (output->file >= 0)
        (void)close(output->file); /* only read from: nothing can be lost */
    output_init(output);
}

/* Takes off what has been sent, in order. */
static void advance(struct output *output, size_t sent)
{
    output->sent_bytes += sent;
    while (sent > 0) {
        struct output_piece *piece = &output->pieces[output->next];
        size_t of_memory = sent < piece->memory.len ? sent : piece->memory.len;
        if (of_memory > 0)
            piece->memory.data += of_memory;
        piece->memory.len -= of_memory;
        sent -= of_memory;
        size_t of_file = sent < piece->file_bytes ? sent : (size_t)piece->file_bytes;
        piece->offset += (off_t)of_file;
        piece->file_bytes -= of_file;
        sent -= of_file;
        if (piece->memory.len > 0 || piece->file_bytes > 0)
            return;
        output->next++;
    }
}

static enum output_outcome outcome_of_errno(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK ? OUTPUT_BLOCKED : OUTPUT_BROKEN;
}

/* Reads the next chunk of a piece's file. Returns its length, or -1 if the file has ended too
 * early or cannot be read.
 */
static ssize_t read_chunk(int file, const struct output_piece *piece, struct output_chunk chunk)
{
    size_t len = piece->file_bytes < chunk.size ? (size_t)piece->file_bytes : chunk.size;
    ssize_t n;
    do {
        n = pread(file, chunk.buffer, len, piece->offset);
    } while (n < 0 && errno == EINTR);
    return n > 0 ? n : -1;
}

static bool can_send_file(const struct output *output, const struct transport *transport)
{
    return transport->send_file && !output->copies;
}

/* What one call sends: memory up to the next file, and a chunk of that if it goes through memory.
 */
struct gathering {
    struct iovec vectors[VECTORS_MAX];
    int count;
    bool more; /* something follows */
};

/* Returns 0, or -1 if the file has ended too early or cannot be read. */
static int gather(const struct output *output, bool through_memory, struct output_chunk chunk,
                  struct gathering *out)
{
    for (unsigned i = output->next; i < output->count; i++) {
        const struct output_piece *piece = &output->pieces[i];
        if (piece->memory.len > 0) {
            out->more = out->count == VECTORS_MAX - 1;
            if (out->more)
                return 0;
            out->vectors[out->count++] =
                (struct iovec){(void *)piece->memory.data, piece->memory.len};
        }
        if (piece->file_bytes == 0)
            continue;
        out->more = true;
        if (!through_memory && piece->file_bytes > chunk.size)
            return 0;
        ssize_t len = read_chunk(output->file, piece, chunk);
        if (len < 0)
            return -1;
        out->vectors[out->count++] = (struct iovec){chunk.buffer, (size_t)len};
        out->more = (uint64_t)len < piece->file_bytes || i + 1 < output->count;
        return 0;
    }
    return 0;
}

/* A short head and its content cost less as one part than as a list of parts, which the kernel has
 * to copy and to walk. They meet in the memory for a chunk of a file, unless one is there.
 */
static void join_parts(struct gathering *gathered, struct output_chunk chunk)
{
    size_t len = 0;
    for (int i = 0; i < gathered->count; i++) {
        if (gathered->vectors[i].iov_base == chunk.buffer)
            return;
        len += gathered->vectors[i].iov_len;
    }
    if (gathered->count < 2 || len > JOINED_BYTES_MAX || len > chunk.size)
        return;
    char *end = chunk.buffer;
    for (int i = 0; i < gathered->count; i++)
        end = mempcpy(end, gathered->vectors[i].iov_base, gathered->vectors[i].iov_len);
    gathered->vectors[0] = (struct iovec){chunk.buffer, len};
    gathered->count = 1;
}

/* What of the chunk is not taken is read, or joined, again later, so that nobody has to keep it. */
static enum output_outcome send_memory(struct output *output, const struct transport *transport,
                                       struct output_chunk chunk)
{
    struct gathering gathered = {.count = 0};
    if (gather(output, !can_send_file(output, transport), chunk, &gathered) != 0)
        return OUTPUT_SHORT;
    join_parts(&gathered, chunk);
    ssize_t n =
        transport->send(transport->context, gathered.vectors, gathered.count, gathered.more);
    if (n < 0)
        return outcome_of_errno();
    advance(output, (size_t)n);
    return OUTPUT_DONE;
}

static enum output_outcome send_from_file(struct output *output, const struct transport *transport,
                                          uint64_t share_bytes)
{
    const struct output_piece *piece = &output->pieces[output->next];
    uint64_t len = piece->file_bytes;
    if (len > share_bytes)
        len = share_bytes;
    ssize_t n = transport->send_file(transport->context, output->file, piece->offset, (size_t)len);
    if (n == 0)
        return OUTPUT_SHORT;
    if (n < 0 && errno == EINVAL) {
        output->copies = true; /* sendfile(2): the file cannot be read that way */
        return OUTPUT_DONE;
    }
    if (n < 0 && (errno == EIO || errno == ENOMEM))
        return OUTPUT_SHORT;
    if (n < 0)
        return outcome_of_errno();
    advance(output, (size_t)n);
    return OUTPUT_DONE;
}

static bool is_done(struct output *output)
{
    while (output->next < output->count && output->pieces[output->next].memory.len == 0 &&
           output->pieces[output->next].file_bytes == 0)
        output->next++;
    return output->next == output->count;
}

enum output_outcome output_send(struct output *output, const struct transport *transport,
                                struct output_chunk chunk, uint64_t share_bytes)
{
    uint64_t share_end = output->sent_bytes + share_bytes;
    while (!is_done(output)) {
        if (output->sent_bytes >= share_end)
            return OUTPUT_SHARE;
        bool from_file =
            output->pieces[output->next].memory.len == 0 && can_send_file(output, transport);
        enum output_outcome outcome =
            from_file ? send_from_file(output, transport, share_end - output->sent_bytes)
                      : send_memory(output, transport, chunk);
        if (outcome != OUTPUT_DONE)
            return outcome;
    }
    return OUTPUT_DONE;
}

static bool is_borrowed(const struct output *output, struct slice memory)
{
    const struct slice *lasting = &output->lasting;
    bool lasts = lasting->len > 0 && memory.data >= lasting->data &&
                 memory.data < lasting->data + lasting->len;
    return memory.len > 0 && !lasts;
}

int output_keep(struct output *output)
{
    size_t len = 0;
    for (unsigned i = output->next; i < output->count; i++)
        if (is_borrowed(output, output->pieces[i].memory))
            len += output->pieces[i].memory.len;
    if (output->kept || len == 0)
        return 0;
    char *kept = malloc(len);
    if (!kept)
        return -1;
    output->kept = kept;
    for (unsigned i = output->next; i < output->count; i++) {
        struct slice *memory = &output->pieces[i].memory;
        if (!is_borrowed(output, *memory))
            continue;
        memcpy(kept, memory->data, memory->len);
        memory->data = kept;
        kept += memory->len;
    }
    return 0;
}
