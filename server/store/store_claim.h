/* Who is changing which name: what one thread has found out about a name still holds when it
 * changes it, since the others wait for their turn. Only within this process.
 *
 * Any thread. A claim is its thread's, which holds one at a time; it waits for other claims of the
 * same name only, and nobody waits for the lock that guards the list of them.
 */
#ifndef TARN_SERVER_STORE_STORE_CLAIM_H
#define TARN_SERVER_STORE_STORE_CLAIM_H

#include <pthread.h>

struct store_claim {
    const char *name; /* borrowed while it is held */
    struct store_claim *next;
};

struct store_claims {
    pthread_mutex_t lock;
    pthread_cond_t released;
    struct store_claim *first; /* guarded by lock; as many as there are threads in the store */
};

/* Returns 0, or -1 with errno. */
int store_claims_init(struct store_claims *claims);

/* No claim may be held any more. */
void store_claims_deinit(struct store_claims *claims);

/* Waits until nobody else holds the name, and takes it. */
void store_claim_take(struct store_claims *claims, struct store_claim *claim, const char *name);

/* Keeps errno. */
void store_claim_release(struct store_claims *claims, struct store_claim *claim);

#endif
