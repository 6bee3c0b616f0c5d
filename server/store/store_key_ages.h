/* The records of store_keys by age, in memory. Not thread-safe: the caller guards it. */
#ifndef TARN_SERVER_STORE_STORE_KEY_AGES_H
#define TARN_SERVER_STORE_STORE_KEY_AGES_H

#include "server/store/store_keys.h"

struct store_key_age {
    unsigned char id[STORE_KEY_BYTES];
    int64_t written_ns; /* the file's time stamp */
};

/* A queue: the oldest first. All zero: empty. */
struct store_key_ages {
    struct store_key_age *items; /* owned */
    size_t first;
    size_t count;
    size_t size;
};

void store_key_ages_deinit(struct store_key_ages *ages);

/* Adds one that is younger than all others. Returns 0, or -1 with ENOMEM. */
int store_key_ages_add(struct store_key_ages *ages, const struct store_key_age *age);

/* Leaves out of *older what is among *ages too. */
void store_key_ages_drop_common(const struct store_key_ages *ages, struct store_key_ages *older);

/* Moves all of *older, which are older than all others and in any order, to the front; *older is
 * empty then. Returns 0, or -1 with ENOMEM.
 */
int store_key_ages_prepend(struct store_key_ages *ages, struct store_key_ages *older);

/* Takes the oldest out if there are more than `most`, or it was written at `expired_ns` or before.
 * Returns whether there was one.
 */
bool store_key_ages_take(struct store_key_ages *ages, size_t most, int64_t expired_ns,
                         struct store_key_age *out);

#endif
