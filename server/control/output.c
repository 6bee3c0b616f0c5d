#include "server/control/output.h"

#include "server/control/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool goes_to(int fd, const struct stat *file)
{
    struct stat status;
    return fstat(fd, &status) == 0 && status.st_dev == file->st_dev &&
           status.st_ino == file->st_ino;
}

char *output_file(const char *pid_file)
{
    struct stat file;
    char *path = pid_file_sibling(pid_file, ".log");
    if (path && stat(path, &file) == 0 && goes_to(STDOUT_FILENO, &file) &&
        goes_to(STDERR_FILENO, &file))
        return path;
    free(path);
    return NULL;
}

int output_reopen(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_CLOEXEC, 0640);
    if (fd < 0)
        return -1;
    int result = 0;
    if (dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
        result = -1;
    int error = errno;
    (void)close(fd); /* the others are open now */
    errno = error;
    return result;
}
