/* How much the store holds, and whether there is room for more.
 *
 * What a thread is about to store it reserves first, so that many at once do not pass a limit, and
 * gives it back if it comes to nothing. What was there before is counted while the store is in use:
 * the count leaves out the objects that were under way when it began, or were begun since, which
 * are added when they are there. It is exact, unless an object that it may have seen, or not, was
 * removed meanwhile: then it is disturbed, and is to be repeated.
 *
 * Only what this process changes is known. While two share the folder, during a restart, or when
 * somebody removes files by hand, the figures are wrong until the next count.
 *
 * Any thread, but one counts at a time. The lock is not held over a system call.
 */
#ifndef TARN_SERVER_STORE_STORE_LEDGER_H
#define TARN_SERVER_STORE_STORE_LEDGER_H

#include "server/store/store.h"
#include "server/store/store_inodes.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* What a thread is about to store. The ledger's while it is reserved. */
struct store_change {
    uint64_t files; /* that come anew */
    uint64_t bytes; /* by which the store grows */
    ino_t inode;    /* of the file; 0: several */

    /* Of the file that it replaces, if it does. */
    ino_t replaced;       /* 0: none */
    uint64_t freed_bytes; /* by which the store shrinks, where it does not grow */

    struct store_change *next; /* the ledger's */
};

/* How many objects come or go, and of how many bytes. */
struct store_sum {
    int64_t files;
    int64_t bytes;
};

struct store_ledger {
    bool is_kept; /* constant: there is a limit; else nothing is counted, and nothing refused */

    pthread_mutex_t lock;
    pthread_cond_t counted;

    /* Guarded by lock. */
    struct store_usage usage; /* with what is reserved; its limits are constant */
    struct store_change *reserved;
    int64_t wait_until_ns; /* till then a reservation waits for the first count; 0: no longer */
    unsigned long changes; /* so far; for who keeps the figures on the disk */

    /* While a count is under way. */
    struct store_inodes *left_out; /* NULL: none is under way */
    bool is_disturbed;
    struct store_sum since; /* what came and went since it began */
};

/* Returns 0, or -1 with errno. */
int store_ledger_init(struct store_ledger *ledger, const struct store_options *options);
void store_ledger_deinit(struct store_ledger *ledger);

/* Sets figures that were kept on the disk: better than none until a count is done. */
void store_ledger_recall(struct store_ledger *ledger, uint64_t files, uint64_t bytes);

/* The figures as they are; out_changes tells whether they are others than the last time. */
void store_ledger_read(struct store_ledger *ledger, struct store_usage *out_usage,
                       unsigned long *out_changes);

/* Whether there is room. Returns 0, or -1 with EDQUOT. */
int store_ledger_check(struct store_ledger *ledger, uint64_t files, uint64_t bytes);

/* Reserves room: the members but `next` say what for. Right after the start it waits some time for
 * the first count. Returns 0; or -1 with EDQUOT, nothing reserved.
 */
int store_ledger_reserve(struct store_ledger *ledger, struct store_change *change);

/* Ends a reservation: nothing has come of it. Keeps errno. */
void store_ledger_give_back(struct store_ledger *ledger, struct store_change *change);

/* Ends a reservation: what it was for is there. */
void store_ledger_settle(struct store_ledger *ledger, struct store_change *change);

/* An object has been removed. */
void store_ledger_removed(struct store_ledger *ledger, const struct stat *removed);

/* Begins a count, to be called before the first entry is looked for. Returns 0, or -1 with errno.
 */
int store_ledger_begin_count(struct store_ledger *ledger);

/* Whether an object that the count has found counts. */
bool store_ledger_counts(struct store_ledger *ledger, const struct stat *found);

/* Ends the count with the sum of what counts. Returns false if it has been disturbed: the figures
 * may be a little wrong.
 */
bool store_ledger_end_count(struct store_ledger *ledger, const struct store_sum *sum);

/* Ends the count without a result. */
void store_ledger_cancel_count(struct store_ledger *ledger);

#endif
