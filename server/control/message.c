#include "server/control/message.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 16

/* --- messages ------------------------------------------------------------------------------ */

union ancillary {
    char bytes[CMSG_SPACE(sizeof(int) * MESSAGE_DESCRIPTORS_MAX)];
    struct cmsghdr aligned;
};

int message_send(int socket, const char *bytes, size_t len, const int *descriptors,
                 unsigned descriptor_count)
{
    union ancillary ancillary = {0};
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = len}; /* is only read from */
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor_count > 0) {
        size_t size = sizeof(int) * descriptor_count;
        header.msg_control = ancillary.bytes;
        header.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *control = CMSG_FIRSTHDR(&header);
        control->cmsg_level = SOL_SOCKET;
        control->cmsg_type = SCM_RIGHTS;
        control->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(control), descriptors, size);
    }
    return sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len ? 0 : -1;
}

static void take_descriptors(struct msghdr *header, struct message *message)
{
    message->descriptor_count = 0;
    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control;
         control = CMSG_NXTHDR(header, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(message->descriptors, CMSG_DATA(control), count * sizeof(int));
        message->descriptor_count = (unsigned)count;
    }
}

int message_receive(int socket, struct message *message, int wait_ms)
{
    struct pollfd readable = {.fd = socket, .events = POLLIN};
    int ready;
    do
        ready = poll(&readable, 1, wait_ms);
    while (ready < 0 && errno == EINTR); /* stopped and continued, say: then the wait begins anew */
    if (ready == 0)
        errno = ETIME;
    if (ready <= 0)
        return -1;
    union ancillary ancillary;
    struct iovec part = {.iov_base = message->bytes, .iov_len = MESSAGE_BYTES_MAX};
    struct msghdr header = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = ancillary.bytes,
        .msg_controllen = sizeof(ancillary.bytes),
    };
    ssize_t len = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (len <= 0)
        return (int)len;
    message->len = (size_t)len;
    message->bytes[len] = '\0';
    take_descriptors(&header, message);
    return 1;
}

/* --- addresses ----------------------------------------------------------------------------- */

/* An address, and what has to stay open as long as it is used. */
struct place {
    struct sockaddr_un address;
    int folder; /* -1: not needed */
};

/* A path may be longer than an address has room for: then it is named by its folder's descriptor.
 * Returns 0, or -1 with errno.
 */
static int find_place(const char *path, struct place *out)
{
    *out = (struct place){.address.sun_family = AF_UNIX, .folder = -1};
    size_t size = sizeof(out->address.sun_path);
    if (strlen(path) < size) {
        (void)snprintf(out->address.sun_path, size, "%s", path);
        return 0;
    }
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path)) : NULL;
    if (!folder) {
        errno = slash ? ENOMEM : ENAMETOOLONG;
        return -1;
    }
    out->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (out->folder < 0)
        return -1;
    int len = snprintf(out->address.sun_path, size, "/proc/self/fd/%d%s", out->folder, slash);
    if (len > 0 && (size_t)len < size)
        return 0;
    (void)close(out->folder); /* only named */
    errno = ENAMETOOLONG;
    return -1;
}

static void leave_place(struct place *place)
{
    if (place->folder >= 0)
        (void)close(place->folder); /* only named */
}

static int open_socket(void)
{
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

static int close_keeping_errno(int fd)
{
    int error = errno;
    (void)close(fd); /* nothing has been sent over it */
    errno = error;
    return -1;
}

/* Binds a socket to a new name that only this user can connect to: connecting needs the permission
 * to write, and nobody can connect before it listens.
 */
static int bind_to(int fd, const char *path)
{
    struct place place;
    if (find_place(path, &place) != 0)
        return -1;
    int result = bind(fd, (const struct sockaddr *)&place.address, sizeof(place.address));
    if (result == 0)
        result = chmod(place.address.sun_path, 0600);
    leave_place(&place);
    return result == 0 ? listen(fd, BACKLOG) : -1;
}

int message_listen(const char *path)
{
    char *temporary = NULL;
    if (asprintf(&temporary, "%s.%d", path, (int)getpid()) < 0)
        return -1;
    int fd = open_socket();
    (void)unlink(temporary); /* of a process that had our number */
    if (fd >= 0 && (bind_to(fd, temporary) != 0 || rename(temporary, path) != 0)) {
        fd = close_keeping_errno(fd);
        int error = errno;
        (void)unlink(temporary); /* may not have been made */
        errno = error;
    }
    free(temporary);
    return fd;
}

int message_connect(const char *path)
{
    struct place place;
    if (find_place(path, &place) != 0)
        return -1;
    int fd = open_socket();
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&place.address, sizeof(place.address)) != 0)
        fd = close_keeping_errno(fd);
    leave_place(&place);
    return fd;
}
