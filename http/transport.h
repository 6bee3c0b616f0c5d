/* What carries the bytes of a connection: a socket, or memory in tests and fuzzers.
 *
 * No function waits. Errors are errno's: EAGAIN where a socket would have to wait.
 */
#ifndef TARN_HTTP_TRANSPORT_H
#define TARN_HTTP_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct transport {
    /* Up to `size` bytes. Returns how many; 0 when the peer has ended; -1 with errno. */
    ssize_t (*receive)(void *context, void *buffer, size_t size);

    /* Sends the parts in order. `more`: further bytes follow at once, so that a short segment may
     * wait for them. Returns how many bytes were taken, at least 1; -1 with errno.
     */
    ssize_t (*send)(void *context, const struct iovec *parts, int count, bool more);

    /* Sends from a file without a copy. Returns how many bytes were taken; 0 at the file's end;
     * -1 with errno. NULL if the transport cannot.
     */
    ssize_t (*send_file)(void *context, int file, off_t offset, size_t len);

    /* How many bytes that were taken the peer has not acknowledged yet. */
    uint64_t (*unacknowledged)(void *context);

    /* Whether the kernel may hold as much as it likes for the peer that it has not sent yet, since
     * that has proven fast; or, as at first, SOCKET_UNSENT_BYTES.
     */
    void (*hold_more)(void *context, bool more);

    /* Tells the peer that nothing more will be sent; receiving goes on. */
    void (*finish)(void *context);

    void *context;
};

#endif
