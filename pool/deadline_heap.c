#include "pool/deadline_heap.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define FIRST_CAPACITY 64

void deadline_heap_deinit(struct deadline_heap *heap)
{
    free(heap->entries);
    *heap = (struct deadline_heap){0};
}

static void place(struct deadline_heap *heap, size_t index, struct deadline_entry entry)
{
    heap->entries[index] = entry;
    entry.item->heap_index = (uint32_t)index;
}

static bool is_before(struct deadline_entry one, struct deadline_entry other)
{
    if (one.deadline_ms != other.deadline_ms)
        return one.deadline_ms < other.deadline_ms;
    return one.arrival < other.arrival;
}

static void sift_up(struct deadline_heap *heap, size_t index, struct deadline_entry entry)
{
    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (is_before(heap->entries[parent], entry))
            break;
        place(heap, index, heap->entries[parent]);
        index = parent;
    }
    place(heap, index, entry);
}

static void sift_down(struct deadline_heap *heap, size_t index, struct deadline_entry entry)
{
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && is_before(heap->entries[child + 1], heap->entries[child]))
            child++;
        if (is_before(entry, heap->entries[child]))
            break;
        place(heap, index, heap->entries[child]);
        index = child;
    }
    place(heap, index, entry);
}

static int grow(struct deadline_heap *heap)
{
    size_t capacity = heap->capacity ? heap->capacity * 2 : FIRST_CAPACITY;
    if (capacity > UINT32_MAX) {
        errno = ENOMEM;
        return -1;
    }
    struct deadline_entry *entries =
        reallocarray(heap->entries, capacity, sizeof(struct deadline_entry));
    if (!entries)
        return -1;
    heap->entries = entries;
    heap->capacity = capacity;
    return 0;
}

int deadline_heap_add(struct deadline_heap *heap, struct pool_item *item)
{
    if (heap->count == heap->capacity && grow(heap) != 0)
        return -1;
    struct deadline_entry entry = {item->deadline_ms, heap->arrivals++, item};
    sift_up(heap, heap->count++, entry);
    return 0;
}

void deadline_heap_remove(struct deadline_heap *heap, struct pool_item *item)
{
    size_t index = item->heap_index;
    assert(index < heap->count && heap->entries[index].item == item);

    struct deadline_entry last = heap->entries[--heap->count];
    if (last.item == item)
        return;
    if (index > 0 && is_before(last, heap->entries[(index - 1) / 2]))
        sift_up(heap, index, last);
    else
        sift_down(heap, index, last);
}

struct pool_item *deadline_heap_first(const struct deadline_heap *heap)
{
    return heap->count ? heap->entries[0].item : NULL;
}
