/* The content of a form, of either kind, as it comes: its fields are gathered, its files written to
 * the store; nobody sees anything of it before it is committed (server/handlers/form_commit.h).
 *
 * About 27 KB a form, and the fields as server/handlers/form_entries.h says. Not thread-safe.
 */
#ifndef TARN_SERVER_HANDLERS_FORM_CONTENT_H
#define TARN_SERVER_HANDLERS_FORM_CONTENT_H

#include "http/multipart.h"
#include "http/urlencoded.h"
#include "server/handlers/form_entries.h"
#include "server/handlers/form_files.h"

struct form_content {
    struct store *records;
    struct form_entries entries;
    struct form_files files;
    bool is_multipart;
    struct multipart_part part; /* the current one */
    bool has_begun;             /* it is a file, and has been begun */
    union {
        struct multipart multipart;
        struct urlencoded urlencoded;
    } decoder;
};

struct form_content_options {
    struct store *records; /* required: for fields that are too long for memory */
    struct store *files;   /* NULL: a file is refused, 403 */
    uint64_t text_bytes;   /* limit of all fields together */
    uint64_t file_bytes;   /* limit of one file; 0: none */
    struct slice boundary; /* of multipart/form-data; empty: it is urlencoded */
};

/* Returns NULL without memory. All in the options is borrowed, the boundary only for this call. */
struct form_content *form_content_create(const struct form_content_options *options);

/* Takes the next piece. After a fault no other call is legal but to destroy. */
struct form_fault form_content_take(struct form_content *content, struct slice piece);

/* Says that all has been taken; then the entries can be read. */
struct form_fault form_content_finish(struct form_content *content);

/* Frees all that has not been committed. NULL is allowed. */
void form_content_destroy(struct form_content *content);

#endif
