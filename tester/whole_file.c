#include "tester/whole_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 4096

/* A buffer that grows; `size` is always more than `len`, so that a NUL has its place. */
struct growing {
    char *bytes;
    size_t len;
    size_t size;
};

static int grow(struct growing *buffer)
{
    size_t size = buffer->size == 0 ? FIRST_SIZE : buffer->size * 2;
    char *bytes = realloc(buffer->bytes, size);
    if (bytes == NULL)
        return -1;
    buffer->bytes = bytes;
    buffer->size = size;
    return 0;
}

static int read_all(FILE *file, size_t limit, struct growing *buffer)
{
    for (;;) {
        if (buffer->len + 1 >= buffer->size && grow(buffer) != 0)
            return -1;
        size_t room = buffer->size - buffer->len - 1;
        size_t count = fread(buffer->bytes + buffer->len, 1, room, file);
        buffer->len += count;
        if (buffer->len > limit) {
            errno = EFBIG;
            return -1;
        }
        if (count < room)
            return ferror(file) ? -1 : 0;
    }
}

int whole_file_read(const char *path, size_t limit, char **out_bytes, size_t *out_len)
{
    struct growing buffer = {0};
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return -1;
    int result = read_all(file, limit, &buffer);
    int error = errno;
    (void)fclose(file); /* nothing was written */
    if (result != 0) {
        free(buffer.bytes);
        errno = error;
        return -1;
    }
    buffer.bytes[buffer.len] = '\0';
    *out_bytes = buffer.bytes;
    *out_len = buffer.len;
    return 0;
}

char *whole_file_path_beside(const char *beside, const char *name)
{
    const char *slash = strrchr(beside, '/');
    char *path;
    if (name[0] == '/' || slash == NULL)
        return strdup(name);
    int folder_len = (int)(slash - beside + 1);
    return asprintf(&path, "%.*s%s", folder_len, beside, name) < 0 ? NULL : path;
}
