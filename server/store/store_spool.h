/* A batch on the disk: a folder in the housekeeping folder, with a document under each of the
 * names that they are to have. Whoever works on it holds the lock of a file in it, so that another
 * process that starts leaves it alone.
 *
 * As batch_... it is nothing yet, and is removed at the next start. Once it has become commit_...
 * for good, by one rename, its documents are promised: they are moved out, now or at the next
 * start.
 */
#ifndef TARN_SERVER_STORE_STORE_SPOOL_H
#define TARN_SERVER_STORE_STORE_SPOOL_H

#include "server/store/store_name.h"

#include <stdbool.h>
#include <time.h>

struct store_spool {
    int housekeeping; /* borrowed */
    int folder;
    int lock;                        /* -1: it has none, being nothing yet, or nothing more */
    char name[STORE_TEMPORARY_SIZE]; /* in the housekeeping folder */
};

/* Makes an empty one. Returns 0, or -1 with errno. */
int store_spool_create(int housekeeping, struct store_spool *out_spool);

/* Opens one that was left over. Returns 0; or -1 if it is another's, or cannot be opened. */
int store_spool_open(int housekeeping, const char *name, struct store_spool *out_spool);

/* Makes a document in it, whose name is made from the time. Returns a descriptor for writing, the
 * caller's, or -1 with errno.
 */
int store_spool_add(const struct store_spool *spool, time_t when, char out_name[STORE_NAME_SIZE]);

/* Promises the documents, which have been synced. Returns 0; or -1 with errno: it is to be
 * withdrawn.
 */
int store_spool_promise(struct store_spool *spool, bool syncs);

/* Takes the promise back, if there is one; all documents must be in it. Returns 0, or -1 with
 * errno: it stands.
 */
int store_spool_withdraw(struct store_spool *spool, bool syncs);

/* Moves a document into the folder `to`, under its name if nobody has it, else under another, made
 * from the time. Returns 0, or -1 with errno.
 */
int store_spool_move_out(const struct store_spool *spool, int to, time_t when,
                         char name[STORE_NAME_SIZE]);

/* Moves a document back from there. Returns 0, or -1 with errno. */
int store_spool_move_back(const struct store_spool *spool, int from, const char *name);

/* Removes it with the documents that are still in it, and closes it. What cannot be removed is
 * tried again at the next start. Keeps errno.
 */
void store_spool_remove(struct store_spool *spool);

/* Closes it as it is. Keeps errno. */
void store_spool_close(struct store_spool *spool);

#endif
