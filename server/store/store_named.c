/* Objects under names that clients choose: see server/store/store.h. */
#include "server/store/store_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often another process may come first. */
#define ATTEMPTS 8

/* What a name stands for, while this thread holds its claim. */
struct place {
    struct store *store;
    const char *name;
    struct stat current; /* of the object that has the name ... */
    bool is_taken;       /* ... if there is one */
};

static bool is_absent(const struct stat *current, void *context)
{
    (void)context;
    return current == NULL;
}

const struct store_condition store_condition_absent = {.holds = is_absent};

/* Returns 0, or -1 with errno: EISDIR, EACCES for what is no object. */
static int look_up(struct place *place)
{
    place->is_taken =
        fstatat(place->store->folder, place->name, &place->current, AT_SYMLINK_NOFOLLOW) == 0;
    if (!place->is_taken)
        return errno == ENOENT ? 0 : -1;
    if (S_ISREG(place->current.st_mode))
        return 0;
    errno = S_ISDIR(place->current.st_mode) ? EISDIR : EACCES;
    return -1;
}

/* Returns 0, or -1 with ECANCELED. */
static int check_condition(const struct place *place, const struct store_condition *condition)
{
    const struct stat *current = place->is_taken ? &place->current : NULL;
    if (condition == NULL || condition->holds(current, condition->context))
        return 0;
    errno = ECANCELED;
    return -1;
}

/* -- Putting an object in the place of another -- */

/* Gives a file a name in the housekeeping folder, and holds its lock, so that another process that
 * starts does not take it for a left-over.
 */
static int give_temporary_name(struct store_file *file)
{
    char name[STORE_TEMPORARY_SIZE];
    if (file->temporary[0] != '\0')
        return 0;
    if (flock(file->fd, LOCK_EX | LOCK_NB) != 0)
        return -1;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (store_name_make_temporary(name) != 0)
            return -1;
        if (store_file_link(file, file->store->housekeeping, name) == 0) {
            memcpy(file->temporary, name, sizeof name);
            return 0;
        }
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

/* The two change places in one step, so that the change can be undone: what is replaced has the
 * temporary name until the change is known to last. Returns 0, or -1 with errno.
 */
static int exchange(const struct store_file *file, const struct place *place)
{
    return renameat2(place->store->housekeeping, file->temporary, place->store->folder, place->name,
                     RENAME_EXCHANGE);
}

/* Some file systems (NFS) only replace. */
static int replace(struct store_file *file, const struct place *place, bool *out_can_undo)
{
    *out_can_undo = true;
    if (give_temporary_name(file) != 0)
        return -1;
    if (exchange(file, place) == 0)
        return 0;
    *out_can_undo = false;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (renameat(place->store->housekeeping, file->temporary, place->store->folder, place->name) !=
        0)
        return -1;
    file->temporary[0] = '\0';
    return 0;
}

static void undo(const struct store_file *file, const struct place *place, bool can_undo)
{
    int error = errno; /* the failure that counts is told */
    if (!place->is_taken)
        (void)unlinkat(place->store->folder, place->name, 0);
    else if (can_undo)
        (void)exchange(file, place);
    errno = error;
}

/* Puts the file into its place, for good. */
static int put(struct store_file *file, const struct place *place)
{
    struct store *store = place->store;
    struct store_round round;
    bool can_undo = true;
    if (store_sync_begin(&store->sync, &round) != 0)
        return -1;
    int result = place->is_taken ? replace(file, place, &can_undo)
                                 : store_file_link(file, store->folder, place->name);
    if (result != 0)
        return -1;
    if (store_sync_wait(&store->sync, &round) == 0)
        return 0;
    undo(file, place, can_undo);
    return -1;
}

/* The same, if there is room. */
static int put_if_room(struct store_file *file, const struct place *place)
{
    struct store_ledger *ledger = &place->store->ledger;
    struct store_change change;
    store_file_describe(file, &change);
    if (place->is_taken) {
        uint64_t before = (uint64_t)place->current.st_size;
        change.files = 0;
        change.bytes = file->bytes > before ? file->bytes - before : 0;
        change.freed_bytes = before > file->bytes ? before - file->bytes : 0;
        change.replaced = place->current.st_ino;
    }
    if (store_ledger_reserve(ledger, &change) != 0)
        return -1;
    int result = put(file, place);
    if (result == 0) {
        store_ledger_settle(ledger, &change);
        store_index_add(&place->store->index, place->name);
    } else {
        store_ledger_give_back(ledger, &change);
    }
    return result;
}

/* The same, if the condition holds. */
static int put_if(struct store_file *file, struct place *place,
                  const struct store_condition *condition)
{
    int result = -1;
    for (int attempt = 0; attempt < ATTEMPTS && result != 0; attempt++) {
        if (look_up(place) != 0 || check_condition(place, condition) != 0)
            return -1;
        result = put_if_room(file, place);
        if (result != 0 && errno != EEXIST && errno != ENOENT)
            return -1; /* else another process made it, or removed it, meanwhile */
    }
    return result;
}

int store_file_commit_as(struct store_file *file, const char *name,
                         const struct store_condition *condition, bool *out_replaced)
{
    struct store *store = file->store;
    struct store_claim claim;
    if (store_name_check(name) != 0 || store_file_sync(file) != 0)
        return -1;
    struct place place = {.store = store, .name = name};
    store_claim_take(&store->claims, &claim, name);
    int result = put_if(file, &place, condition);
    store_claim_release(&store->claims, &claim);
    if (result != 0)
        return store_file_fail(file);
    *out_replaced = place.is_taken;
    store_file_discard(file); /* with the object that was replaced, if it has the temporary name */
    return 0;
}

/* -- Removing -- */

static int unlink_if(struct place *place, const struct store_condition *condition)
{
    struct store *store = place->store;
    if (look_up(place) != 0 || check_condition(place, condition) != 0)
        return -1;
    if (unlinkat(store->folder, place->name, 0) != 0) /* ENOENT, if there is none */
        return -1;
    store_ledger_removed(&store->ledger, &place->current);
    return 0;
}

int store_drop(struct store *store, const char *name, const struct store_condition *condition)
{
    struct store_claim claim;
    if (!store_name_is_visible(name)) {
        errno = ENOENT;
        return -1;
    }
    struct place place = {.store = store, .name = name};
    store_claim_take(&store->claims, &claim, name);
    int result = unlink_if(&place, condition);
    store_claim_release(&store->claims, &claim);
    if (result == 0)
        store_index_remove(&store->index, name);
    return result;
}

int store_remove(struct store *store, const char *name, const struct store_condition *condition)
{
    struct store_round round;
    if (store_sync_begin(&store->sync, &round) != 0 || store_drop(store, name, condition) != 0)
        return -1;
    return store_sync_wait(&store->sync, &round);
}
