/* Several documents, all or none: see server/store/store.h. */
#include "server/store/store_private.h"
#include "server/store/store_spool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct store_batch {
    struct store *store;
    struct store_spool spool; /* until it is committed, or cannot be undone */
    bool has_spool;
    int error; /* what failed first, 0 = nothing; it is never tried again */
    uint64_t bytes;
    size_t count;
    size_t size;
    char names[][STORE_NAME_SIZE];
};

struct store_batch *store_batch_create(struct store *store, size_t documents)
{
    struct store_batch *batch = malloc(sizeof *batch + documents * sizeof batch->names[0]);
    if (batch == NULL)
        return NULL;
    *batch = (struct store_batch){.store = store, .size = documents};
    if (store_spool_create(store->housekeeping, &batch->spool) == 0) {
        batch->has_spool = true;
        return batch;
    }
    free(batch);
    return NULL;
}

static int fail_for_good(struct store_batch *batch)
{
    batch->error = errno;
    return -1;
}

/* -- Adding -- */

static int fill(const struct store *store, int fd, const char *bytes, size_t len)
{
    if (store_write_all(fd, bytes, len) != 0)
        return -1;
    return store->is_durable ? fsync(fd) : 0;
}

int store_batch_add(struct store_batch *batch, const char *bytes, size_t len)
{
    assert(batch->count < batch->size && batch->has_spool);
    errno = batch->error;
    if (batch->error != 0)
        return -1;
    int fd = store_spool_add(&batch->spool, batch->store->now(), batch->names[batch->count]);
    if (fd < 0)
        return fail_for_good(batch);
    if (fill(batch->store, fd, bytes, len) != 0)
        (void)fail_for_good(batch);
    (void)close(fd); /* synced, or not wanted, or not promised */
    errno = batch->error;
    if (batch->error != 0)
        return -1;
    batch->count++;
    batch->bytes += len;
    return 0;
}

/* -- Committing -- */

/* Moves the first documents back, the last of them first. */
static int move_back(const struct store_batch *batch, size_t count)
{
    while (count-- > 0)
        if (store_spool_move_back(&batch->spool, batch->store->folder, batch->names[count]) != 0)
            return -1;
    return 0;
}

/* Makes none visible. Where that fails too, the promise stands: the next start makes all visible,
 * so that they are not there in part for ever.
 */
static void roll_back(struct store_batch *batch, size_t moved)
{
    int error = errno; /* the failure that counts is told */
    if (move_back(batch, moved) != 0 ||
        store_spool_withdraw(&batch->spool, batch->store->is_durable) != 0) {
        store_spool_close(&batch->spool);
        batch->has_spool = false;
    }
    errno = error;
}

static int move_out(struct store_batch *batch, size_t *out_moved)
{
    struct store *store = batch->store;
    time_t now = store->now();
    for (size_t i = 0; i < batch->count; i++) {
        if (store_spool_move_out(&batch->spool, store->folder, now, batch->names[i]) != 0)
            return -1;
        *out_moved = i + 1;
    }
    return 0;
}

static int publish(struct store_batch *batch)
{
    struct store *store = batch->store;
    struct store_round round;
    size_t moved = 0;
    if (store_sync_begin(&store->sync, &round) != 0)
        return -1;
    if (store_spool_promise(&batch->spool, store->is_durable) == 0 &&
        move_out(batch, &moved) == 0 && store_sync_wait(&store->sync, &round) == 0)
        return 0;
    roll_back(batch, moved);
    return -1;
}

int store_batch_commit(struct store_batch *batch)
{
    struct store_ledger *ledger = &batch->store->ledger;
    struct store_change change = {.files = batch->count, .bytes = batch->bytes};
    assert(batch->has_spool);
    errno = batch->error;
    if (batch->error != 0)
        return -1;
    if (store_ledger_reserve(ledger, &change) != 0)
        return fail_for_good(batch);
    if (publish(batch) != 0) {
        (void)fail_for_good(batch);
        store_ledger_give_back(ledger, &change);
        errno = batch->error;
        return -1;
    }
    store_ledger_settle(ledger, &change);
    for (size_t i = 0; i < batch->count; i++)
        store_index_add(&batch->store->index, store_batch_name(batch, i));
    store_spool_remove(&batch->spool);
    batch->has_spool = false;
    return 0;
}

const char *store_batch_name(const struct store_batch *batch, size_t index)
{
    assert(index < batch->count);
    return batch->names[index];
}

void store_batch_destroy(struct store_batch *batch)
{
    if (batch == NULL)
        return;
    int error = errno;
    if (batch->has_spool)
        store_spool_remove(&batch->spool);
    free(batch);
    errno = error;
}
