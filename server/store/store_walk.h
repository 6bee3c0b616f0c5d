/* A walk over all objects of a store, in no order. */
#ifndef TARN_SERVER_STORE_STORE_WALK_H
#define TARN_SERVER_STORE_STORE_WALK_H

#include <stdbool.h>
#include <sys/stat.h>

struct store_walk {
    /* Called for each object. Returns whether to go on. */
    bool (*visit)(const char *name, const struct stat *info, void *context);
    void *context;
};

/* Walks over the objects in a folder: regular files whose names have no dot first. What comes or
 * goes meanwhile may be visited or not. Returns 0, also if a visit has ended it; or -1 with errno.
 */
int store_walk(int folder, const struct store_walk *walk);

#endif
