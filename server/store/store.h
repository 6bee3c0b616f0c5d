/* Where uploads live: a folder of documents that are written once and never changed.
 *
 * A document is written to a temporary file that nobody sees, and committed: synced, linked under
 * a name that did not exist before, and the folder synced. Only then is it acknowledged. The name
 * tells when, in UTC; the file system sees to it that it is unique, whatever the clock does and
 * however many processes use the folder.
 *
 * A store may be used by any number of threads at once, a store_file by one at a time. No lock is
 * held over a system call that may wait for the disk. Functions return 0, or -1 with errno.
 * SIGXFSZ must be ignored by the process, so that a file size limit is an error like others.
 */
#ifndef TARN_SERVER_STORE_STORE_H
#define TARN_SERVER_STORE_STORE_H

#include "server/store/store_name.h"

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct store;

enum store_durability {
    STORE_DURABLE,  /* what is acknowledged survives a loss of power */
    STORE_UNSYNCED, /* it survives the process only */
};

struct store_options {
    const char *directory; /* required, copied; made with its parents (0750) if it is not there */
    enum store_durability durability;
    uint64_t min_free_bytes; /* of the file system; see store_check_space() */
    time_t (*now)(void);     /* the clock for the names; NULL: the system's */
};

/* Opens a store, makes its dot folder for housekeeping, and removes what a process that is no more
 * left there. The number of documents does not matter. Returns NULL with errno if the directory
 * cannot be made or written to; a full disk does not keep it from being opened.
 */
struct store *store_open(const struct store_options *options);

/* No file of the store may be open any more, and no other thread in it. NULL is allowed. */
void store_close(struct store *store);

/* Whether there is room for so many bytes more. ENOSPC: less than min_free_bytes would be left. */
int store_check_space(const struct store *store, uint64_t bytes);

/* Opens a stored document for reading. Returns a descriptor, the caller's, which never blocks;
 * or -1: ENOENT if there is none of that name (a name with '/', or a dot first, is none), EACCES
 * if it may not be read or is no regular file (a symbolic link is none), or another errno.
 */
int store_open_document(const struct store *store, const char *name);

/* A document that is being written. All members are the store's but `bytes`, which is how many have
 * been appended. All zero: no file.
 */
struct store_file {
    struct store *store;
    uint64_t bytes;
    int fd;
    int error; /* what failed first, 0 = nothing; it is never tried again */
    char temporary[STORE_TEMPORARY_SIZE]; /* in the housekeeping folder; empty: it has no name */
};

/* Begins a document; *file is overwritten, and is no file on failure. */
int store_file_create(struct store *store, struct store_file *file);

/* Appends all the bytes. After a failure (ENOSPC, EDQUOT, EFBIG, EIO, ...) the file can only be
 * discarded; appending and committing fail with the same errno.
 */
int store_file_append(struct store_file *file, const char *bytes, size_t len);

/* Makes the document visible under a new name, written to out_name. When it returns 0 the document
 * is as durable as the options said, and *file is no file any more. On failure nothing is visible,
 * and the file can only be discarded. Waits for the disk.
 */
int store_file_commit(struct store_file *file, char out_name[STORE_NAME_SIZE]);

/* Removes what was not committed. Legal in every state, also for no file. Keeps errno. */
void store_file_discard(struct store_file *file);

#endif
