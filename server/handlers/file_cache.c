#include "server/handlers/file_cache.h"

#include "pool/sync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Places share locks: few enough to be cheap, enough that workers rarely meet at one. */
#define LOCKS 64

/* A file younger than this may still change without a trace. */
#define SETTLED_S 2

struct entry {
    char *path; /* NULL: the place is free */
    char *bytes;
    struct stat stat;
};

struct file_cache {
    pthread_mutex_t locks[LOCKS];
    struct entry entries[FILE_CACHE_ENTRIES]; /* entry i is guarded by lock i % LOCKS */
};

struct file_cache *file_cache_create(void)
{
    struct file_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return NULL;
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

static void clear(struct entry *entry)
{
    free(entry->path);
    free(entry->bytes);
    *entry = (struct entry){0};
}

void file_cache_destroy(struct file_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < FILE_CACHE_ENTRIES; i++)
        clear(&cache->entries[i]);
    for (size_t i = 0; i < LOCKS; i++)
        sync_destroy(&cache->locks[i]);
    free(cache);
}

/* FNV-1a. Who names files for the server may make them meet at one place: it costs him the cache.
 */
static size_t place_of(const char *path)
{
    uint32_t hash = 2166136261;
    for (; *path; path++)
        hash = (hash ^ (unsigned char)*path) * 16777619;
    return hash % FILE_CACHE_ENTRIES;
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_unchanged(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mode == b->st_mode && is_same_time(a->st_mtim, b->st_mtim) &&
           is_same_time(a->st_ctim, b->st_ctim);
}

/* Takes the bytes, or drops an entry that is no longer true. */
static bool take_locked(struct entry *entry, const char *path, const struct stat *stat,
                        struct text *out_bytes)
{
    if (!entry->path || strcmp(entry->path, path) != 0)
        return false;
    if (!stat || !is_unchanged(&entry->stat, stat)) {
        clear(entry);
        return false;
    }
    out_bytes->len = 0;
    text_append(out_bytes, (struct slice){entry->bytes, (size_t)entry->stat.st_size});
    return !out_bytes->truncated;
}

bool file_cache_find(struct file_cache *cache, int root, const char *path, struct text *out_bytes,
                     struct stat *out_stat)
{
    size_t place = place_of(path);
    pthread_mutex_t *lock = &cache->locks[place % LOCKS];
    struct entry *entry = &cache->entries[place];
    sync_lock(lock);
    bool is_there = entry->path && strcmp(entry->path, path) == 0;
    sync_unlock(lock);
    if (!is_there)
        return false;
    bool exists = fstatat(root, path, out_stat, 0) == 0;
    sync_lock(lock);
    bool found = take_locked(entry, path, exists ? out_stat : NULL, out_bytes);
    sync_unlock(lock);
    return found;
}

static bool is_settled(const struct stat *stat, time_t now)
{
    return stat->st_ctim.tv_sec + SETTLED_S < now && stat->st_mtim.tv_sec + SETTLED_S < now;
}

/* Reads all of a file. Returns its bytes, the caller's, or NULL if it changes meanwhile. */
static char *read_settled(int file, const struct stat *before)
{
    struct stat after;
    size_t len = (size_t)before->st_size;
    char *bytes = malloc(len + 1);
    if (bytes && pread(file, bytes, len + 1, 0) == (ssize_t)len && fstat(file, &after) == 0 &&
        is_unchanged(before, &after))
        return bytes;
    free(bytes);
    return NULL;
}

void file_cache_offer(struct file_cache *cache, const char *path, int file, time_t now)
{
    struct entry fresh = {0};
    if (fstat(file, &fresh.stat) != 0 || !S_ISREG(fresh.stat.st_mode) ||
        fresh.stat.st_size > FILE_CACHE_BYTES_MAX || !is_settled(&fresh.stat, now))
        return;
    fresh.path = strdup(path);
    fresh.bytes = read_settled(file, &fresh.stat);
    if (!fresh.path || !fresh.bytes) {
        clear(&fresh);
        return;
    }
    size_t place = place_of(path);
    sync_lock(&cache->locks[place % LOCKS]);
    struct entry old = cache->entries[place];
    cache->entries[place] = fresh;
    sync_unlock(&cache->locks[place % LOCKS]);
    clear(&old);
}
