#include "server/handlers/cached_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file younger than this may still change without a trace. */
#define SETTLED_S 2

/* For the field lines, with the longest name percent-encoded. */
#define FIELDS_BYTES_MAX 2048

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

bool cached_file_is(const struct cached_file *cached, const struct stat *stat)
{
    return is_unchanged(&cached->stat, stat);
}

bool cached_file_may_be(const struct stat *stat, time_t now)
{
    return stat->st_size <= CACHED_FILE_BYTES_MAX && stat->st_ctim.tv_sec + SETTLED_S < now &&
           stat->st_mtim.tv_sec + SETTLED_S < now;
}

/* Reads all of a file; there is room for one byte more. Returns whether it has not changed. */
static bool read_settled(int file, const struct stat *before, char *bytes)
{
    struct stat after;
    size_t len = (size_t)before->st_size;
    return pread(file, bytes, len + 1, 0) == (ssize_t)len && fstat(file, &after) == 0 &&
           is_unchanged(before, &after);
}

/* Appends to the block, and returns what has been appended. */
static struct slice put(struct text *block, struct slice bytes)
{
    size_t before = block->len;
    text_append(block, bytes);
    return (struct slice){block->data + before, block->len - before};
}

struct cached_file *cached_file_create(const char *path, int file, const struct stat *stat,
                                       const struct file_look *look, time_t now)
{
    char validators_room[FIELDS_BYTES_MAX], look_room[FIELDS_BYTES_MAX];
    struct text validators = text_over(validators_room, sizeof(validators_room));
    struct text others = text_over(look_room, sizeof(look_room));
    struct slice whole_path = {path, strlen(path) + 1};
    struct representation whole;
    representation_describe(&whole, stat, now);
    file_look_append_validators(&validators, &whole, look);
    file_look_append(&others, look);
    if (validators.truncated || others.truncated)
        return NULL;

    size_t content_len = (size_t)stat->st_size;
    size_t size = whole_path.len + validators.len + others.len + content_len + 1;
    struct cached_file *cached = malloc(sizeof(*cached) + size);
    if (!cached)
        return NULL;
    struct text block = text_over((char *)(cached + 1), size);
    cached->path = put(&block, whole_path).data;
    cached->stat = *stat;
    representation_describe(&cached->whole, stat, now);
    cached->media_type = look->media_type;
    cached->validators = put(&block, text_slice(&validators));
    cached->look = put(&block, text_slice(&others));
    cached->bytes = (struct slice){block.data + block.len, content_len};
    atomic_init(&cached->checked_us, 0);
    atomic_init(&cached->holders, 1);
    if (read_settled(file, stat, block.data + block.len))
        return cached;
    free(cached);
    return NULL;
}

void cached_file_hold(struct cached_file *cached)
{
    atomic_fetch_add_explicit(&cached->holders, 1, memory_order_relaxed);
}

/* Acquire and release: the last holder frees what the others have read. */
void cached_file_release(struct cached_file *cached)
{
    if (cached && atomic_fetch_sub_explicit(&cached->holders, 1, memory_order_acq_rel) == 1)
        free(cached);
}
