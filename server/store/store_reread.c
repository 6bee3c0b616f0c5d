#include "server/store/store_reread.h"

#include "server/store/store_private.h"

#include <fcntl.h>

/* A file without a name was made only where /proc leads to it: see store_open(). */
int store_reread_open(const struct store_file *file)
{
    char path[STORE_PROC_PATH_SIZE];
    if (file->temporary[0] != '\0')
        return openat(file->store->housekeeping, file->temporary,
                      O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    store_proc_path(file->fd, path);
    return open(path, O_RDONLY | O_CLOEXEC);
}
