/* What is served: one configuration and all that has been opened for it.
 *
 * A site never changes, so any thread may read it. A reload makes a new one; requests that are
 * under way end with the site that they began with, and the last of them frees it. So it is
 * counted: who keeps a site beyond a call holds it.
 */
#ifndef TARN_SERVER_SITE_H
#define TARN_SERVER_SITE_H

#include "http/authority.h"
#include "http/connection.h"
#include "server/config/config.h"

#include <stdatomic.h>

struct file_cache;
struct store;
struct store_keys;
struct stores;
struct tokens;

struct site {
    const struct config *config;
    int root;                /* descriptor of the document root; every file is opened below it */
    struct store *store;     /* of uploaded documents */
    struct store *files;     /* behind /files; NULL: clients may not write there */
    struct store_keys *keys; /* of uploads; NULL: Idempotency-Key is not heeded */
    struct file_cache *file_cache; /* NULL: none */
    struct tokens *tokens;         /* that writing needs; NULL: it needs none */
    struct authority_rules authorities;
    struct connection_limits limits;

    /* Whether the server is willing to take work; NULL means that it is. Set before the site is
     * given to the server's threads.
     */
    bool (*is_ready)(const struct site *site);
    void *context; /* for is_ready */

    /* Private to site.c. */
    atomic_size_t holders;
    struct config *owned_config;
    struct stores *stores;
    struct authority *hosts;
};

/* Makes a site of a configuration, which it owns from then on, and of the stores, which it holds.
 * `port` is the one that the server listens on. The caller holds the site. Returns NULL when the
 * document root cannot be opened, the file of the tokens is wrong or there is no memory, with lines
 * on `errors` that say so; then the configuration is still the caller's.
 */
struct site *site_open(struct config *config, uint16_t port, struct stores *stores, FILE *errors);

/* Any thread. site_release() of the last holder frees it; NULL is allowed. */
void site_hold(struct site *site);
void site_release(struct site *site);

#endif
