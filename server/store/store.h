/* Where clients' data lives: a folder of objects that are written once, whole, and never changed.
 *
 * An object is written to a temporary file that nobody sees, and committed: synced, given its name,
 * and the folder synced. Only then is it acknowledged. Uploaded documents get a name from the
 * store, which tells when, in UTC, and that no other has had, whatever the clock does and however
 * many processes use the folder; files get the name that their client chose.
 *
 * This header is the store's interface: it says nothing of how an object is kept, so that another
 * kind of store can stand behind it. The one that does is a local directory. The names and numbers
 * that are the store's to know are in server/store/store_private.h.
 *
 * A store may be used by any number of threads at once, a store_file or a store_batch by one at a
 * time. No lock is held over a system call that may wait for the disk. Functions return 0, or -1
 * with errno. SIGXFSZ must be ignored by the process, so that a file size limit is an error like
 * others.
 */
#ifndef TARN_SERVER_STORE_STORE_H
#define TARN_SERVER_STORE_STORE_H

#include "server/store/store_name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

struct store;

enum store_durability {
    STORE_DURABLE,  /* what is acknowledged survives a loss of power */
    STORE_UNSYNCED, /* it survives the process only */
};

/* What fills up. */
enum store_resource { STORE_FILES, STORE_BYTES, STORE_FREE_BYTES };

struct store_notice {
    enum store_resource resource;
    uint64_t amount; /* used; of STORE_FREE_BYTES: left */
    uint64_t limit;
};

struct store_options {
    const char *directory; /* required, copied; made with its parents (0750) if it is not there */
    enum store_durability durability;
    uint64_t min_free_bytes; /* of the file system; 0: no limit */
    uint64_t max_bytes;      /* of all objects together; 0: no limit */
    uint64_t max_files;      /* how many objects; 0: no limit */
    unsigned ttl_days;       /* documents older than this are removed; 0: never */
    time_t (*now)(void);     /* the clock for the names; NULL: the system's */

    /* Called before a limit bites: when 80 and 95 percent of max_files or max_bytes are used, and
     * when four times and twice min_free_bytes are left; not again before there has been clearly
     * more room. From any thread; must not wait. NULL: nobody is told.
     */
    void (*notice)(const struct store_notice *notice, void *context);
    void *context;
};

/* Opens a store, makes its dot folder for housekeeping, and removes what a process that is no more
 * left there, or completes it. The number of objects does not matter: where there are limits, a
 * thread counts them meanwhile, and removes old documents. Returns NULL with errno if the directory
 * cannot be made or written to; a full disk does not keep it from being opened.
 */
struct store *store_open(const struct store_options *options);

/* No file of the store may be open any more, and no other thread in it. NULL is allowed. */
void store_close(struct store *store);

/* --- questions ----------------------------------------------------------------------------- */

/* Whether there is room for an object of so many bytes. ENOSPC: less than min_free_bytes would be
 * left on the disk. EDQUOT: there would be more than max_bytes or max_files.
 */
int store_check_space(struct store *store, uint64_t bytes);

/* How much there is. While two processes use a folder, as during a restart, or when somebody
 * removes files by hand, it is wrong until the next count, which comes within the hour.
 */
struct store_usage {
    bool is_known; /* false: nothing is limited, or the first count is still under way */
    uint64_t files;
    uint64_t bytes;
    uint64_t max_files; /* 0: no limit */
    uint64_t max_bytes; /* 0: no limit */
};

void store_usage(struct store *store, struct store_usage *out_usage);

/* Whether a commit waits for the disk. */
bool store_is_durable(const struct store *store);

/* Opens an object for reading. Returns a descriptor, the caller's, which never blocks; or -1:
 * ENOENT if there is none of that name (a name with '/', or a dot first, is none), EACCES if it may
 * not be read or is no regular file (a symbolic link is none), or another errno.
 */
int store_open_document(const struct store *store, const char *name);

/* Makes sure that the documents that can be seen last: a process that was killed may have given one
 * its name and not have come to sync the folder. Returns 0, or -1 with errno. Waits for the disk.
 */
int store_settle(struct store *store);

/* --- an object that is being written ------------------------------------------------------- */

/* All members are the store's but `bytes`, which is how many have been appended. All zero: no file.
 */
struct store_file {
    struct store *store;
    uint64_t bytes;
    int fd;
    int error; /* what failed first, 0 = nothing; it is never tried again */
    char temporary[STORE_TEMPORARY_SIZE]; /* in the housekeeping folder; empty: it has no name */
};

/* Begins an object; *file is overwritten, and is no file on failure. */
int store_file_create(struct store *store, struct store_file *file);

/* Appends all the bytes. After a failure (ENOSPC, EDQUOT, EFBIG, EIO, ...) the file can only be
 * discarded; appending and committing fail with the same errno.
 */
int store_file_append(struct store_file *file, const char *bytes, size_t len);

/* Makes the object visible as a document under a new name, written to out_name. When it returns 0
 * the document is as durable as the options said, and *file is no file any more. On failure nothing
 * is visible, and the file can only be discarded. Waits for the disk.
 */
int store_file_commit(struct store_file *file, char out_name[STORE_NAME_SIZE]);

/* Removes what was not committed. Legal in every state, also for no file. Keeps errno. */
void store_file_discard(struct store_file *file);

/* --- names that the client chooses --------------------------------------------------------- */

/* What must hold of the object that has a name at the very moment when another takes it, or when it
 * is removed: between the question and the deed no other thread of this process changes it.
 */
struct store_condition {
    bool (*holds)(const struct stat *current, void *context); /* current NULL: there is none */
    void *context;
};

/* There is no object of that name. */
extern const struct store_condition store_condition_absent;

/* Makes the object visible under `name`, in the place of the one that has it, if there is one; a
 * reader sees the one or the other, whole. `condition` may be NULL. As durable as, and failing as
 * store_file_commit() does (then the object that had the name has it again), and with ECANCELED if
 * the condition does not hold, EINVAL if a name can not be that of an object (see
 * store_name_check()), ENAMETOOLONG, EISDIR or EACCES if it is that of something else than a
 * regular file.
 */
int store_file_commit_as(struct store_file *file, const char *name,
                         const struct store_condition *condition, bool *out_replaced);

/* Removes an object, as durably as it was stored. ENOENT if there is none; ECANCELED, EISDIR,
 * EACCES as above. If it fails in syncing the folder, the object is gone, but may come back after a
 * crash.
 */
int store_remove(struct store *store, const char *name, const struct store_condition *condition);

/* --- several documents, all or none -------------------------------------------------------- */

struct store_batch;

/* Begins a batch of at most `documents`. Returns NULL with errno. */
struct store_batch *store_batch_create(struct store *store, size_t documents);

/* Adds a document, whole. After a failure the batch can only be discarded. */
int store_batch_add(struct store_batch *batch, const char *bytes, size_t len);

/* Makes all documents visible: after a crash at any moment either all are there or none. On
 * failure none is. Waits for the disk.
 */
int store_batch_commit(struct store_batch *batch);

/* The name of a committed document, 0 ... documents added - 1; lives as long as the batch. */
const char *store_batch_name(const struct store_batch *batch, size_t index);

/* Frees; removes what was not committed. NULL is allowed. Keeps errno. */
void store_batch_destroy(struct store_batch *batch);

#endif
