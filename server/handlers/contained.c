#include "server/handlers/contained.h"

#include "server/handlers/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel answers EAGAIN when a path changes while it is resolved with RESOLVE_BENEATH. Who
 * renames in a loop must not keep a worker.
 */
#define TRIES_MAX 16

int contained_open(int directory, const char *path)
{
    struct open_how how = {
        /* O_NONBLOCK: a FIFO would wait for its writer. O_NOCTTY: nothing served is a terminal. */
        .flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    long file = -1;
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        file = syscall(SYS_openat2, directory, path, &how, sizeof(how));
        if (file >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return (int)file;
}

enum http_status contained_status_of_errno(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return HTTP_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EXDEV:
    case ELOOP:
    case ENXIO: /* a socket, or a device that is not there */
    case ENODEV:
        return HTTP_FORBIDDEN;
    case EAGAIN:
        return HTTP_SERVICE_UNAVAILABLE;
    default:
        return problem_status_of_errno(error);
    }
}
