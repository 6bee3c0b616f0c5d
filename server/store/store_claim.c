#include "server/store/store_claim.h"

#include "pool/sync.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

int store_claims_init(struct store_claims *claims)
{
    claims->first = NULL;
    errno = pthread_mutex_init(&claims->lock, NULL);
    if (errno != 0)
        return -1;
    if (sync_cond_init(&claims->released) == 0)
        return 0;
    sync_destroy(&claims->lock);
    return -1;
}

void store_claims_deinit(struct store_claims *claims)
{
    sync_cond_destroy(&claims->released);
    sync_destroy(&claims->lock);
}

static bool is_held_locked(const struct store_claims *claims, const char *name)
{
    for (const struct store_claim *claim = claims->first; claim != NULL; claim = claim->next)
        if (strcmp(claim->name, name) == 0)
            return true;
    return false;
}

void store_claim_take(struct store_claims *claims, struct store_claim *claim, const char *name)
{
    sync_lock(&claims->lock);
    while (is_held_locked(claims, name))
        sync_wait(&claims->released, &claims->lock);
    *claim = (struct store_claim){.name = name, .next = claims->first};
    claims->first = claim;
    sync_unlock(&claims->lock);
}

void store_claim_release(struct store_claims *claims, struct store_claim *claim)
{
    sync_lock(&claims->lock);
    struct store_claim **link = &claims->first;
    while (*link != claim)
        link = &(*link)->next;
    *link = claim->next;
    sync_broadcast(&claims->released);
    sync_unlock(&claims->lock);
}
