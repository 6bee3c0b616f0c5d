#include "server/store/store_ledger.h"

#include "pool/sync.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* Time for the first count, from the start on: a small store is counted in less, and with a large
 * one nobody shall wait longer.
 */
#define FIRST_COUNT_NS 250000000

/* -- Init -- */

int store_ledger_init(struct store_ledger *ledger, const struct store_options *options)
{
    *ledger = (struct store_ledger){
        .usage = {.max_files = options->max_files, .max_bytes = options->max_bytes},
        .is_kept = options->max_files > 0 || options->max_bytes > 0,
        .wait_until_ns = sync_now_ns() + FIRST_COUNT_NS,
    };
    errno = pthread_mutex_init(&ledger->lock, NULL);
    if (errno != 0)
        return -1;
    if (sync_cond_init(&ledger->counted) == 0)
        return 0;
    sync_destroy(&ledger->lock);
    return -1;
}

void store_ledger_deinit(struct store_ledger *ledger)
{
    assert(ledger->reserved == NULL && ledger->left_out == NULL);
    sync_cond_destroy(&ledger->counted);
    sync_destroy(&ledger->lock);
}

/* -- Figures -- */

/* What was wrongly known may be less than what goes. */
static uint64_t minus(uint64_t all, uint64_t part)
{
    return part < all ? all - part : 0;
}

static uint64_t plus_signed(uint64_t all, int64_t change)
{
    return change < 0 ? minus(all, (uint64_t)-change) : all + (uint64_t)change;
}

static bool fits(uint64_t used, uint64_t more, uint64_t limit)
{
    return limit == 0 || (more <= limit && used <= limit - more);
}

/* What takes no more room is allowed also where there is too much already. */
static int check_locked(const struct store_ledger *ledger, uint64_t files, uint64_t bytes)
{
    const struct store_usage *usage = &ledger->usage;
    if (!usage->is_known || ((files == 0 || fits(usage->files, files, usage->max_files)) &&
                             (bytes == 0 || fits(usage->bytes, bytes, usage->max_bytes))))
        return 0;
    errno = EDQUOT;
    return -1;
}

void store_ledger_recall(struct store_ledger *ledger, uint64_t files, uint64_t bytes)
{
    sync_lock(&ledger->lock);
    ledger->usage.is_known = true;
    ledger->usage.files = files;
    ledger->usage.bytes = bytes;
    sync_unlock(&ledger->lock);
}

void store_ledger_read(struct store_ledger *ledger, struct store_usage *out_usage,
                       unsigned long *out_changes)
{
    sync_lock(&ledger->lock);
    *out_usage = ledger->usage;
    *out_changes = ledger->changes;
    sync_unlock(&ledger->lock);
}

int store_ledger_check(struct store_ledger *ledger, uint64_t files, uint64_t bytes)
{
    if (!ledger->is_kept)
        return 0;
    sync_lock(&ledger->lock);
    int result = check_locked(ledger, files, bytes);
    sync_unlock(&ledger->lock);
    return result;
}

/* -- Reservations -- */

/* The count must not take this object for one that was there when it began. */
static void leave_out_locked(struct store_ledger *ledger, ino_t inode)
{
    if (inode == 0 || !store_inodes_add(ledger->left_out, inode))
        ledger->is_disturbed = true;
}

static void wait_for_first_count_locked(struct store_ledger *ledger)
{
    while (ledger->wait_until_ns != 0)
        if (!sync_wait_until(&ledger->counted, &ledger->lock, ledger->wait_until_ns))
            ledger->wait_until_ns = 0;
}

static void link_locked(struct store_ledger *ledger, struct store_change *change)
{
    change->next = ledger->reserved;
    ledger->reserved = change;
    ledger->usage.files += change->files;
    ledger->usage.bytes += change->bytes;
    if (ledger->left_out != NULL)
        leave_out_locked(ledger, change->inode);
}

static void unlink_locked(struct store_ledger *ledger, const struct store_change *change)
{
    struct store_change **link = &ledger->reserved;
    while (*link != change)
        link = &(*link)->next;
    *link = change->next;
    ledger->changes++;
}

int store_ledger_reserve(struct store_ledger *ledger, struct store_change *change)
{
    if (!ledger->is_kept)
        return 0;
    sync_lock(&ledger->lock);
    wait_for_first_count_locked(ledger);
    int result = check_locked(ledger, change->files, change->bytes);
    if (result == 0)
        link_locked(ledger, change);
    sync_unlock(&ledger->lock);
    return result;
}

void store_ledger_give_back(struct store_ledger *ledger, struct store_change *change)
{
    if (!ledger->is_kept)
        return;
    sync_lock(&ledger->lock);
    unlink_locked(ledger, change);
    ledger->usage.files = minus(ledger->usage.files, change->files);
    ledger->usage.bytes = minus(ledger->usage.bytes, change->bytes);
    sync_unlock(&ledger->lock);
}

/* An object that was there is gone, or is no longer counted. */
static void forget_locked(struct store_ledger *ledger, ino_t inode)
{
    if (ledger->left_out != NULL && !store_inodes_has(ledger->left_out, inode))
        ledger->is_disturbed = true;
}

void store_ledger_settle(struct store_ledger *ledger, struct store_change *change)
{
    if (!ledger->is_kept)
        return;
    sync_lock(&ledger->lock);
    unlink_locked(ledger, change);
    ledger->since.files += (int64_t)change->files;
    ledger->since.bytes += (int64_t)change->bytes - (int64_t)change->freed_bytes;
    ledger->usage.bytes = minus(ledger->usage.bytes, change->freed_bytes);
    if (change->replaced != 0)
        forget_locked(ledger, change->replaced);
    sync_unlock(&ledger->lock);
}

void store_ledger_removed(struct store_ledger *ledger, const struct stat *removed)
{
    if (!ledger->is_kept)
        return;
    sync_lock(&ledger->lock);
    ledger->changes++;
    ledger->usage.files = minus(ledger->usage.files, 1);
    ledger->usage.bytes = minus(ledger->usage.bytes, (uint64_t)removed->st_size);
    ledger->since.files--;
    ledger->since.bytes -= (int64_t)removed->st_size;
    forget_locked(ledger, removed->st_ino);
    sync_unlock(&ledger->lock);
}

/* -- Counting -- */

int store_ledger_begin_count(struct store_ledger *ledger)
{
    struct store_inodes *inodes = store_inodes_create();
    if (inodes == NULL)
        return -1;
    sync_lock(&ledger->lock);
    ledger->left_out = inodes;
    ledger->is_disturbed = false;
    ledger->since = (struct store_sum){0};
    for (const struct store_change *at = ledger->reserved; at != NULL; at = at->next)
        leave_out_locked(ledger, at->inode);
    sync_unlock(&ledger->lock);
    return 0;
}

bool store_ledger_counts(struct store_ledger *ledger, const struct stat *found)
{
    sync_lock(&ledger->lock);
    bool counts = !store_inodes_has(ledger->left_out, found->st_ino);
    sync_unlock(&ledger->lock);
    return counts;
}

/* Nobody waits for a count any more. */
static void end_count_locked(struct store_ledger *ledger)
{
    free(ledger->left_out);
    ledger->left_out = NULL;
    ledger->wait_until_ns = 0;
    sync_broadcast(&ledger->counted);
}

bool store_ledger_end_count(struct store_ledger *ledger, const struct store_sum *sum)
{
    sync_lock(&ledger->lock);
    struct store_usage *usage = &ledger->usage;
    usage->is_known = true;
    usage->files = plus_signed((uint64_t)sum->files, ledger->since.files);
    usage->bytes = plus_signed((uint64_t)sum->bytes, ledger->since.bytes);
    for (const struct store_change *at = ledger->reserved; at != NULL; at = at->next) {
        usage->files += at->files;
        usage->bytes += at->bytes;
    }
    ledger->changes++;
    bool is_exact = !ledger->is_disturbed;
    end_count_locked(ledger);
    sync_unlock(&ledger->lock);
    return is_exact;
}

void store_ledger_cancel_count(struct store_ledger *ledger)
{
    sync_lock(&ledger->lock);
    end_count_locked(ledger);
    sync_unlock(&ledger->lock);
}
