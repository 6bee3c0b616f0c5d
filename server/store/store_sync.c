#include "server/store/store_sync.h"

#include "pool/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#define LANES STORE_SYNC_LANES
#define TURNS (STORE_SYNC_LANES + 1)

/* -- Init -- */

static int open_folder(int folder)
{
    return openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void close_lanes(struct store_sync *sync)
{
    int error = errno;
    for (size_t i = 0; i < LANES; i++)
        if (sync->lanes[i].fd >= 0)
            (void)close(sync->lanes[i].fd); /* a folder's, nothing was written through it */
    errno = error;
}

static int open_lanes(struct store_sync *sync)
{
    for (size_t i = 0; i < LANES; i++)
        sync->lanes[i].fd = -1;
    for (size_t i = 0; i < LANES; i++) {
        sync->lanes[i].fd = open_folder(sync->folder);
        if (sync->lanes[i].fd < 0) {
            close_lanes(sync);
            return -1;
        }
    }
    return 0;
}

static int init_conds(struct store_sync *sync)
{
    size_t count = 0;
    if (sync_cond_init(&sync->renewed) != 0)
        return -1;
    while (count < TURNS && sync_cond_init(&sync->turns[count]) == 0)
        count++;
    if (count == TURNS)
        return 0;
    while (count > 0)
        sync_cond_destroy(&sync->turns[--count]);
    sync_cond_destroy(&sync->renewed);
    return -1;
}

int store_sync_init(struct store_sync *sync, int folder, bool is_wanted)
{
    *sync = (struct store_sync){.folder = folder, .is_wanted = is_wanted};
    if (open_lanes(sync) != 0)
        return -1;
    errno = pthread_mutex_init(&sync->lock, NULL);
    if (errno != 0)
        goto fail_lock;
    if (init_conds(sync) == 0)
        return 0;
    sync_destroy(&sync->lock);
fail_lock:
    close_lanes(sync);
    return -1;
}

void store_sync_deinit(struct store_sync *sync)
{
    for (size_t i = 0; i < TURNS; i++)
        sync_cond_destroy(&sync->turns[i]);
    sync_cond_destroy(&sync->renewed);
    sync_destroy(&sync->lock);
    close_lanes(sync);
}

/* -- Failures -- */

/* The errno of the last sync that has failed since there had been so many failures; 0: none. */
static int failure_locked(const struct store_sync *sync, unsigned long failures)
{
    return sync->failures == failures ? 0 : sync->error;
}

/* Whoever waits for a round fails. */
static void record_failure_locked(struct store_sync *sync, int error)
{
    sync->is_suspect = true;
    sync->failures++;
    sync->error = error;
    for (size_t i = 0; i < TURNS; i++)
        sync_broadcast(&sync->turns[i]);
}

/* -- Rounds -- */

static struct store_lane *find_lane_locked(struct store_sync *sync)
{
    for (size_t i = 0; i < LANES; i++)
        if (!sync->lanes[i].is_busy)
            return &sync->lanes[i];
    return NULL;
}

/* A round that began last covers what those before it cover. */
static void record_success_locked(struct store_sync *sync, uint64_t round)
{
    while (sync->done < round)
        sync_broadcast(&sync->turns[++sync->done % TURNS]);
    sync_signal(&sync->turns[(sync->begun + 1) % TURNS]); /* one of them leads the next */
}

/* Lets go of the lock, and takes it again. */
static void lead_round_locked(struct store_sync *sync, struct store_lane *lane)
{
    uint64_t round = ++sync->begun;
    lane->is_busy = true;
    sync_unlock(&sync->lock);
    int error = fsync(lane->fd) == 0 ? 0 : errno;
    sync_lock(&sync->lock);
    lane->is_busy = false;
    if (error == 0)
        record_success_locked(sync, round);
    else
        record_failure_locked(sync, error);
    if (sync->is_suspect)
        sync_broadcast(&sync->renewed); /* they wait until no round is under way */
}

int store_sync_wait(struct store_sync *sync, const struct store_round *round)
{
    if (!sync->is_wanted)
        return 0;
    sync_lock(&sync->lock);
    uint64_t mine = sync->begun + 1;
    while (sync->done < mine && failure_locked(sync, round->failures) == 0) {
        struct store_lane *lane = find_lane_locked(sync);
        if (lane != NULL && sync->begun < mine)
            lead_round_locked(sync, lane);
        else
            sync_wait(&sync->turns[mine % TURNS], &sync->lock);
    }
    int error = failure_locked(sync, round->failures);
    sync_unlock(&sync->lock);
    if (error != 0)
        errno = error;
    return error == 0 ? 0 : -1;
}

/* -- After a failure -- */

static bool is_busy_locked(const struct store_sync *sync)
{
    bool is_busy = sync->is_renewing;
    for (size_t i = 0; i < LANES; i++)
        is_busy |= sync->lanes[i].is_busy;
    return is_busy;
}

/* Opens the folder anew, for all lanes, and syncs it: none of them tells of the old failure again.
 * Nobody else uses the lanes meanwhile. Returns 0 or an errno.
 */
static int renew(struct store_sync *sync)
{
    struct store_sync fresh = {.folder = sync->folder};
    if (open_lanes(&fresh) != 0)
        return errno;
    if (fsync(fresh.lanes[0].fd) != 0) {
        int error = errno;
        close_lanes(&fresh);
        return error;
    }
    close_lanes(sync);
    for (size_t i = 0; i < LANES; i++)
        sync->lanes[i].fd = fresh.lanes[i].fd;
    return 0;
}

static void renew_locked(struct store_sync *sync)
{
    sync->is_renewing = true;
    sync_unlock(&sync->lock);
    int error = renew(sync);
    sync_lock(&sync->lock);
    sync->is_renewing = false;
    if (error == 0)
        sync->is_suspect = false;
    else
        record_failure_locked(sync, error);
    sync_broadcast(&sync->renewed);
}

int store_sync_begin(struct store_sync *sync, struct store_round *out_round)
{
    if (!sync->is_wanted)
        return 0;
    sync_lock(&sync->lock);
    unsigned long failures = sync->failures;
    while (sync->is_suspect && failure_locked(sync, failures) == 0) {
        if (is_busy_locked(sync))
            sync_wait(&sync->renewed, &sync->lock);
        else
            renew_locked(sync);
    }
    int error = failure_locked(sync, failures);
    sync_unlock(&sync->lock);
    if (error != 0)
        errno = error;
    else
        out_round->failures = failures;
    return error == 0 ? 0 : -1;
}
