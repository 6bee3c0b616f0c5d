#include "http/socket_transport.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

static int socket_of(void *context)
{
    return *(const int *)context;
}

static ssize_t receive(void *context, void *buffer, size_t size)
{
    ssize_t n;
    do {
        n = recv(socket_of(context), buffer, size, 0);
    } while (n < 0 && errno == EINTR);
    return n;
}

static ssize_t send_parts(void *context, const struct iovec *parts, int count, bool more)
{
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
    int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
    ssize_t n;
    do {
        n = count == 1 ? send(socket_of(context), parts->iov_base, parts->iov_len, flags)
                       : sendmsg(socket_of(context), &message, flags);
    } while (n < 0 && errno == EINTR);
    return n;
}

static ssize_t send_file(void *context, int file, off_t offset, size_t len)
{
    ssize_t n;
    do {
        n = sendfile(socket_of(context), file, &offset, len);
    } while (n < 0 && errno == EINTR);
    return n;
}

static uint64_t unacknowledged(void *context)
{
    int bytes = 0;
    if (ioctl(socket_of(context), SIOCOUTQ, &bytes) != 0 || bytes < 0)
        return 0; /* a socket that is gone: the next send will say so */
    return (uint64_t)bytes;
}

static void hold_more(void *context, bool more)
{
    int unsent = more ? 0 : SOCKET_UNSENT_BYTES; /* 0: no limit of this socket's own */
    (void)setsockopt(socket_of(context), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent,
                     sizeof(unsent)); /* a socket of another kind has no such limit */
}

static void finish(void *context)
{
    (void)shutdown(socket_of(context), SHUT_WR); /* ENOTCONN: the peer has finished it all */
}

struct transport socket_transport(const int *socket, bool use_sendfile)
{
    return (struct transport){
        .receive = receive,
        .send = send_parts,
        .send_file = use_sendfile ? send_file : NULL,
        .unacknowledged = unacknowledged,
        .hold_more = hold_more,
        .finish = finish,
        .context = (void *)socket,
    };
}
