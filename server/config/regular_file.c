#include "server/config/regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Closes a descriptor that was only read from: nothing can be lost, and errno is kept. */
static void close_quietly(int fd)
{
    int error = errno;
    (void)close(fd);
    errno = error;
}

static int open_regular(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0) {
        if (S_ISREG(status.st_mode))
            return fd;
        errno = S_ISDIR(status.st_mode) ? EISDIR : ENOTSUP;
    }
    close_quietly(fd);
    return -1;
}

/* Reads to the end, at most `size` bytes. Returns their number, or -1 with errno. */
static ssize_t read_all(int fd, char *buffer, size_t size)
{
    size_t len = 0;

    while (len < size) {
        ssize_t count = read(fd, buffer + len, size - len);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        len += (size_t)count;
    }
    return (ssize_t)len;
}

int regular_file_read(const char *path, size_t len_max, char **out_data, size_t *out_len)
{
    int fd = open_regular(path);
    if (fd < 0)
        return -1;

    /* One byte more than allowed: whether the file is too long shows without asking for its size,
     * which may change.
     */
    char *data = malloc(len_max + 1);
    ssize_t len = data == NULL ? -1 : read_all(fd, data, len_max + 1);
    close_quietly(fd);
    if (len >= 0 && (size_t)len > len_max) {
        errno = EFBIG;
        len = -1;
    }
    if (len < 0) {
        free(data); /* keeps errno */
        return -1;
    }
    data[len] = '\0';
    *out_data = data;
    *out_len = (size_t)len;
    return 0;
}
