/* The files of a form: written to the store as they come, and given their names only when the whole
 * form has turned out right.
 *
 * Each holds a descriptor until then. The first of each form has its place among the descriptors
 * that the server counts with; all further ones of all forms together are FORM_FILES_MORE_MAX.
 */
#ifndef TARN_SERVER_HANDLERS_FORM_FILES_H
#define TARN_SERVER_HANDLERS_FORM_FILES_H

#include "http/multipart.h"
#include "server/handlers/form_fault.h"
#include "server/handlers/form_name.h"
#include "server/store/store.h"

#define FORM_FILES_MORE_MAX 512

/* Pieces are collected, so that a form that comes byte by byte is not written byte by byte. */
#define FORM_FILES_BUFFER_BYTES 8192

struct form_file {
    struct store_file file;
    uint64_t bytes;
    char name[FORM_NAME_SIZE]; /* once it has been committed; empty before */
};

/* Begins as {.store = ..., .bytes_max = ...}; store NULL: there must be no file. */
struct form_files {
    struct store *store;
    uint64_t bytes_max; /* of one file; 0: no limit */
    unsigned count;
    size_t buffered;
    struct form_file items[MULTIPART_PARTS_MAX];
    char buffer[FORM_FILES_BUFFER_BYTES];
};

/* Begins the next file; at most MULTIPART_PARTS_MAX. */
struct form_fault form_files_begin(struct form_files *files);

struct form_fault form_files_append(struct form_files *files, struct slice piece);

/* Ends the one that was begun. */
struct form_fault form_files_end(struct form_files *files);

/* Commits a file under a name made from the client's; waits for the disk. */
struct form_fault form_files_commit(struct form_files *files, unsigned index, const char *filename);

/* Removes the files that have been committed: the form has failed after all. */
void form_files_withdraw(struct form_files *files);

/* Frees what was not committed. */
void form_files_discard(struct form_files *files);

#endif
