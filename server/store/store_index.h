/* The order of a store's documents: windows on the sorted names, so that a page costs no walk
 * through the folder.
 *
 * The folder may hold millions of names, which the file system gives in no order. One walk keeps
 * the newest few thousand, or those below a certain name, and the pages within are answered from
 * memory. The window on the newest is kept up to date as documents come and go; both are read
 * anew after a minute, because other processes may change the folder too. Nothing is read before
 * somebody asks.
 */
#ifndef TARN_SERVER_STORE_STORE_INDEX_H
#define TARN_SERVER_STORE_STORE_INDEX_H

#include "server/store/store_window.h"

#include <pthread.h>
#include <sys/types.h>

struct store_index {
    int folder; /* constant; borrowed */
    pthread_mutex_t lock;
    pthread_cond_t walked;

    /* Guarded by lock. */
    bool is_walking; /* one thread reads the folder */
    struct store_window newest;
    struct store_window older;
    struct store_window late; /* what came while the folder is being read */
};

/* Returns 0, or -1 with errno. */
int store_index_init(struct store_index *index, int folder);
void store_index_deinit(struct store_index *index);

/* An object has come, or gone; what is no document is ignored. Any thread; does not wait for the
 * disk.
 */
void store_index_add(struct store_index *index, const char *name);
void store_index_remove(struct store_index *index, const char *name);

/* Gives the names of up to `most` documents older than `before` (empty: from the newest on), the
 * newest first. Returns how many, or -1 with errno. Any thread; may read the folder, or wait for
 * the thread that does.
 */
int store_index_read(struct store_index *index, const char *before, char (*names)[STORE_NAME_SIZE],
                     size_t most);

#endif
