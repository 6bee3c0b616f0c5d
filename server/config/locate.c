#include "server/config/locate.h"

#include "server/config/path.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "server.conf"

static bool is_there(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* Takes `path` (NULL: no memory): gives it on if it is there, else frees it.
 * Returns 1 if it is there, 0 if not, -1 if there is no memory.
 */
static int try_path(char *path, char **out_path)
{
    if (path == NULL)
        return -1;
    if (is_there(path)) {
        *out_path = path;
        return 1;
    }
    free(path);
    return 0;
}

/* Beside the executable and one folder above. */
static int try_executable(const char *executable, char **out_path)
{
    int found = try_path(path_beside(executable, FILE_NAME), out_path);
    if (found != 0)
        return found;

    char *folder = strndup(executable, (size_t)(strrchr(executable, '/') - executable));
    if (folder == NULL)
        return -1;
    if (folder[0] != '\0')
        found = try_path(path_beside(folder, FILE_NAME), out_path);
    free(folder);
    return found;
}

int locate_file(const char *executable, const char *system_file, char **out_path)
{
    int found = try_path(strdup(FILE_NAME), out_path);

    if (found == 0 && executable != NULL)
        found = try_executable(executable, out_path);
    if (found == 0)
        found = try_path(strdup(system_file), out_path);
    if (found == 0)
        *out_path = NULL;
    return found < 0 ? -1 : 0;
}

char *locate_executable(void)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path);

    if (len <= 0 || (size_t)len == sizeof path || path[0] != '/')
        return NULL;
    return strndup(path, (size_t)len);
}
