#include "server/handlers/representation.h"

static uint64_t nanoseconds(struct timespec time)
{
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* A time in the future is not told: caches would compute with it (RFC 9110 section 8.8.2.1). */
void representation_describe(struct representation *out, const struct stat *stat, time_t now)
{
    struct entity_tag_source source = {
        .inode = stat->st_ino,
        .size_bytes = (uint64_t)stat->st_size,
        .mtime_ns = nanoseconds(stat->st_mtim),
        .ctime_ns = nanoseconds(stat->st_ctim),
    };
    out->len = (uint64_t)stat->st_size;
    out->validators = (struct validators){
        .exists = true,
        .etag = entity_tag_format(&source, out->etag),
        .has_last_modified = true,
        .last_modified = stat->st_mtim.tv_sec < now ? stat->st_mtim.tv_sec : now,
    };
}
