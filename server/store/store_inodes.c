#include "server/store/store_inodes.h"

#include <stdint.h>
#include <stdlib.h>

#define SLOTS (2 * (size_t)STORE_INODES_MAX)

struct store_inodes *store_inodes_create(void)
{
    return calloc(1, sizeof(struct store_inodes));
}

/* Where the number is, or the free slot where it belongs; half of the slots are free. */
static size_t find_slot(const struct store_inodes *inodes, ino_t inode)
{
    size_t slot = (size_t)((uint64_t)inode * UINT64_C(0x9e3779b97f4a7c15) >> 32) % SLOTS;
    while (inodes->slots[slot] != 0 && inodes->slots[slot] != inode)
        slot = (slot + 1) % SLOTS;
    return slot;
}

bool store_inodes_add(struct store_inodes *inodes, ino_t inode)
{
    size_t slot = find_slot(inodes, inode);
    if (inodes->slots[slot] == inode)
        return true;
    if (inodes->count == STORE_INODES_MAX)
        return false;
    inodes->slots[slot] = inode;
    inodes->count++;
    return true;
}

bool store_inodes_has(const struct store_inodes *inodes, ino_t inode)
{
    return inodes->slots[find_slot(inodes, inode)] == inode;
}
