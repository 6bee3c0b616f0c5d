/* How a file is to be seen by clients, and the field lines that say so. */
#ifndef TARN_SERVER_HANDLERS_FILE_LOOK_H
#define TARN_SERVER_HANDLERS_FILE_LOOK_H

#include "http/text.h"
#include "server/handlers/representation.h"

struct file_look {
    struct slice media_type;    /* required */
    struct slice download_name; /* empty: shown inline, else to be saved under this name */
    struct slice cache_control; /* empty: no such field */
    struct slice policy;        /* Content-Security-Policy; empty: no such field */
};

/* Appends the field lines that a 304 has too (RFC 9110 section 15.4.5). */
void file_look_append_validators(struct text *text, const struct representation *file,
                                 const struct file_look *look);

/* Appends the further ones that the representation has. */
void file_look_append(struct text *text, const struct file_look *look);

#endif
