#include "server/store/store_key_ages.h"

#include <stdlib.h>
#include <string.h>

#define SIZE_AT_FIRST 64

void store_key_ages_deinit(struct store_key_ages *ages)
{
    free(ages->items);
    *ages = (struct store_key_ages){0};
}

/* Makes room for one more behind the last. */
static int reserve(struct store_key_ages *ages)
{
    if (ages->first + ages->count < ages->size)
        return 0;
    if (ages->first > ages->size / 2) {
        memmove(ages->items, ages->items + ages->first, ages->count * sizeof *ages->items);
        ages->first = 0;
        return 0;
    }
    size_t size = ages->size > 0 ? 2 * ages->size : SIZE_AT_FIRST;
    struct store_key_age *items = realloc(ages->items, size * sizeof *items);
    if (items == NULL)
        return -1;
    ages->items = items;
    ages->size = size;
    return 0;
}

int store_key_ages_add(struct store_key_ages *ages, const struct store_key_age *age)
{
    if (reserve(ages) != 0)
        return -1;
    ages->items[ages->first + ages->count++] = *age;
    return 0;
}

static int compare(const void *a, const void *b)
{
    int64_t first = ((const struct store_key_age *)a)->written_ns;
    int64_t second = ((const struct store_key_age *)b)->written_ns;
    return (first > second) - (first < second);
}

static bool contains(const struct store_key_ages *ages, const struct store_key_age *age)
{
    for (size_t i = 0; i < ages->count; i++)
        if (memcmp(ages->items[ages->first + i].id, age->id, sizeof age->id) == 0)
            return true;
    return false;
}

void store_key_ages_drop_common(const struct store_key_ages *ages, struct store_key_ages *older)
{
    size_t kept = 0;
    for (size_t i = 0; i < older->count; i++)
        if (!contains(ages, &older->items[older->first + i]))
            older->items[older->first + kept++] = older->items[older->first + i];
    older->count = kept;
}

int store_key_ages_prepend(struct store_key_ages *ages, struct store_key_ages *older)
{
    if (older->count > 0)
        qsort(older->items + older->first, older->count, sizeof *older->items, compare);
    for (size_t i = 0; i < ages->count; i++)
        if (store_key_ages_add(older, &ages->items[ages->first + i]) != 0) {
            older->count -= i;
            return -1;
        }
    free(ages->items);
    *ages = *older;
    *older = (struct store_key_ages){0};
    return 0;
}

bool store_key_ages_take(struct store_key_ages *ages, size_t most, int64_t expired_ns,
                         struct store_key_age *out)
{
    if (ages->count == 0)
        return false;
    if (ages->count <= most && ages->items[ages->first].written_ns > expired_ns)
        return false;
    *out = ages->items[ages->first++];
    ages->count--;
    return true;
}
