/* A binary heap of parked items, the earliest deadline on top; of equal ones, the item that came
 * first.
 *
 * Each item knows its place, so that it can be taken out of the middle. Not thread-safe: the
 * parked set guards it. It owns the array, never the items.
 */
#ifndef TARN_POOL_DEADLINE_HEAP_H
#define TARN_POOL_DEADLINE_HEAP_H

#include "pool/item.h"

#include <stddef.h>

struct deadline_entry {
    int64_t deadline_ms; /* beside the pointer, so that sifting does not touch the items */
    uint64_t arrival;    /* number of items that had been added before */
    struct pool_item *item;
};

/* Zeroed memory is an empty heap. */
struct deadline_heap {
    struct deadline_entry *entries;
    size_t count;
    size_t capacity;
    uint64_t arrivals; /* items that have been added so far */
};

void deadline_heap_deinit(struct deadline_heap *heap);

/* Adds an item under its deadline_ms. Returns 0, or -1 with ENOMEM. */
int deadline_heap_add(struct deadline_heap *heap, struct pool_item *item);

/* Takes out an item that is in this heap. */
void deadline_heap_remove(struct deadline_heap *heap, struct pool_item *item);

/* The item with the earliest deadline; NULL when the heap is empty. */
struct pool_item *deadline_heap_first(const struct deadline_heap *heap);

#endif
