/* Calls of the system that fail as plan.h says. To make another function fail, name it below. */
#include "tests/faults/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A function that returns -1 with errno when it fails. Its declaration in the header may be no ISO
 * C, or name the arguments otherwise.
 */
#define FAIL_WITH_ERRNO(type, function, parameters, arguments)                                     \
    type function parameters;                                                                      \
    type function parameters                                                                       \
    {                                                                                              \
        type(*real) parameters;                                                                    \
        int error;                                                                                 \
        if (plan_fails(#function, &error)) {                                                       \
            errno = error;                                                                         \
            return -1;                                                                             \
        }                                                                                          \
        plan_find_real(#function, &real);                                                          \
        return real arguments;                                                                     \
    }

/* -- Files -- */

FAIL_WITH_ERRNO(int, fsync, (int fd), (fd))
FAIL_WITH_ERRNO(int, fdatasync, (int fd), (fd))
FAIL_WITH_ERRNO(int, ftruncate, (int fd, off_t len), (fd, len))
FAIL_WITH_ERRNO(int, fchmod, (int fd, mode_t mode), (fd, mode))
FAIL_WITH_ERRNO(int, flock, (int fd, int operation), (fd, operation))
FAIL_WITH_ERRNO(int, fstat, (int fd, struct stat *out), (fd, out))
FAIL_WITH_ERRNO(int, fstatat, (int folder, const char *path, struct stat *out, int flags),
                (folder, path, out, flags))
FAIL_WITH_ERRNO(int, fstatvfs, (int fd, void *out), (fd, out))
FAIL_WITH_ERRNO(int, futimens, (int fd, const struct timespec times[2]), (fd, times))
FAIL_WITH_ERRNO(int, linkat,
                (int from_folder, const char *from, int to_folder, const char *to, int flags),
                (from_folder, from, to_folder, to, flags))
FAIL_WITH_ERRNO(int, mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode))
FAIL_WITH_ERRNO(int, rename, (const char *from, const char *to), (from, to))
FAIL_WITH_ERRNO(int, renameat, (int from_folder, const char *from, int to_folder, const char *to),
                (from_folder, from, to_folder, to))
FAIL_WITH_ERRNO(int, renameat2,
                (int from_folder, const char *from, int to_folder, const char *to, unsigned flags),
                (from_folder, from, to_folder, to, flags))
FAIL_WITH_ERRNO(int, unlink, (const char *path), (path))
FAIL_WITH_ERRNO(int, unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
FAIL_WITH_ERRNO(ssize_t, getrandom, (void *out, size_t size, unsigned flags), (out, size, flags))

/* The mode of a file that is made. */
#define TAKE_MODE(flags, mode)                                                                     \
    do {                                                                                           \
        if (((flags) & (O_CREAT | __O_TMPFILE)) != 0) {                                            \
            va_list arguments;                                                                     \
            va_start(arguments, flags);                                                            \
            (mode) = va_arg(arguments, mode_t);                                                    \
            va_end(arguments);                                                                     \
        }                                                                                          \
    } while (0)

int open(const char *path, int flags, ...)
{
    int (*real)(const char *, int, ...);
    mode_t mode = 0;
    int error;
    TAKE_MODE(flags, mode);
    if (plan_fails("open", &error)) {
        errno = error;
        return -1;
    }
    plan_find_real("open", &real);
    return real(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    int (*real)(int, const char *, int, ...);
    mode_t mode = 0;
    int error;
    TAKE_MODE(flags, mode);
    if (plan_fails("openat", &error)) {
        errno = error;
        return -1;
    }
    plan_find_real("openat", &real);
    return real(folder, path, flags, mode);
}

/* The descriptor is gone, whatever the call says. */
int close(int fd)
{
    int (*real)(int);
    int error;
    bool fails = plan_fails("close", &error);
    plan_find_real("close", &real);
    int result = real(fd);
    if (!fails)
        return result;
    errno = error;
    return -1;
}

/* -- Bytes -- */

/* One that moves bytes, and may move fewer than it was asked to. FORTIFY_SOURCE calls some by
 * another name, with more arguments.
 */
#define FAIL_OR_SHORTEN(function, alias, parameters, arguments)                                    \
    ssize_t alias parameters;                                                                      \
    ssize_t alias parameters                                                                       \
    {                                                                                              \
        ssize_t(*real) parameters;                                                                 \
        int error;                                                                                 \
        bool is_hit = plan_hits(#function, &error);                                                \
        if (is_hit && error != 0) {                                                                \
            errno = error;                                                                         \
            return -1;                                                                             \
        }                                                                                          \
        if (is_hit && len > 1)                                                                     \
            len = len / 2;                                                                         \
        plan_find_real(#alias, &real);                                                             \
        return real arguments;                                                                     \
    }

FAIL_OR_SHORTEN(read, read, (int fd, void *out, size_t len), (fd, out, len))
FAIL_OR_SHORTEN(read, __read_chk, (int fd, void *out, size_t len, size_t size),
                (fd, out, len, size))
FAIL_OR_SHORTEN(pread, pread, (int fd, void *out, size_t len, off_t offset), (fd, out, len, offset))
FAIL_OR_SHORTEN(pread, __pread_chk, (int fd, void *out, size_t len, off_t offset, size_t size),
                (fd, out, len, offset, size))
FAIL_OR_SHORTEN(write, write, (int fd, const void *bytes, size_t len), (fd, bytes, len))
FAIL_OR_SHORTEN(pwrite, pwrite, (int fd, const void *bytes, size_t len, off_t offset),
                (fd, bytes, len, offset))
FAIL_OR_SHORTEN(recv, recv, (int socket, void *out, size_t len, int flags),
                (socket, out, len, flags))
FAIL_OR_SHORTEN(recv, __recv_chk, (int socket, void *out, size_t len, size_t size, int flags),
                (socket, out, len, size, flags))
FAIL_OR_SHORTEN(send, send, (int socket, const void *bytes, size_t len, int flags),
                (socket, bytes, len, flags))
FAIL_OR_SHORTEN(sendfile, sendfile, (int out, int in, off_t *offset, size_t len),
                (out, in, offset, len))

/* Of several buffers at least half of the first goes. */
ssize_t sendmsg(int socket, const struct msghdr *message, int flags)
{
    ssize_t (*real)(int, const struct msghdr *, int);
    struct msghdr shorter = *message;
    struct iovec first;
    int error;
    bool is_hit = plan_hits("sendmsg", &error);
    if (is_hit && error != 0) {
        errno = error;
        return -1;
    }
    if (is_hit && message->msg_iovlen > 0) {
        first = message->msg_iov[0];
        first.iov_len = first.iov_len > 1 ? first.iov_len / 2 : first.iov_len;
        shorter.msg_iov = &first;
        shorter.msg_iovlen = 1;
    }
    plan_find_real("sendmsg", &real);
    return real(socket, &shorter, flags);
}

/* -- Connections and threads -- */

FAIL_WITH_ERRNO(int, accept4,
                (int socket, __SOCKADDR_ARG address, socklen_t *restrict size, int flags),
                (socket, address, size, flags))
FAIL_WITH_ERRNO(int, epoll_ctl, (int epoll, int operation, int fd, void *event),
                (epoll, operation, fd, event))
FAIL_WITH_ERRNO(int, setsockopt,
                (int socket, int level, int name, const void *value, socklen_t len),
                (socket, level, name, value, len))

/* One that returns the error itself. */
int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
                   void *(*start)(void *), void *restrict argument)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    int error;
    if (plan_fails("pthread_create", &error))
        return error;
    plan_find_real("pthread_create", &real);
    return real(thread, attributes, start, argument);
}
