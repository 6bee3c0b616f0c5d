/* What is served: all that handlers need to know of the program. Constant after the start, so
 * any thread may read it.
 */
#ifndef TARN_SERVER_SITE_H
#define TARN_SERVER_SITE_H

#include "http/authority.h"
#include "server/config/config.h"

struct file_cache;
struct store;

struct site {
    const struct config *config;
    int root; /* descriptor of the document root; every file is opened below it */
    struct store *store;
    struct file_cache *file_cache; /* NULL: none */
    struct authority_rules authorities;

    /* Whether the server is willing to take work; NULL means that it is. */
    bool (*is_ready)(void *context);
    void *context;
};

#endif
