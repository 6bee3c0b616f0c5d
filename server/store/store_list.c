#include "server/store/store_list.h"

#include "server/store/store_index.h"
#include "server/store/store_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* Returns false if it has gone meanwhile. */
static bool describe(const struct store *store, const char *name, struct store_entry *out)
{
    struct stat info;
    if (fstatat(store->folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode))
        return false;
    memcpy(out->name, name, STORE_NAME_SIZE);
    out->bytes = (uint64_t)info.st_size;
    out->modified = info.st_mtime;
    return true;
}

ssize_t store_list(struct store *store, const char *before, struct store_entry *entries,
                   size_t most, bool *out_more)
{
    assert(most > 0 && most <= STORE_LIST_MAX);
    char(*names)[STORE_NAME_SIZE] = malloc((most + 1) * sizeof(*names));
    if (names == NULL)
        return -1;
    ssize_t count = -1;
    int found = store_index_read(&store->index, before, names, most + 1);
    if (found >= 0) {
        *out_more = (size_t)found > most;
        count = 0;
        for (size_t i = 0; i < (size_t)found && i < most; i++)
            if (describe(store, names[i], &entries[count]))
                count++;
            else
                store_index_remove(&store->index, names[i]); /* somebody else has removed it */
    }
    free(names);
    return count;
}
