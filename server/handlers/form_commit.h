/* Storing a form that has come whole: its files first, then its record, which names them; all of it
 * or nothing.
 *
 * Each step lasts before the next begins. Should the process end between two of them, files may be
 * left that no record names; never a record whose files are not there.
 */
#ifndef TARN_SERVER_HANDLERS_FORM_COMMIT_H
#define TARN_SERVER_HANDLERS_FORM_COMMIT_H

#include "server/handlers/form_content.h"

struct cJSON;

struct form_stored {
    char name[STORE_NAME_SIZE]; /* of the record */
    uint64_t bytes;             /* its length */
    struct cJSON *record;       /* the caller deletes it */
};

/* Stores a form that form_content_finish() has found right. Fills *out, or leaves nothing behind.
 * Waits for the disk.
 */
struct form_fault form_commit(struct form_content *content, struct form_stored *out);

#endif
