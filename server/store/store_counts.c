#include "server/store/store_counts.h"

#include "http/slice.h"
#include "server/store/store_name.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define NAME "counts"

/* "FILES BYTES\n" */
#define TEXT_SIZE 64

static int parse(struct slice text, uint64_t *out_files, uint64_t *out_bytes)
{
    size_t space = 0;
    while (space < text.len && text.data[space] != ' ')
        space++;
    if (space == text.len || text.data[text.len - 1] != '\n')
        return -1;
    uint64_t files, bytes;
    if (slice_to_u64((struct slice){text.data, space}, &files) != 0 ||
        slice_to_u64((struct slice){text.data + space + 1, text.len - space - 2}, &bytes) != 0)
        return -1;
    *out_files = files;
    *out_bytes = bytes;
    return 0;
}

int store_counts_read(int housekeeping, uint64_t *out_files, uint64_t *out_bytes)
{
    char text[TEXT_SIZE];
    int fd = openat(housekeeping, NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t len = read(fd, text, sizeof text);
    (void)close(fd); /* only read from */
    return len > 0 ? parse((struct slice){text, (size_t)len}, out_files, out_bytes) : -1;
}

static int write_text(int fd, const char *text, size_t len)
{
    ssize_t written = write(fd, text, len);
    if (close(fd) != 0 || written < 0)
        return -1;
    errno = ENOSPC; /* if it is short */
    return (size_t)written == len ? 0 : -1;
}

int store_counts_write(int housekeeping, uint64_t files, uint64_t bytes)
{
    char temporary[STORE_TEMPORARY_SIZE];
    char text[TEXT_SIZE];
    int len = snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64 "\n", files, bytes);
    if (store_name_make_temporary(temporary) != 0)
        return -1;
    int fd = openat(housekeeping, temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0640);
    if (fd < 0)
        return -1;
    /* Another process that starts may take the file away: then it is written the next time. */
    if (write_text(fd, text, (size_t)len) == 0 &&
        renameat(housekeeping, temporary, housekeeping, NAME) == 0)
        return 0;
    int error = errno;
    (void)unlinkat(housekeeping, temporary, 0); /* else at the next start */
    errno = error;
    return -1;
}

void store_counts_remove(int housekeeping)
{
    (void)unlinkat(housekeeping, NAME, 0); /* what cannot be removed is as wrong as a lost one */
}
