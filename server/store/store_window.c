#include "server/store/store_window.h"

#include <stdlib.h>
#include <string.h>

#define ROOM ((size_t)2 * STORE_WINDOW_NAMES)

int store_window_init(struct store_window *window, const char *below)
{
    char(*names)[STORE_NAME_SIZE] = malloc(ROOM * sizeof(*names));
    if (names == NULL)
        return -1;
    *window = (struct store_window){.names = names, .is_last = true};
    memcpy(window->below, below, strnlen(below, STORE_NAME_SIZE - 1));
    return 0;
}

void store_window_deinit(struct store_window *window)
{
    free(window->names);
    *window = (struct store_window){0};
}

/* The place of the first name that is not older than this. */
static size_t find_place(const struct store_window *window, const char *name)
{
    size_t low = 0;
    size_t high = window->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(window->names[middle], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct store_window *window, size_t place, const char *name)
{
    return place < window->count && strcmp(window->names[place], name) == 0;
}

static bool is_below(const struct store_window *window, const char *name)
{
    return window->below[0] == '\0' || strcmp(name, window->below) < 0;
}

static void move(struct store_window *window, size_t to, size_t from)
{
    memmove(window->names[to], window->names[from],
            (window->count - from) * sizeof(*window->names));
}

/* Leaves out the oldest, when there is no room for another. */
static void make_room(struct store_window *window)
{
    if (window->count < ROOM)
        return;
    move(window, 0, window->count - STORE_WINDOW_NAMES);
    window->count = STORE_WINDOW_NAMES;
    window->is_last = false;
}

void store_window_add(struct store_window *window, const char *name)
{
    if (window->names == NULL || !is_below(window, name))
        return;
    make_room(window);
    size_t place = find_place(window, name);
    if (is_at(window, place, name) || (place == 0 && !window->is_last))
        return;
    move(window, place + 1, place);
    memcpy(window->names[place], name, strnlen(name, STORE_NAME_SIZE - 1) + 1);
    window->count++;
}

void store_window_remove(struct store_window *window, const char *name)
{
    size_t place = find_place(window, name);
    if (!is_at(window, place, name))
        return;
    move(window, place, place + 1);
    window->count--;
}

static int compare(const void *one, const void *other)
{
    return strcmp(one, other);
}

void store_window_sort(struct store_window *window)
{
    qsort(window->names, window->count, sizeof(*window->names), compare);
}

/* When the room is full it is sorted, and what is older than the newest half is left out; from then
 * on a name that is older than these is not even taken.
 */
void store_window_collect(struct store_window *window, const char *name)
{
    if (!is_below(window, name) || (!window->is_last && strcmp(name, window->names[0]) < 0))
        return;
    if (window->count == ROOM) {
        store_window_sort(window);
        make_room(window);
    }
    memcpy(window->names[window->count++], name, strnlen(name, STORE_NAME_SIZE - 1) + 1);
}

int store_window_read(const struct store_window *window, const char *before,
                      char (*names)[STORE_NAME_SIZE], size_t most)
{
    bool from_newest = before[0] == '\0';
    if (window->names == NULL || (from_newest && window->below[0] != '\0') ||
        (window->below[0] != '\0' && strcmp(before, window->below) > 0))
        return -1;
    size_t end = from_newest ? window->count : find_place(window, before);
    if (end < most && !window->is_last)
        return -1;
    size_t count = end < most ? end : most;
    for (size_t i = 0; i < count; i++)
        memcpy(names[i], window->names[end - 1 - i], STORE_NAME_SIZE);
    return (int)count;
}
