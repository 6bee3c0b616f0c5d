/* What a form says, in the order in which it came: the names and values of its fields, and what is
 * told of its files. Never more text than `bytes_max`: 64 KB of it in memory while the form comes
 * (server/handlers/upload_spool.h), all of it while it is being stored.
 *
 * Not thread-safe.
 */
#ifndef TARN_SERVER_HANDLERS_FORM_ENTRIES_H
#define TARN_SERVER_HANDLERS_FORM_ENTRIES_H

#include "http/multipart_head.h"
#include "server/handlers/form_fault.h"
#include "server/handlers/upload_spool.h"

#define FORM_ENTRIES_MAX    1000
#define FORM_NAME_BYTES_MAX MULTIPART_NAME_BYTES_MAX

/* Begins as {.spool = {.store = ...}, .bytes_max = ...}. */
struct form_entries {
    struct upload_spool spool;
    size_t len;         /* of what is in the spool */
    char *text;         /* all of it, once the writing has ended */
    uint64_t bytes_max; /* of names, values, file names and types together */
    uint64_t bytes;
    unsigned count;
    size_t name_len; /* of the entry that is being written */
    bool in_entry;
    bool in_value;
};

/* Adds a file: of the field `name`, called `filename` by the client, of this type as it says. */
struct form_fault form_entries_add_file(struct form_entries *entries,
                                        const struct multipart_part *part);

/* A field comes in pieces: of its name, then of its value, then its end. */
struct form_fault form_entries_add_name(struct form_entries *entries, struct slice piece);
struct form_fault form_entries_add_value(struct form_entries *entries, struct slice piece);
struct form_fault form_entries_end_field(struct form_entries *entries);

/* Ends the writing: all that was added must be text (UTF-8, no NUL). */
struct form_fault form_entries_finish(struct form_entries *entries);

/* --- reading, after that ------------------------------------------------------------------- */

/* Strings live as long as the entries. */
struct form_entry {
    bool is_file;
    const char *name;
    const char *value;      /* of a file: the name that the client gave it */
    const char *media_type; /* of a file; maybe empty */
};

/* Iterates: *cursor starts at 0. Returns false when there is none left. */
bool form_entries_next(const struct form_entries *entries, size_t *cursor, struct form_entry *out);

void form_entries_discard(struct form_entries *entries);

#endif
