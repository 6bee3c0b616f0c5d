#include "server/store/store_walk.h"

#include "server/store/store_name.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Returns whether to go on. */
static bool visit_entry(int folder, const char *name, const struct store_walk *walk)
{
    struct stat info;
    if (!store_name_is_visible(name) || fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(info.st_mode))
        return true; /* it is none, or is gone */
    return walk->visit(name, &info, walk->context);
}

int store_walk(int folder, const struct store_walk *walk)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    DIR *entries = fdopendir(fd);
    if (entries == NULL) {
        (void)close(fd); /* only opened */
        return -1;
    }
    const struct dirent *entry;
    do {
        errno = 0;
        entry = readdir(entries);
    } while (entry != NULL && visit_entry(folder, entry->d_name, walk));
    int error = entry == NULL ? errno : 0;
    (void)closedir(entries); /* only read from */
    errno = error;
    return error == 0 ? 0 : -1;
}
