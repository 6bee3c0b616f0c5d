#include "server/stores.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_durable(const struct config *config)
{
    return strcmp(config->uploads.durability, "none") != 0;
}

static struct store *open_uploads(const struct config *config)
{
    return store_open(&(struct store_options){
        .directory = config->uploads.directory,
        .durability = is_durable(config) ? STORE_DURABLE : STORE_UNSYNCED,
        .min_free_bytes = (uint64_t)config->uploads.min_free_bytes,
    });
}

static struct store *open_files(const struct config *config)
{
    return store_open(&(struct store_options){
        .directory = config->files.directory,
        .durability = is_durable(config) ? STORE_DURABLE : STORE_UNSYNCED,
        .min_free_bytes = (uint64_t)config->uploads.min_free_bytes,
    });
}

static void complain(FILE *errors, const char *what, const char *directory)
{
    (void)fprintf(errors, "cannot open the folder for %s %s: %s\n", what, directory,
                  strerrordesc_np(errno));
}

struct stores *stores_open(const struct config *config, FILE *errors)
{
    struct stores *stores = calloc(1, sizeof(*stores));
    if (!stores) {
        (void)fputs("out of memory\n", errors);
        return NULL;
    }
    atomic_init(&stores->holders, 1);
    stores->uploads = open_uploads(config);
    if (!stores->uploads) {
        complain(errors, "uploads", config->uploads.directory);
        goto fail;
    }
    if (!config->files.writable)
        return stores;
    stores->files = open_files(config);
    if (stores->files)
        return stores;
    complain(errors, "files", config->files.directory);

fail:
    stores_release(stores);
    return NULL;
}

static bool uploads_agree(const struct config *one, const struct config *other)
{
    return strcmp(one->uploads.directory, other->uploads.directory) == 0 &&
           is_durable(one) == is_durable(other) &&
           one->uploads.min_free_bytes == other->uploads.min_free_bytes &&
           one->uploads.max_bytes == other->uploads.max_bytes &&
           one->uploads.max_files == other->uploads.max_files &&
           one->uploads.ttl_days == other->uploads.ttl_days;
}

static bool files_agree(const struct config *one, const struct config *other)
{
    return one->files.writable == other->files.writable &&
           strcmp(one->files.directory, other->files.directory) == 0 &&
           one->files.max_bytes == other->files.max_bytes &&
           one->files.max_files == other->files.max_files;
}

bool stores_agree(const struct config *one, const struct config *other)
{
    return uploads_agree(one, other) && files_agree(one, other);
}

void stores_hold(struct stores *stores)
{
    atomic_fetch_add(&stores->holders, 1);
}

void stores_release(struct stores *stores)
{
    if (!stores || atomic_fetch_sub(&stores->holders, 1) > 1)
        return;
    store_close(stores->files);
    store_close(stores->uploads);
    free(stores);
}
