#include "server/reload.h"

#include "server/auth/tokens.h"
#include "server/config/key.h"
#include "server/descriptors.h"
#include "server/log/error_log.h"
#include "server/stores.h"

#include <stdlib.h>

/* The stores for a configuration: those of the old one, if it has the same. The caller holds them.
 */
static struct stores *find_stores(const struct site *old, const struct config *config, FILE *errors)
{
    if (!stores_agree(old->config, config))
        return stores_open(config, errors);
    stores_hold(old->stores);
    return old->stores;
}

static int check_fixed(const struct config *old, const struct config *config, FILE *errors)
{
    int status = 0;
    for (const struct key *key = key_find_fixed(old, config, NULL); key;
         key = key_find_fixed(old, config, key)) {
        (void)fprintf(errors, "%s: %s cannot be changed by a reload, only by a restart\n",
                      config->origins[key - key_table], key->name);
        status = CONFIG_EXIT_INVALID;
    }
    return status;
}

/* Makes a site of the configuration, which it owns on success. */
static struct site *make_site(const struct site *old, struct config *config, uint16_t port,
                              FILE *errors)
{
    struct stores *stores = find_stores(old, config, errors);
    if (!stores)
        return NULL;
    struct site *site = site_open(config, port, stores, errors);
    stores_release(stores);
    if (site && site->tokens && old->tokens)
        tokens_remember(site->tokens, old->tokens);
    return site;
}

static void give(struct server *server, struct site *site)
{
    enum log_level level = LOG_INFO;
    (void)error_log_level_parse(site->config->log.level, &level); /* has been checked */
    error_log_set_level(level);
    server_set_site(server, site);
    atomic_store(&server->connections_max, descriptors_reserve(site->config));
}

/* The file that was found is read again, and no other is looked for: were it gone, the server would
 * otherwise go on with another configuration, or with none.
 */
static int load_again(const struct config *old, const struct config_input *input,
                      struct config **out, FILE *errors)
{
    struct config_input again = *input;
    if (!again.file)
        again.file = old->file;
    return config_load(&again, out, errors);
}

/* The site that takes the place of the old one. Returns the exit status. */
static int make_next(const struct site *old, const struct config_input *input, uint16_t port,
                     struct site **out, FILE *errors)
{
    struct config *config = NULL;
    int status = load_again(old->config, input, &config, errors);
    if (status != 0)
        return status;
    status = check_fixed(old->config, config, errors);
    if (status == 0) {
        *out = make_site(old, config, port, errors);
        status = *out ? 0 : EXIT_FAILURE;
    }
    if (status != 0)
        config_free(config);
    return status;
}

int reload_server(struct server *server, const struct config_input *input, uint16_t port,
                  FILE *errors)
{
    struct site *site = NULL;
    struct site *old = server_site(server);
    int status = make_next(old, input, port, &site, errors);
    site_release(old);
    if (status != 0)
        return status;
    give(server, site);
    site_release(site); /* the server holds it */
    return 0;
}

int reload_and_log(struct server *server, const struct config_input *input, uint16_t port,
                   char **out_text)
{
    size_t size;
    *out_text = NULL;
    FILE *errors = open_memstream(out_text, &size);
    if (!errors) {
        error_log(LOG_ERROR, NULL, "no memory for a reload; the configuration stays as it was");
        return EXIT_FAILURE;
    }
    int status = reload_server(server, input, port, errors);
    bool told = fclose(errors) == 0;
    if (status == 0) {
        error_log(LOG_INFO, NULL, "the configuration has been reloaded");
        return 0;
    }
    if (told)
        error_log_lines(LOG_ERROR, *out_text);
    error_log(LOG_ERROR, NULL, "the reload failed; the configuration stays as it was");
    return status;
}
