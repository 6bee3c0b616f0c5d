/* The stores that a configuration names: of uploaded documents, and of the files behind /files.
 *
 * They are counted, because the sites that follow one another through reloads share them as long
 * as their configurations agree on them.
 */
#ifndef TARN_SERVER_STORES_H
#define TARN_SERVER_STORES_H

#include "server/config/config.h"
#include "server/store/store.h"
#include "server/store/store_keys.h"

#include <stdatomic.h>

struct stores {
    struct store *uploads;
    struct store *files;     /* NULL: clients may not write there */
    struct store_keys *keys; /* of uploads; NULL: Idempotency-Key is not heeded */
    atomic_size_t holders;
};

/* Opens them. The caller holds the result. Returns NULL, with a line on `errors`, when that is not
 * possible.
 */
struct stores *stores_open(const struct config *config, FILE *errors);

/* Whether two configurations want the same stores. */
bool stores_agree(const struct config *one, const struct config *other);

/* Any thread. stores_release() of the last holder closes them; NULL is allowed. */
void stores_hold(struct stores *stores);
void stores_release(struct stores *stores);

#endif
