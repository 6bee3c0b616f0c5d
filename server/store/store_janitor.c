#include "server/store/store_janitor.h"

#include "pool/sync.h"
#include "server/store/store_counts.h"
#include "server/store/store_private.h"
#include "server/store/store_walk.h"

#include <errno.h>
#include <signal.h>

#define SECOND_NS INT64_C(1000000000)
#define HOUR_NS   (3600 * SECOND_NS)
#define DAY_S     86400

/* The first objects are visited without a pause, so that the figures of a small store are known at
 * once; later a pause is about as long as the work before it.
 */
#define VISITS_AT_ONCE    10000
#define VISITS_BEFORE_NAP 1000
#define NAP_NS            2000000

/* A count that was disturbed is repeated, but it shall not take more than a tenth of the time. */
#define REST_FACTOR 10

/* -- Waiting -- */

/* Returns whether the janitor shall go on. */
static bool rest(struct store_janitor *janitor, int64_t until_ns)
{
    sync_lock(&janitor->lock);
    while (!janitor->stops && sync_wait_until(&janitor->stopped, &janitor->lock, until_ns))
        ;
    bool goes_on = !janitor->stops;
    sync_unlock(&janitor->lock);
    return goes_on;
}

/* -- Figures on the disk -- */

static void save_counts(struct store_janitor *janitor)
{
    struct store *store = janitor->store;
    struct store_usage usage;
    unsigned long changes;
    if (!store->ledger.is_kept)
        return;
    store_ledger_read(&store->ledger, &usage, &changes);
    janitor->saved_ns = sync_now_ns();
    if (usage.is_known && changes != janitor->saved_changes &&
        store_counts_write(store->housekeeping, usage.files, usage.bytes) == 0)
        janitor->saved_changes = changes; /* else it is tried again in a second */
}

/* Called for each object that is visited. Returns whether to go on. */
static bool breathe(struct store_janitor *janitor)
{
    if (++janitor->visits <= VISITS_AT_ONCE || janitor->visits % VISITS_BEFORE_NAP != 0)
        return true;
    int64_t now_ns = sync_now_ns();
    if (now_ns - janitor->saved_ns >= SECOND_NS)
        save_counts(janitor);
    return rest(janitor, now_ns + NAP_NS);
}

/* -- Counting -- */

struct count {
    struct store_janitor *janitor;
    struct store_sum sum;
    bool is_whole;
};

static bool count_object(const char *name, const struct stat *info, void *context)
{
    (void)name;
    struct count *count = context;
    if (store_ledger_counts(&count->janitor->store->ledger, info)) {
        count->sum.files++;
        count->sum.bytes += info->st_size;
    }
    count->is_whole = breathe(count->janitor);
    return count->is_whole;
}

/* Returns whether the figures are right now. */
static bool count_objects(struct store_janitor *janitor)
{
    struct store *store = janitor->store;
    struct count count = {.janitor = janitor, .is_whole = true};
    if (store_ledger_begin_count(&store->ledger) != 0)
        return false;
    int result = store_walk(store->folder, &(struct store_walk){count_object, &count});
    if (result == 0 && count.is_whole)
        return store_ledger_end_count(&store->ledger, &count.sum);
    store_ledger_cancel_count(&store->ledger);
    return false;
}

/* Counts if it is time. Returns when to count again. */
static int64_t count_when_due(struct store_janitor *janitor, int64_t due_ns)
{
    int64_t begin_ns = sync_now_ns();
    if (!janitor->store->ledger.is_kept || begin_ns < due_ns)
        return due_ns;
    bool is_right = count_objects(janitor);
    int64_t end_ns = sync_now_ns();
    save_counts(janitor);
    return end_ns + (is_right ? HOUR_NS : SECOND_NS + REST_FACTOR * (end_ns - begin_ns));
}

/* -- Sweeping -- */

struct sweep {
    struct store_janitor *janitor;
    time_t oldest; /* what is older is removed */
};

static bool is_old(const struct stat *current, void *context)
{
    const struct sweep *sweep = context;
    return current != NULL && current->st_mtime < sweep->oldest;
}

static bool sweep_object(const char *name, const struct stat *info, void *context)
{
    struct sweep *sweep = context;
    struct store *store = sweep->janitor->store;
    const struct store_condition condition = {is_old, sweep};
    time_t made;
    if (store_name_read_time(name, &made)) {
        if (made < sweep->oldest)
            (void)store_drop(store, name, NULL); /* what fails is tried again in an hour */
    } else if (is_old(info, sweep)) {
        (void)store_drop(store, name, &condition); /* likewise */
    }
    return breathe(sweep->janitor);
}

/* Sweeps if it is time. Returns when to sweep again. */
static int64_t sweep_when_due(struct store_janitor *janitor, int64_t due_ns)
{
    struct store *store = janitor->store;
    if (store->ttl_days == 0 || sync_now_ns() < due_ns)
        return due_ns;
    struct sweep sweep = {janitor, store->now() - (time_t)store->ttl_days * DAY_S};
    (void)store_walk(store->folder, &(struct store_walk){sweep_object, &sweep}); /* likewise */
    return sync_now_ns() + HOUR_NS;
}

/* -- The thread -- */

static void *work(void *argument)
{
    struct store_janitor *janitor = argument;
    int64_t count_ns = sync_now_ns();
    int64_t sweep_ns = count_ns;
    do {
        count_ns = count_when_due(janitor, count_ns);
        sweep_ns = sweep_when_due(janitor, sweep_ns);
        save_counts(janitor);
    } while (rest(janitor, sync_now_ns() + SECOND_NS));
    return NULL;
}

/* Signals are the main thread's. */
static int start_thread(struct store_janitor *janitor)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    errno = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (errno != 0)
        return -1;
    int error = pthread_create(&janitor->thread, NULL, work, janitor);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL); /* cannot fail: it was the mask before */
    errno = error;
    return error == 0 ? 0 : -1;
}

int store_janitor_start(struct store_janitor *janitor, struct store *store)
{
    *janitor = (struct store_janitor){.store = store};
    if (!store->ledger.is_kept && store->ttl_days == 0)
        return 0;
    errno = pthread_mutex_init(&janitor->lock, NULL);
    if (errno != 0)
        return -1;
    if (sync_cond_init(&janitor->stopped) != 0)
        goto fail_cond;
    if (start_thread(janitor) != 0)
        goto fail_thread;
    janitor->is_running = true;
    return 0;

fail_thread:
    sync_cond_destroy(&janitor->stopped);
fail_cond:
    sync_destroy(&janitor->lock);
    return -1;
}

void store_janitor_stop(struct store_janitor *janitor)
{
    if (!janitor->is_running)
        return;
    sync_lock(&janitor->lock);
    janitor->stops = true;
    sync_signal(&janitor->stopped);
    sync_unlock(&janitor->lock);
    (void)pthread_join(janitor->thread, NULL); /* cannot fail: it is joined once, by another */
    save_counts(janitor);
    sync_cond_destroy(&janitor->stopped);
    sync_destroy(&janitor->lock);
    janitor->is_running = false;
}
