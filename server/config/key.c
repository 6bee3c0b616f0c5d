#include "server/config/key.h"

#include <string.h>

/* Longer names are not compared for likeness. */
#define LIKENESS_NAME_MAX 64

const struct key *key_find(struct slice name)
{
    for (size_t i = 0; i < key_count; i++) {
        if (slice_equal(name, slice_from_string(key_table[i].name)))
            return &key_table[i];
    }
    return NULL;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance, with one row of the matrix: row[j] is the distance of the bytes of `a`
 * seen so far to the first j bytes of `b`.
 */
static size_t edit_distance(struct slice a, struct slice b)
{
    size_t row[LIKENESS_NAME_MAX + 1];

    if (a.len > LIKENESS_NAME_MAX || b.len > LIKENESS_NAME_MAX)
        return SIZE_MAX / 2;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 0; i < a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b.len; j++) {
            size_t replaced = diagonal + (a.data[i] != b.data[j]);
            diagonal = row[j + 1];
            row[j + 1] = smaller(replaced, smaller(row[j], diagonal) + 1);
        }
    }
    return row[b.len];
}

/* What follows the last dot. */
static struct slice last_part(struct slice name)
{
    size_t start = name.len;
    while (start > 0 && name.data[start - 1] != '.')
        start--;
    return (struct slice){name.data + start, name.len - start};
}

/* How far the name is from a known one, SIZE_MAX if too far to be meant. A missing group ("port"
 * for "listen.port") counts as one edit, and one that is quite another as three, so that a misspelt
 * group is nearer.
 */
static size_t distance_to(struct slice name, struct slice known)
{
    struct slice rest = last_part(name);
    size_t group_distance = rest.len == name.len ? 1 : 3;
    size_t rest_distance = edit_distance(rest, last_part(known));
    size_t whole_distance = edit_distance(name, known);

    if (rest_distance <= rest.len / 4)
        return smaller(whole_distance, rest_distance + group_distance);
    return whole_distance <= 1 + name.len / 4 ? whole_distance : SIZE_MAX;
}

const struct key *key_nearest(struct slice name)
{
    const struct key *nearest = NULL;
    size_t least = SIZE_MAX;

    for (size_t i = 0; i < key_count; i++) {
        size_t distance = distance_to(name, slice_from_string(key_table[i].name));
        if (distance < least) {
            least = distance;
            nearest = &key_table[i];
        }
    }
    return nearest;
}

bool key_is_group(struct slice name)
{
    for (size_t i = 0; i < key_count; i++) {
        const char *dot = strchr(key_table[i].name, '.');
        if (dot == NULL)
            continue;
        struct slice group = {key_table[i].name, (size_t)(dot - key_table[i].name)};
        if (slice_equal(name, group))
            return true;
    }
    return false;
}

void *key_slot(struct config *config, const struct key *key)
{
    return (char *)config + key->offset;
}

const void *key_slot_const(const struct config *config, const struct key *key)
{
    return (const char *)config + key->offset;
}

static bool lists_equal(const struct string_list *one, const struct string_list *other)
{
    if (one->count != other->count)
        return false;
    for (size_t i = 0; i < one->count; i++) {
        if (strcmp(one->items[i], other->items[i]) != 0)
            return false;
    }
    return true;
}

static bool values_equal(const struct key *key, const void *one, const void *other)
{
    switch (key->type) {
    case KEY_INTEGER:
        return *(const int64_t *)one == *(const int64_t *)other;
    case KEY_BOOLEAN:
        return *(const bool *)one == *(const bool *)other;
    case KEY_LIST:
        return lists_equal(one, other);
    case KEY_STRING:
    case KEY_CHOICE:
    case KEY_PATH:
    case KEY_SINK:
        break;
    }
    return strcmp(*(char *const *)one, *(char *const *)other) == 0;
}

const struct key *key_find_fixed(const struct config *one, const struct config *other,
                                 const struct key *after)
{
    for (const struct key *key = after ? after + 1 : key_table; key < key_table + key_count;
         key++) {
        if (key->is_fixed &&
            !values_equal(key, key_slot_const(one, key), key_slot_const(other, key)))
            return key;
    }
    return NULL;
}
