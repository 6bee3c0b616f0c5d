#include "tester/json_places.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 64

struct scan {
    const char *at;
    const char *end;
    unsigned line;
};

static bool is_white_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static void skip_white_space(struct scan *scan)
{
    while (scan->at < scan->end && is_white_space(*scan->at)) {
        if (*scan->at == '\n')
            scan->line++;
        scan->at++;
    }
}

/* No line ends within a string or another scalar. */
static void skip_string(struct scan *scan)
{
    for (scan->at++; *scan->at != '"'; scan->at++) {
        if (*scan->at == '\\')
            scan->at++;
    }
    scan->at++;
}

static void skip_scalar(struct scan *scan)
{
    if (*scan->at == '"') {
        skip_string(scan);
        return;
    }
    while (scan->at < scan->end && !is_white_space(*scan->at) && !strchr(",]}", *scan->at))
        scan->at++;
}

/* Goes to the first byte of the next value, which there is. Returns the line that the value is said
 * to be on. */
static unsigned go_to_value(struct scan *scan)
{
    unsigned name_line = 0;
    for (;;) {
        skip_white_space(scan);
        struct scan ahead = *scan;
        if (strchr(",:]}", *scan->at)) {
            scan->at++;
            continue;
        }
        if (*scan->at != '"')
            break;
        skip_string(&ahead);
        skip_white_space(&ahead);
        if (ahead.at == ahead.end || *ahead.at != ':')
            break;
        name_line = scan->line;
        *scan = ahead;
    }
    return name_line != 0 ? name_line : scan->line;
}

/* The end of the value that begins at scan->at. */
static const char *value_end(struct scan scan)
{
    size_t depth = 0;
    do {
        skip_white_space(&scan);
        if (strchr("[{", *scan.at))
            depth++;
        else if (strchr("]}", *scan.at))
            depth--;
        if (strchr("[{]},:", *scan.at))
            scan.at++;
        else
            skip_scalar(&scan);
    } while (depth > 0);
    return scan.at;
}

static int add_place(struct json_places *places, struct json_place place)
{
    if (places->count == places->size) {
        size_t size = places->size == 0 ? FIRST_SIZE : places->size * 2;
        struct json_place *list = realloc(places->list, size * sizeof *list);
        if (list == NULL)
            return -1;
        places->list = list;
        places->size = size;
    }
    places->list[places->count++] = place;
    return 0;
}

/* Walks through the text and the tree, side by side. */
static int add_places(struct json_places *places, struct scan *scan, const cJSON *node)
{
    unsigned line = go_to_value(scan);
    if (add_place(places, (struct json_place){node, scan->at, line}) != 0)
        return -1;
    if (!cJSON_IsArray(node) && !cJSON_IsObject(node)) {
        skip_scalar(scan);
        return 0;
    }
    scan->at++;
    const cJSON *child;
    cJSON_ArrayForEach(child, node)
    {
        if (add_places(places, scan, child) != 0)
            return -1;
    }
    return 0;
}

static int compare_places(const void *a, const void *b)
{
    const struct json_place *first = a;
    const struct json_place *second = b;
    return (first->node > second->node) - (first->node < second->node);
}

int json_places_init(struct json_places *places, struct slice text, const cJSON *root)
{
    struct scan scan = {text.data, text.data + text.len, 1};
    *places = (struct json_places){.text = text};
    if (add_places(places, &scan, root) != 0)
        return -1;
    qsort(places->list, places->count, sizeof *places->list, compare_places);
    return 0;
}

void json_places_deinit(struct json_places *places)
{
    free(places->list);
    *places = (struct json_places){0};
}

static const struct json_place *find(const struct json_places *places, const cJSON *node)
{
    struct json_place wanted = {.node = node};
    const struct json_place *place =
        bsearch(&wanted, places->list, places->count, sizeof wanted, compare_places);
    assert(place != NULL);
    return place;
}

unsigned json_places_line(const struct json_places *places, const cJSON *node)
{
    return find(places, node)->line;
}

struct slice json_places_source(const struct json_places *places, const cJSON *node)
{
    const char *begin = find(places, node)->begin;
    struct scan scan = {begin, places->text.data + places->text.len, 1};
    return (struct slice){begin, (size_t)(value_end(scan) - begin)};
}
