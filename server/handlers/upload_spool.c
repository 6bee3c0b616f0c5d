#include "server/handlers/upload_spool.h"

#include "server/store/store_reread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE_AT_FIRST 1024

static bool has_file(const struct upload_spool *spool)
{
    return spool->file.store != NULL;
}

static void free_memory(struct upload_spool *spool)
{
    free(spool->bytes);
    spool->bytes = NULL;
    spool->len = spool->size = 0;
}

int upload_spool_move_to_file(struct upload_spool *spool)
{
    if (has_file(spool))
        return 0;
    if (store_file_create(spool->store, &spool->file) != 0)
        return -1;
    if (spool->len > 0 && store_file_append(&spool->file, spool->bytes, spool->len) != 0)
        return -1;
    free_memory(spool);
    return 0;
}

static int grow(struct upload_spool *spool, size_t len)
{
    size_t size = spool->size ? spool->size : SIZE_AT_FIRST;
    while (size < len)
        size *= 2;
    char *bytes = realloc(spool->bytes, size);
    if (!bytes)
        return -1;
    spool->bytes = bytes;
    spool->size = size;
    return 0;
}

int upload_spool_append(struct upload_spool *spool, struct slice piece)
{
    if (spool->len + piece.len > UPLOAD_SPOOL_MEMORY_BYTES && upload_spool_move_to_file(spool) != 0)
        return -1;
    if (has_file(spool))
        return store_file_append(&spool->file, piece.data, piece.len);
    if (spool->len + piece.len > spool->size && grow(spool, spool->len + piece.len) != 0)
        return -1;
    if (piece.len > 0) /* an empty piece may have no memory at all, nor may the spool */
        memcpy(spool->bytes + spool->len, piece.data, piece.len);
    spool->len += piece.len;
    return 0;
}

int upload_spool_read_begin(const struct upload_spool *spool, struct upload_spool_reader *out)
{
    int fd = has_file(spool) ? store_reread_open(&spool->file) : -1;
    if (has_file(spool) && fd < 0)
        return -1;
    *out = (struct upload_spool_reader){spool, fd};
    return 0;
}

static ssize_t read_memory(const struct upload_spool *spool, uint64_t offset, char *out,
                           size_t size)
{
    size_t left = offset < spool->len ? spool->len - (size_t)offset : 0;
    size_t len = left < size ? left : size;
    if (len > 0)
        memcpy(out, spool->bytes + offset, len);
    return (ssize_t)len;
}

ssize_t upload_spool_read(const struct upload_spool_reader *reader, uint64_t offset, char *out,
                          size_t size)
{
    if (reader->fd < 0)
        return read_memory(reader->spool, offset, out, size);
    size_t len = 0;
    while (len < size) {
        ssize_t n = pread(reader->fd, out + len, size - len, (off_t)(offset + len));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

void upload_spool_read_end(struct upload_spool_reader *reader)
{
    int error = errno;
    if (reader->fd >= 0)
        (void)close(reader->fd); /* only read from */
    reader->fd = -1;
    errno = error;
}

void upload_spool_drop(struct upload_spool *spool)
{
    int error = errno;
    store_file_discard(&spool->file);
    free_memory(spool);
    errno = error;
}
