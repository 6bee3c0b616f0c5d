#include "server/store/store_sync.h"

#include "pool/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

/* A thread that waits for a sync. Each has a semaphore of its own: with a condition variable for
 * all, those that are woken at once meet again at the lock, which cost three times the switches.
 */
struct store_sync_waiter {
    sem_t woken;
    struct store_sync_waiter *next;
    bool leads; /* the next sync is its own to do */
    int error;  /* else: what came of the sync; 0: the changes last */
};

/* -- Init -- */

static int open_folder(int folder)
{
    return openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int store_sync_init(struct store_sync *sync, int folder, bool is_wanted)
{
    *sync = (struct store_sync){.folder = folder, .is_wanted = is_wanted};
    sync->end = &sync->first;
    sync->fd = open_folder(folder);
    if (sync->fd < 0)
        return -1;
    errno = pthread_mutex_init(&sync->lock, NULL);
    if (errno != 0)
        goto fail_lock;
    if (sync_cond_init(&sync->renewed) == 0)
        return 0;
    sync_destroy(&sync->lock);
fail_lock:
    (void)close(sync->fd); /* nothing was written through it */
    return -1;
}

void store_sync_deinit(struct store_sync *sync)
{
    sync_cond_destroy(&sync->renewed);
    sync_destroy(&sync->lock);
    (void)close(sync->fd); /* likewise */
}

/* -- Waiters -- */

/* These calls fail only for what is no semaphore. */
static void check(int result)
{
    if (result != 0)
        abort();
}

static void enqueue_locked(struct store_sync *sync, struct store_sync_waiter *waiter)
{
    *sync->end = waiter;
    sync->end = &waiter->next;
}

static struct store_sync_waiter *take_first_locked(struct store_sync *sync)
{
    struct store_sync_waiter *first = sync->first;
    if (first == NULL)
        return NULL;
    sync->first = first->next;
    if (sync->first == NULL)
        sync->end = &sync->first;
    first->next = NULL;
    return first;
}

static struct store_sync_waiter *take_all_locked(struct store_sync *sync)
{
    struct store_sync_waiter *all = sync->first;
    sync->first = NULL;
    sync->end = &sync->first;
    return all;
}

/* Tells a list of them what came of their sync. One that has been told no longer exists. */
static void tell(struct store_sync_waiter *waiters, int error)
{
    while (waiters != NULL) {
        struct store_sync_waiter *waiter = waiters;
        waiters = waiter->next;
        waiter->error = error;
        check(sem_post(&waiter->woken));
    }
}

static void tell_to_lead(struct store_sync_waiter *waiter)
{
    if (waiter == NULL)
        return;
    waiter->leads = true;
    check(sem_post(&waiter->woken));
}

/* -- Failures -- */

static bool is_suspect(unsigned long epoch)
{
    return epoch % 2 != 0;
}

static void record_failure_locked(struct store_sync *sync, int error)
{
    unsigned long epoch = atomic_load(&sync->epoch);
    atomic_store(&sync->epoch, epoch + (is_suspect(epoch) ? 2 : 1));
    sync->error = error;
}

/* Opens the folder anew and syncs it. Returns 0 or an errno. */
static int renew(struct store_sync *sync)
{
    int fd = open_folder(sync->folder);
    if (fd < 0)
        return errno;
    int error = fsync(fd) == 0 ? 0 : errno;
    if (error == 0) {
        int old = sync->fd;
        sync->fd = fd;
        fd = old;
    }
    (void)close(fd); /* likewise */
    return error;
}

/* Lets go of the lock, and takes it again. */
static void renew_locked(struct store_sync *sync)
{
    sync->is_syncing = true;
    sync_unlock(&sync->lock);
    int error = renew(sync);
    sync_lock(&sync->lock);
    sync->is_syncing = false;
    if (error == 0)
        atomic_fetch_add(&sync->epoch, 1);
    else
        record_failure_locked(sync, error);
    sync_broadcast(&sync->renewed);
}

/* -- Rounds -- */

int store_sync_begin(struct store_sync *sync, struct store_round *out_round)
{
    out_round->epoch = atomic_load(&sync->epoch);
    if (!is_suspect(out_round->epoch))
        return 0;
    sync_lock(&sync->lock);
    unsigned long epoch = out_round->epoch;
    while (atomic_load(&sync->epoch) == epoch) {
        if (sync->is_syncing)
            sync_wait(&sync->renewed, &sync->lock);
        else
            renew_locked(sync);
    }
    out_round->epoch = atomic_load(&sync->epoch);
    int error = sync->error;
    sync_unlock(&sync->lock);
    if (!is_suspect(out_round->epoch))
        return 0;
    errno = error;
    return -1;
}

/* Syncs for this thread and all that wait, and passes on to the first that has come meanwhile.
 * Returns 0 or an errno.
 */
static int lead(struct store_sync *sync)
{
    struct store_sync_waiter *next = NULL;
    struct store_sync_waiter *late = NULL;
    sync_lock(&sync->lock);
    struct store_sync_waiter *group = take_all_locked(sync);
    sync_unlock(&sync->lock);
    int error = fsync(sync->fd) == 0 ? 0 : errno;
    sync_lock(&sync->lock);
    if (error == 0) {
        next = take_first_locked(sync);
    } else {
        record_failure_locked(sync, error);
        late = take_all_locked(sync);
    }
    sync->is_syncing = next != NULL;
    sync_unlock(&sync->lock);
    tell_to_lead(next);
    tell(group, error);
    tell(late, error);
    return error;
}

/* Waits until another thread has synced, or says that this one shall. Returns 0 or an errno. */
static int follow(struct store_sync *sync, struct store_sync_waiter *self)
{
    while (sem_wait(&self->woken) != 0)
        check(errno != EINTR);
    check(sem_destroy(&self->woken));
    return self->leads ? lead(sync) : self->error;
}

/* Joins those who wait for the next sync, unless it can begin now. Returns 0 or an errno. */
static int sync_in_turn(struct store_sync *sync, const struct store_round *round)
{
    struct store_sync_waiter self = {.leads = false};
    check(sem_init(&self.woken, 0, 0));
    sync_lock(&sync->lock);
    bool has_failed = atomic_load(&sync->epoch) != round->epoch;
    bool follows = !has_failed && sync->is_syncing;
    int error = has_failed ? sync->error : 0;
    if (follows)
        enqueue_locked(sync, &self);
    else if (!has_failed)
        sync->is_syncing = true;
    sync_unlock(&sync->lock);
    if (has_failed)
        return error;
    return follows ? follow(sync, &self) : lead(sync);
}

int store_sync_wait(struct store_sync *sync, const struct store_round *round)
{
    if (!sync->is_wanted)
        return 0;
    int error = sync_in_turn(sync, round);
    if (error != 0)
        errno = error;
    return error == 0 ? 0 : -1;
}
