/* The requests of a file, and what is expected of each answer.
 *
 * Constant once loaded, so that threads may share it. Strings without another owner belong to the
 * JSON tree, and live as long as the plan.
 */
#ifndef TARN_TESTER_PLAN_H
#define TARN_TESTER_PLAN_H

#include "tester/json_file.h"

#include <stdint.h>

#define PLAN_STATUS_END 600 /* one more than the largest status code */

/* Bytes that the plan owns. */
struct plan_bytes {
    char *bytes;
    size_t len;
};

enum plan_content {
    PLAN_NO_CONTENT,
    PLAN_BYTES, /* `bytes`, as they are */
    PLAN_PARTS, /* multipart/form-data */
};

/* A part of a form: a field, or a file if `path` is there. */
struct plan_part {
    const char *name;
    char *value;            /* owned; NULL for a file */
    char *path;             /* owned; NULL for a field */
    const char *media_type; /* of a file; NULL: libcurl's guess from the name */
};

struct plan_expect {
    uint8_t statuses[PLAN_STATUS_END / 8]; /* a bit for each status code that is right */
    const cJSON *status;                   /* as written; NULL: any below 400 */
    const cJSON *headers;                  /* these are NULL where nothing is expected */
    const cJSON *json;
    const cJSON *json_has;
    const char *body;
    struct plan_bytes *file; /* owned: what the content must be equal to */
};

struct plan_request {
    unsigned line; /* of the file */
    const char *name;
    const char *method;
    const char *url;
    const cJSON *headers;   /* an object, or NULL */
    const char *media_type; /* of the content, unless `headers` has another; NULL: none */
    enum plan_content content;
    struct plan_bytes bytes;
    struct plan_part *parts;
    size_t part_count;
    struct plan_expect expect;
    const cJSON *save; /* an object: name of a variable -> name of a header field; or NULL */
};

struct plan {
    struct json_file file;
    struct plan_request *requests;
    size_t count;
};

/* Reads a file. Returns 0, or -1 when it cannot be read or something in it is wrong, all of which
 * has been told on `errors`. *plan is to be deinitialised in either case. `path` is borrowed.
 */
int plan_load(struct plan *plan, const char *path, FILE *errors);
void plan_deinit(struct plan *plan);

bool plan_allows_status(const struct plan_expect *expect, long status);

#endif
