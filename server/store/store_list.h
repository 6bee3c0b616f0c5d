/* The documents of a store, newest first. Any thread; waits for the disk. */
#ifndef TARN_SERVER_STORE_STORE_LIST_H
#define TARN_SERVER_STORE_STORE_LIST_H

#include "server/store/store.h"

#include <sys/types.h>

struct store_entry {
    char name[STORE_NAME_SIZE];
    uint64_t bytes;
    time_t modified;
};

/* The longest page. */
#define STORE_LIST_MAX 1000

/* Lists up to `most` (1 ... STORE_LIST_MAX) documents that are older than `before`, which need not
 * be there any more, or from the newest on if it is empty. The order is that of the names, which
 * begin with the time: so a place in it stays the same whatever is stored or removed meanwhile.
 * What is not named like a document is left out. Returns how many, or -1 with errno; *out_more
 * tells whether there are older ones.
 *
 * A list holds what this process has stored; what others put into the folder, or take out of it,
 * shows within a minute.
 */
ssize_t store_list(struct store *store, const char *before, struct store_entry *entries,
                   size_t most, bool *out_more);

#endif
