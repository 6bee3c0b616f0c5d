#include "server/site.h"

#include "server/auth/tokens.h"
#include "server/handlers/contained.h"
#include "server/handlers/file_cache.h"
#include "server/stores.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct connection_limits limits_of(const struct config *config)
{
    return (struct connection_limits){
        .head = {.head_bytes = (size_t)config->limits.head_bytes,
                 .head_fields = (unsigned)config->limits.head_fields},
        .max_requests = (unsigned)config->limits.max_requests,
        .idle_timeout_ms = config->limits.idle_timeout * 1000,
        .header_timeout_ms = config->limits.header_timeout * 1000,
        .body_timeout_ms = config->limits.body_timeout * 1000,
        .write_timeout_ms = config->limits.write_timeout * 1000,
        .min_rate = (uint64_t)config->limits.min_rate,
        .content_bytes = (uint64_t)config->limits.body_bytes,
    };
}

/* The hosts that are served. The configuration has been checked, so that they parse. */
static int set_authorities(struct site *site, uint16_t port)
{
    const struct string_list *hosts = &site->config->hosts;
    site->hosts = calloc(hosts->count + 1, sizeof(struct authority));
    if (!site->hosts)
        return -1;
    for (size_t i = 0; i < hosts->count; i++) {
        int result = authority_parse(slice_from_string(hosts->items[i]), &site->hosts[i]);
        assert(result == 0);
        (void)result;
    }
    site->authorities = (struct authority_rules){
        .configured_host = slice_from_string(site->config->listen.host),
        .port = port,
        .extra = site->hosts,
        .extra_count = hosts->count,
    };
    return 0;
}

/* Returns a descriptor, or -1 with errno. */
static int open_root(const char *path)
{
    int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return -1;
    int probe = contained_open(root, "."); /* some sandboxes do not let openat2(2) through */
    if (probe >= 0) {
        (void)close(probe); /* only opened to see that it can be */
        return root;
    }
    int error = errno;
    (void)close(root); /* nothing was done with it */
    errno = error;
    return -1;
}

static void destroy(struct site *site)
{
    file_cache_destroy(site->file_cache);
    tokens_free(site->tokens);
    stores_release(site->stores);
    if (site->root >= 0)
        (void)close(site->root); /* nothing was written through it */
    free(site->hosts);
    config_free(site->owned_config);
    free(site);
}

static struct site *create(const struct config *config, int root, struct stores *stores,
                           uint16_t port)
{
    struct site *site = calloc(1, sizeof(*site));
    if (!site)
        return NULL;
    atomic_init(&site->holders, 1);
    site->config = config;
    site->root = root;
    site->limits = limits_of(config);
    site->file_cache = file_cache_create(config->static_files.cache_ttl_ms * 1000);
    if (!site->file_cache || set_authorities(site, port) != 0) {
        site->root = -1; /* still the caller's */
        destroy(site);
        return NULL;
    }
    stores_hold(stores);
    site->stores = stores;
    site->store = stores->uploads;
    site->files = stores->files;
    site->keys = stores->keys;
    return site;
}

struct site *site_open(struct config *config, uint16_t port, struct stores *stores, FILE *errors)
{
    int root = open_root(config->root);
    if (root < 0) {
        (void)fprintf(errors, "cannot open the document root %s: %s\n", config->root,
                      strerrordesc_np(errno));
        return NULL;
    }
    struct site *site = create(config, root, stores, port);
    if (!site) {
        (void)fputs("out of memory\n", errors);
        (void)close(root); /* nothing was done with it */
        return NULL;
    }
    if (tokens_load(config->auth.tokens_file, &site->tokens, errors) != EXIT_SUCCESS) {
        site_release(site); /* the configuration is not its own yet */
        return NULL;
    }
    site->owned_config = config;
    return site;
}

void site_hold(struct site *site)
{
    atomic_fetch_add(&site->holders, 1);
}

void site_release(struct site *site)
{
    if (site && atomic_fetch_sub(&site->holders, 1) == 1)
        destroy(site);
}
