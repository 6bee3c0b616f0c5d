/* Some of the names of a store's documents, in their order: the newest of all, or the newest below
 * a certain name. Not shared between threads.
 */
#ifndef TARN_SERVER_STORE_STORE_WINDOW_H
#define TARN_SERVER_STORE_STORE_WINDOW_H

#include "server/store/store_name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Names that a window keeps. Twice as many find room, so that a new one rarely moves the others. */
#define STORE_WINDOW_NAMES 8192

struct store_window {
    char (*names)[STORE_NAME_SIZE]; /* owned, ascending; NULL: no window */
    size_t count;
    bool is_last;                /* no older names were left out */
    char below[STORE_NAME_SIZE]; /* all are older than this; empty: they are the newest */
    int64_t read_ns;             /* when the names were read */
};

/* Makes an empty window. Returns 0, or -1 with errno. */
int store_window_init(struct store_window *window, const char *below);
void store_window_deinit(struct store_window *window);

/* Adds a name, unless it is there, is not older than `below`, or is older than what was left out.
 */
void store_window_add(struct store_window *window, const char *name);
void store_window_remove(struct store_window *window, const char *name);

/* Adds a name at the end, out of order, while a folder is read; then store_window_sort(). */
void store_window_collect(struct store_window *window, const char *name);
void store_window_sort(struct store_window *window);

/* Gives up to `most` names older than `before` (empty: from the newest on), the newest first.
 * Returns how many; -1 if the window does not know.
 */
int store_window_read(const struct store_window *window, const char *before,
                      char (*names)[STORE_NAME_SIZE], size_t most);

#endif
