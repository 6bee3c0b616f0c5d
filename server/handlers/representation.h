/* What is known of a file as a representation (RFC 9110 section 8.8). Pure: any thread. */
#ifndef TARN_SERVER_HANDLERS_REPRESENTATION_H
#define TARN_SERVER_HANDLERS_REPRESENTATION_H

#include "http/entity_tag.h"
#include "http/precondition.h"

#include <sys/stat.h>

/* Not to be copied: the validators point into it. */
struct representation {
    uint64_t len;
    struct validators validators;
    char etag[ENTITY_TAG_LEN_MAX];
};

/* Describes a regular file. `now` is the time of the response's Date. */
void representation_describe(struct representation *out, const struct stat *stat, time_t now);

#endif
