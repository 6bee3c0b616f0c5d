/* Where the values of a JSON text stand in it. cJSON forgets that, but it keeps the order of
 * everything: the values, in the order in which they begin in the text, are the nodes of the tree,
 * a parent before its children. Any thread may read.
 */
#ifndef TARN_TESTER_JSON_PLACES_H
#define TARN_TESTER_JSON_PLACES_H

#include "http/slice.h"

#include <cjson/cJSON.h>

struct json_place {
    const cJSON *node;
    const char *begin; /* the value's first byte */
    unsigned line;     /* from 1; of a member's name, else of that byte */
};

struct json_places {
    struct slice text;
    struct json_place *list; /* sorted by the nodes' addresses */
    size_t count;
    size_t size;
};

/* Finds the places of all nodes. `text`, which is borrowed, is valid JSON, and `root` what cJSON
 * made of it; its depth is bounded by whoever read it. Returns 0, or -1 when there is no memory;
 * *places is to be deinitialised in either case.
 */
int json_places_init(struct json_places *places, struct slice text, const cJSON *root);
void json_places_deinit(struct json_places *places);

/* Of the root, or of a node below it. */
unsigned json_places_line(const struct json_places *places, const cJSON *node);

/* The value as written, without its name: a part of the text. */
struct slice json_places_source(const struct json_places *places, const cJSON *node);

#endif
