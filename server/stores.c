#include "server/stores.h"

#include "server/log/error_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_durable(const struct config *config)
{
    return strcmp(config->uploads.durability, "none") != 0;
}

/* `context`: the store's name, as that of its group of keys. */
static void warn(const struct store_notice *notice, void *context)
{
    const char *name = context;
    unsigned long long amount = notice->amount;
    unsigned long long limit = notice->limit;
    switch (notice->resource) {
    case STORE_FILES:
        error_log(LOG_WARN, NULL, "%llu of %llu files are stored (%s.max_files)", amount, limit,
                  name);
        break;
    case STORE_BYTES:
        error_log(LOG_WARN, NULL, "%llu of %llu bytes are stored (%s.max_bytes)", amount, limit,
                  name);
        break;
    case STORE_FREE_BYTES:
        error_log(LOG_WARN, NULL,
                  "%llu bytes are free on the disk of %s, nothing is stored below %llu "
                  "(uploads.min_free_bytes)",
                  amount, name, limit);
        break;
    }
}

static struct store *open_uploads(const struct config *config)
{
    return store_open(&(struct store_options){
        .directory = config->uploads.directory,
        .durability = is_durable(config) ? STORE_DURABLE : STORE_UNSYNCED,
        .min_free_bytes = (uint64_t)config->uploads.min_free_bytes,
        .max_bytes = (uint64_t)config->uploads.max_bytes,
        .max_files = (uint64_t)config->uploads.max_files,
        .ttl_days = (unsigned)config->uploads.ttl_days,
        .notice = warn,
        .context = (void *)"uploads",
    });
}

static struct store *open_files(const struct config *config)
{
    return store_open(&(struct store_options){
        .directory = config->files.directory,
        .durability = is_durable(config) ? STORE_DURABLE : STORE_UNSYNCED,
        .min_free_bytes = (uint64_t)config->uploads.min_free_bytes,
        .max_bytes = (uint64_t)config->files.max_bytes,
        .max_files = (uint64_t)config->files.max_files,
        .notice = warn,
        .context = (void *)"files",
    });
}

static struct store_keys *open_keys(const struct config *config, struct store *uploads)
{
    return store_keys_open(&(struct store_keys_options){
        .store = uploads,
        .most = (size_t)config->uploads.keys,
        .lifetime_s = config->uploads.key_hours * 3600,
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
    if (config->uploads.keys > 0) {
        stores->keys = open_keys(config, stores->uploads);
        if (!stores->keys) {
            complain(errors, "keys in", config->uploads.directory);
            goto fail;
        }
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
           one->uploads.ttl_days == other->uploads.ttl_days &&
           one->uploads.keys == other->uploads.keys &&
           one->uploads.key_hours == other->uploads.key_hours;
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
    store_keys_close(stores->keys);
    store_close(stores->files);
    store_close(stores->uploads);
    free(stores);
}
