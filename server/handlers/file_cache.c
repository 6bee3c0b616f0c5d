#include "server/handlers/file_cache.h"

#include "pool/clock.h"
#include "pool/sync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Places share locks: few enough to be cheap, enough that workers rarely meet at one. */
#define LOCKS 64

/* Files of about the same size have their places in a row of their own, so that each costs a
 * bounded amount of memory. A path has one place in each row.
 */
static const struct {
    off_t file_bytes_max;
    size_t first;
    size_t count;
} rows[] = {
    {8192, 0, 4096},
    {65536, 4096, 256},
    {CACHED_FILE_BYTES_MAX, 4096 + 256, 64},
};

#define ROWS   3
#define PLACES (4096 + 256 + 64)

struct place {
    struct cached_file *file; /* held; NULL */
    uint32_t offered;         /* hash of the path that was offered last */
};

struct file_cache {
    int64_t ttl_us; /* constant */
    pthread_mutex_t locks[LOCKS];

    /* Place i of a row is guarded by lock i % LOCKS; each row's count is a multiple of that, so
     * that all places of a path have the same one.
     */
    struct place places[PLACES];
};

struct file_cache *file_cache_create(int64_t ttl_us)
{
    struct file_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return NULL;
    cache->ttl_us = ttl_us;
    for (size_t i = 0; i < LOCKS; i++) {
        errno = pthread_mutex_init(&cache->locks[i], NULL);
        if (errno == 0)
            continue;
        while (i > 0)
            sync_destroy(&cache->locks[--i]);
        free(cache);
        return NULL;
    }
    return cache;
}

void file_cache_destroy(struct file_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < PLACES; i++)
        cached_file_release(cache->places[i].file);
    for (size_t i = 0; i < LOCKS; i++)
        sync_destroy(&cache->locks[i]);
    free(cache);
}

/* --- places -------------------------------------------------------------------------------- */

/* FNV-1a. Who names files for the server may make them meet at one place: it costs him the cache.
 */
static uint32_t hash_of(const char *path)
{
    uint32_t hash = 2166136261;
    for (; *path; path++)
        hash = (hash ^ (unsigned char)*path) * 16777619;
    return hash;
}

static struct place *place_in(struct file_cache *cache, unsigned row, uint32_t hash)
{
    return &cache->places[rows[row].first + hash % rows[row].count];
}

/* Where a file of that size is, or would be. */
static struct place *place_for(struct file_cache *cache, off_t file_bytes, uint32_t hash)
{
    unsigned row = 0;
    while (file_bytes > rows[row].file_bytes_max)
        row++; /* the last one is for the largest that there are */
    return place_in(cache, row, hash);
}

/* Returns what is cached for the path, held, or NULL. */
static struct cached_file *look_up(struct file_cache *cache, const char *path, uint32_t hash)
{
    struct cached_file *found = NULL;
    sync_lock(&cache->locks[hash % LOCKS]);
    for (unsigned row = 0; row < ROWS && !found; row++) {
        struct cached_file *cached = place_in(cache, row, hash)->file;
        if (cached && strcmp(cached->path, path) == 0)
            found = cached;
    }
    if (found)
        cached_file_hold(found);
    sync_unlock(&cache->locks[hash % LOCKS]);
    return found;
}

static void drop(struct file_cache *cache, struct cached_file *cached, uint32_t hash)
{
    struct place *place = place_for(cache, cached->stat.st_size, hash);
    sync_lock(&cache->locks[hash % LOCKS]);
    bool is_there = place->file == cached;
    if (is_there)
        place->file = NULL;
    sync_unlock(&cache->locks[hash % LOCKS]);
    if (is_there)
        cached_file_release(cached);
}

/* --- files --------------------------------------------------------------------------------- */

static bool is_fresh(const struct file_cache *cache, struct cached_file *cached,
                     int64_t waiting_since_us)
{
    int64_t checked_us = atomic_load_explicit(&cached->checked_us, memory_order_relaxed);
    if (checked_us == 0)
        return false;
    /* Both are cut to microseconds: at the same one the check may have begun before. */
    return checked_us > waiting_since_us ||
           (cache->ttl_us > 0 && clock_now_us() - checked_us < cache->ttl_us);
}

static bool check(struct cached_file *cached, int root)
{
    struct stat stat;
    int64_t began_us = clock_now_us();
    if (fstatat(root, cached->path, &stat, 0) != 0 || !cached_file_is(cached, &stat))
        return false;
    atomic_store_explicit(&cached->checked_us, began_us, memory_order_relaxed);
    return true;
}

struct cached_file *file_cache_find(struct file_cache *cache, int root, const char *path,
                                    int64_t waiting_since_us)
{
    uint32_t hash = hash_of(path);
    struct cached_file *cached = look_up(cache, path, hash);
    if (!cached || is_fresh(cache, cached, waiting_since_us) || check(cached, root))
        return cached;
    drop(cache, cached, hash);
    cached_file_release(cached); /* which was held for this call */
    return NULL;
}

void file_cache_offer(struct file_cache *cache, const char *path, int file, const struct stat *stat,
                      const struct file_look *look, time_t now)
{
    if (!cached_file_may_be(stat, now))
        return;
    uint32_t hash = hash_of(path);
    struct place *place = place_for(cache, stat->st_size, hash);
    sync_lock(&cache->locks[hash % LOCKS]);
    bool is_wanted = place->offered == hash;
    place->offered = hash;
    sync_unlock(&cache->locks[hash % LOCKS]);
    struct cached_file *cached = is_wanted ? cached_file_create(path, file, stat, look, now) : NULL;
    if (!cached)
        return;
    sync_lock(&cache->locks[hash % LOCKS]);
    struct cached_file *old = place->file;
    place->file = cached;
    sync_unlock(&cache->locks[hash % LOCKS]);
    cached_file_release(old);
}
