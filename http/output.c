#include "http/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One call of sendfile: large, since each call has its cost, and bounded, since the call does not
 * return before a fast reader's buffers are full.
 */
#define SEND_FILE_BYTES_MAX 262144

struct output output_empty(void)
{
    return (struct output){.file = -1};
}

void output_deinit(struct output *output)
{
    free(output->kept);
    if (output->file >= 0)
        (void)close(output->file); /* only read from: nothing can be lost */
    *output = output_empty();
}

static void take_off(struct slice *part, size_t *bytes)
{
    size_t len = *bytes < part->len ? *bytes : part->len;
    if (len == 0)
        return;
    part->data += len;
    part->len -= len;
    *bytes -= len;
}

static void file_advance(struct output *output, size_t bytes)
{
    output->file_offset += (off_t)bytes;
    output->file_bytes -= bytes;
}

static enum output_outcome outcome_of_errno(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK ? OUTPUT_BLOCKED : OUTPUT_BROKEN;
}

/* Reads the next chunk of the file. Returns its length, 0 if there is no file, -1 if it has
 * ended too early or cannot be read.
 */
static ssize_t read_chunk(const struct output *output, struct output_chunk chunk)
{
    if (output->file_bytes == 0)
        return 0;
    size_t len = output->file_bytes < chunk.size ? (size_t)output->file_bytes : chunk.size;
    ssize_t n;
    do {
        n = pread(output->file, chunk.buffer, len, output->file_offset);
    } while (n < 0 && errno == EINTR);
    return n > 0 ? n : -1;
}

/* Sends the parts and `from_file` bytes of the chunk in one call. What of the chunk is not taken
 * is read again later, so that nobody has to keep it.
 */
static enum output_outcome send_memory(struct output *output, const struct transport *transport,
                                       struct slice from_file)
{
    struct iovec vectors[OUTPUT_PARTS + 1];
    int count = 0;
    struct slice all[OUTPUT_PARTS + 1] = {output->parts[0], output->parts[1], from_file};
    for (int i = 0; i < OUTPUT_PARTS + 1; i++)
        if (all[i].len > 0)
            vectors[count++] = (struct iovec){(void *)all[i].data, all[i].len};

    bool more = output->file_bytes > from_file.len;
    ssize_t n = transport->send(transport->context, vectors, count, more);
    if (n < 0)
        return outcome_of_errno();
    size_t taken = (size_t)n;
    output->sent_bytes += taken;
    for (int i = 0; i < OUTPUT_PARTS; i++)
        take_off(&output->parts[i], &taken);
    file_advance(output, taken);
    return OUTPUT_DONE;
}

static enum output_outcome send_chunk(struct output *output, const struct transport *transport,
                                      struct output_chunk chunk)
{
    ssize_t len = read_chunk(output, chunk);
    if (len < 0)
        return OUTPUT_SHORT;
    return send_memory(output, transport, (struct slice){chunk.buffer, (size_t)len});
}

static enum output_outcome send_from_file(struct output *output, const struct transport *transport,
                                          uint64_t share_bytes)
{
    uint64_t len = output->file_bytes;
    if (len > SEND_FILE_BYTES_MAX)
        len = SEND_FILE_BYTES_MAX;
    if (len > share_bytes)
        len = share_bytes;
    ssize_t n =
        transport->send_file(transport->context, output->file, output->file_offset, (size_t)len);
    if (n == 0)
        return OUTPUT_SHORT;
    if (n < 0 && (errno == EIO || errno == EINVAL || errno == ENOMEM))
        return OUTPUT_SHORT;
    if (n < 0)
        return outcome_of_errno();
    output->sent_bytes += (uint64_t)n;
    file_advance(output, (size_t)n);
    return OUTPUT_DONE;
}

static enum output_outcome send_next(struct output *output, const struct transport *transport,
                                     struct output_chunk chunk, uint64_t share_bytes)
{
    bool has_parts = output->parts[0].len + output->parts[1].len > 0;
    bool fits_one_chunk = output->file_bytes <= chunk.size;
    if (has_parts && !fits_one_chunk && transport->send_file)
        return send_memory(output, transport, (struct slice){0});
    if (has_parts || !transport->send_file)
        return send_chunk(output, transport, chunk);
    return send_from_file(output, transport, share_bytes);
}

enum output_outcome output_send(struct output *output, const struct transport *transport,
                                struct output_chunk chunk, uint64_t share_bytes)
{
    uint64_t share_end = output->sent_bytes + share_bytes;
    while (output->parts[0].len + output->parts[1].len + output->file_bytes > 0) {
        if (output->sent_bytes >= share_end)
            return OUTPUT_SHARE;
        enum output_outcome outcome =
            send_next(output, transport, chunk, share_end - output->sent_bytes);
        if (outcome != OUTPUT_DONE)
            return outcome;
    }
    return OUTPUT_DONE;
}

int output_keep(struct output *output)
{
    size_t len = output->parts[0].len + output->parts[1].len;
    if (output->kept || len == 0)
        return 0;
    char *kept = malloc(len);
    if (!kept)
        return -1;
    size_t filled = 0;
    for (int i = 0; i < OUTPUT_PARTS; i++) {
        if (output->parts[i].len > 0)
            memcpy(kept + filled, output->parts[i].data, output->parts[i].len);
        filled += output->parts[i].len;
    }
    output->kept = kept;
    output->parts[0] = (struct slice){kept, len};
    output->parts[1] = (struct slice){0};
    return 0;
}
