/* A set of inode numbers, of bounded size. Not thread-safe. */
#ifndef TARN_SERVER_STORE_STORE_INODES_H
#define TARN_SERVER_STORE_STORE_INODES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* So many fit in: half of the slots, so that looking up stays short. 0 is no inode's number. */
#define STORE_INODES_MAX 16384

struct store_inodes {
    size_t count;
    ino_t slots[2 * STORE_INODES_MAX];
};

/* Returns an empty set, or NULL with errno; free() frees it. */
struct store_inodes *store_inodes_create(void);

/* Returns false if the set is full and the number not in it. */
bool store_inodes_add(struct store_inodes *inodes, ino_t inode);
bool store_inodes_has(const struct store_inodes *inodes, ino_t inode);

#endif
