#include "server/store/store_sync.h"

#include "pool/sync.h"
#include "server/store/store_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int store_sync_init(struct store_sync *sync, int folder, bool is_wanted)
{
    *sync = (struct store_sync){.folder = folder, .is_wanted = is_wanted};
    errno = pthread_mutex_init(&sync->lock, NULL);
    return errno == 0 ? 0 : -1;
}

void store_sync_deinit(struct store_sync *sync)
{
    sync_destroy(&sync->lock);
}

static bool read_suspicion(struct store_sync *sync, unsigned long *out_failures)
{
    sync_lock(&sync->lock);
    bool is_suspect = sync->is_suspect;
    *out_failures = sync->failures;
    sync_unlock(&sync->lock);
    return is_suspect;
}

static void record_failure(struct store_sync *sync)
{
    sync_lock(&sync->lock);
    sync->is_suspect = true;
    sync->failures++;
    sync_unlock(&sync->lock);
}

/* A sync that began when there had been so many failures has succeeded. Returns whether it counts:
 * a later failure may concern what it covered.
 */
static bool record_success(struct store_sync *sync, unsigned long failures)
{
    sync_lock(&sync->lock);
    bool counts = sync->failures == failures;
    if (counts)
        sync->is_suspect = false;
    sync_unlock(&sync->lock);
    return counts;
}

static int finish_sync(struct store_sync *sync, int result, unsigned long failures)
{
    if (result != 0) {
        int error = errno;
        record_failure(sync);
        errno = error;
        return -1;
    }
    if (record_success(sync, failures))
        return 0;
    errno = EIO;
    return -1;
}

int store_sync_begin(struct store_sync *sync, struct store_round *round)
{
    *round = (struct store_round){.fd = -1};
    if (!sync->is_wanted)
        return 0;
    if (read_suspicion(sync, &round->failures)) {
        int result = store_folder_sync(sync->folder);
        if (finish_sync(sync, result, round->failures) != 0)
            return -1;
    }
    round->fd = openat(sync->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return round->fd >= 0 ? 0 : -1;
}

void store_sync_cancel(struct store_round *round)
{
    int error = errno;
    if (round->fd >= 0)
        (void)close(round->fd); /* nothing was written through it */
    errno = error;
}

int store_sync_end(struct store_sync *sync, struct store_round *round)
{
    if (!sync->is_wanted)
        return 0;
    int result = finish_sync(sync, fsync(round->fd), round->failures);
    store_sync_cancel(round);
    return result;
}
