#include "server/store/store_index.h"

#include "pool/sync.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* How long a window is good for: what other processes did since is not in it. */
#define FRESH_NS (INT64_C(60) * 1000000000)

int store_index_init(struct store_index *index, int folder)
{
    *index = (struct store_index){.folder = folder};
    errno = pthread_mutex_init(&index->lock, NULL);
    if (errno != 0)
        return -1;
    if (sync_cond_init(&index->walked) == 0)
        return 0;
    sync_destroy(&index->lock);
    return -1;
}

void store_index_deinit(struct store_index *index)
{
    store_window_deinit(&index->newest);
    store_window_deinit(&index->older);
    store_window_deinit(&index->late);
    sync_cond_destroy(&index->walked);
    sync_destroy(&index->lock);
}

/* --- what comes and goes ------------------------------------------------------------------- */

void store_index_add(struct store_index *index, const char *name)
{
    if (!store_name_is_document(name))
        return;
    sync_lock(&index->lock);
    store_window_add(&index->newest, name);
    store_window_add(&index->late, name);
    sync_unlock(&index->lock);
}

void store_index_remove(struct store_index *index, const char *name)
{
    sync_lock(&index->lock);
    store_window_remove(&index->newest, name);
    store_window_remove(&index->older, name);
    store_window_remove(&index->late, name);
    sync_unlock(&index->lock);
}

/* --- reading the folder -------------------------------------------------------------------- */

/* Collects the newest names below window->below. Returns 0, or -1 with errno. */
static int walk(int folder, struct store_window *window)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    DIR *entries = fdopendir(fd);
    if (entries == NULL) {
        (void)close(fd); /* nothing was done with it */
        return -1;
    }
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;)
        if (store_name_is_document(entry->d_name))
            store_window_collect(window, entry->d_name);
    (void)closedir(entries); /* closes fd; only read from */
    store_window_sort(window);
    return 0;
}

/* Both windows for a walk. Returns 0, or -1 with errno. */
static int prepare(struct store_window *window, struct store_window *late, const char *before)
{
    if (store_window_init(window, before) != 0)
        return -1;
    if (store_window_init(late, before) == 0)
        return 0;
    store_window_deinit(window);
    return -1;
}

/* Puts what was read in the place of what was there, with what came meanwhile. */
static void take_over(struct store_index *index, struct store_window *window)
{
    struct store_window *place = window->below[0] == '\0' ? &index->newest : &index->older;
    for (size_t i = 0; i < index->late.count; i++)
        store_window_add(window, index->late.names[i]);
    window->read_ns = sync_now_ns();
    store_window_deinit(place);
    *place = *window;
}

/* Reads the folder, unlocked meanwhile. Returns 0, or -1 with errno. */
static int walk_unlocked(struct store_index *index, const char *before)
{
    struct store_window window;
    if (prepare(&window, &index->late, before) != 0)
        return -1;
    index->is_walking = true;
    sync_unlock(&index->lock);
    int result = walk(index->folder, &window);
    int error = errno;
    sync_lock(&index->lock);
    index->is_walking = false;
    if (result == 0)
        take_over(index, &window);
    else
        store_window_deinit(&window);
    store_window_deinit(&index->late);
    sync_broadcast(&index->walked);
    errno = error;
    return result;
}

/* --- reading ------------------------------------------------------------------------------- */

static int read_window(const struct store_window *window, int64_t now_ns, const char *before,
                       char (*names)[STORE_NAME_SIZE], size_t most)
{
    bool is_fresh = now_ns - window->read_ns < FRESH_NS;
    return is_fresh ? store_window_read(window, before, names, most) : -1;
}

/* As store_index_read(), with the lock; -1 with errno 0 if no window knows. */
static int read_locked(const struct store_index *index, const char *before,
                       char (*names)[STORE_NAME_SIZE], size_t most)
{
    int64_t now_ns = sync_now_ns();
    int count = read_window(&index->newest, now_ns, before, names, most);
    return count >= 0 ? count : read_window(&index->older, now_ns, before, names, most);
}

int store_index_read(struct store_index *index, const char *before, char (*names)[STORE_NAME_SIZE],
                     size_t most)
{
    int result = 0;
    sync_lock(&index->lock);
    int count = read_locked(index, before, names, most);
    while (count < 0 && result == 0) {
        if (index->is_walking)
            sync_wait(&index->walked, &index->lock); /* what it reads may do for this one too */
        else
            result = walk_unlocked(index, before);
        if (result == 0)
            count = read_locked(index, before, names, most);
    }
    sync_unlock(&index->lock);
    return count;
}
