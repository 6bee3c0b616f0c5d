#include "server/store/store_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0750

static void close_keeping_errno(int fd)
{
    int error = errno;
    (void)close(fd); /* a folder's descriptor, nothing was written to it */
    errno = error;
}

int store_folder_sync(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = fsync(fd);
    close_keeping_errno(fd);
    return result;
}

static int make_folder(int parent, const char *name, bool syncs)
{
    if (mkdirat(parent, name, FOLDER_MODE) != 0)
        return errno == EEXIST ? 0 : -1; /* another process was quicker */
    if (fchmodat(parent, name, FOLDER_MODE, 0) != 0)
        return -1;
    return syncs ? store_folder_sync(parent) : 0;
}

/* Opens one step of the way, only to go on from there: the right to read it is not needed. */
static int enter_folder(int parent, const char *name, bool syncs)
{
    int fd = openat(parent, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    if (make_folder(parent, name, syncs) != 0)
        return -1;
    return openat(parent, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Takes the next name off a path. Returns 1, 0 at the end of the path, or -1 with errno. */
static int next_name(const char **path, char out[NAME_MAX + 1])
{
    const char *begin = *path + strspn(*path, "/");
    size_t len = strcspn(begin, "/");
    if (len > NAME_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(out, begin, len);
    out[len] = '\0';
    *path = begin + len;
    return len > 0 ? 1 : 0;
}

int store_folder_open(int parent, const char *name, bool syncs)
{
    char step[NAME_MAX + 1];
    int more;
    if (name[0] == '\0') {
        errno = ENOENT;
        return -1;
    }
    int at = openat(parent, name[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    while (at >= 0 && (more = next_name(&name, step)) > 0) {
        int next = enter_folder(at, step, syncs);
        close_keeping_errno(at);
        at = next;
    }
    if (at < 0)
        return -1;
    int fd = more == 0 ? openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    close_keeping_errno(at);
    return fd;
}
