#include "server/config/path.h"

#include <stdio.h>
#include <string.h>

char *path_beside(const char *file, const char *name)
{
    const char *slash = file == NULL ? NULL : strrchr(file, '/');
    char *path;

    if (name[0] == '/' || slash == NULL)
        return strdup(name);
    int folder_len = (int)(slash - file) + 1;
    return asprintf(&path, "%.*s%s", folder_len, file, name) < 0 ? NULL : path;
}
