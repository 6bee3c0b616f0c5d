#include "server/handlers/repr_digest.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES 16384

/* Adds the file's bytes to the digest. Returns whether all could be read. */
static bool read_through(int file, uint64_t len, struct digest *digest)
{
    char buffer[READ_BYTES];
    uint64_t offset = 0;
    while (offset < len) {
        ssize_t n = pread(file, buffer, sizeof(buffer), (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        digest_update(digest, buffer, (size_t)n);
        offset += (uint64_t)n;
    }
    return offset == len;
}

static void append_field(struct text *fields, const struct digest *digest, unsigned algorithm)
{
    text_append(fields, SLICE("Repr-Digest: "));
    digest_append(fields, digest, algorithm);
    text_append(fields, SLICE("\r\n"));
}

void repr_digest_add(struct request *request)
{
    struct response *response = &request->exchange->response;
    struct digest digest;
    struct stat info;
    bool has_file = response->content == RESPONSE_FILE && response->file >= 0;
    unsigned algorithm = has_file ? digest_asked_for(&request->exchange->head) : 0;
    if (algorithm == 0 || fstat(response->file, &info) != 0 || info.st_size > REPR_DIGEST_BYTES_MAX)
        return;
    digest_begin(&digest, algorithm);
    if (!read_through(response->file, (uint64_t)info.st_size, &digest))
        return;
    (void)digest_finish(&digest);
    append_field(&response->fields, &digest, algorithm);
}

void repr_digest_add_known(struct request *request, const struct digest *digest)
{
    unsigned algorithm = digest_asked_for(&request->exchange->head);
    if (algorithm != 0)
        append_field(&request->exchange->response.fields, digest, algorithm);
}
