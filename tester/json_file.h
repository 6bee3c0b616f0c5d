/* A JSON file that people write: what is wrong in it is told as `FILE:LINE: message`, one line
 * each on a stream. For one thread at a time.
 */
#ifndef TARN_TESTER_JSON_FILE_H
#define TARN_TESTER_JSON_FILE_H

#include "tester/json_places.h"

#include <stdio.h>

struct json_file {
    const char *path; /* borrowed from the caller of json_file_load() */
    FILE *errors;     /* the same */
    char *text;
    size_t len;
    cJSON *root;
    struct json_places places;
    unsigned fault_count; /* of json_file_complain() */
};

/* Reads the file. Returns 0, or -1 when it cannot be read or is not JSON, which has been told on
 * `errors`. *file is to be deinitialised in either case.
 */
int json_file_load(struct json_file *file, const char *path, FILE *errors);
void json_file_deinit(struct json_file *file);

/* Tells what is wrong with a value, and counts it. */
__attribute__((format(printf, 3, 4))) void
json_file_complain(struct json_file *file, const cJSON *node, const char *format, ...);

/* Complains of each member of an object whose name is none of `keys` (up to a NULL; the nearest one
 * is suggested), or that is there twice.
 */
void json_file_check_keys(struct json_file *file, const cJSON *object, const char *const *keys);

/* The value as it is written in the file. */
struct slice json_file_source(const struct json_file *file, const cJSON *node);

unsigned json_file_line(const struct json_file *file, const cJSON *node);

#endif
