/* A place for test input that ends at a protected page, so that reading one byte beyond the input
 * ends the test. Also sees what AddressSanitizer sees, in builds without it.
 */
#ifndef TARN_TESTS_UNIT_GUARD_H
#define TARN_TESTS_UNIT_GUARD_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard {
    char *base;
    size_t size; /* usable bytes; the protected page follows */
    size_t page_size;
};

/* With room for `size` bytes at least. Ends the test program if there is no memory. */
static inline struct guard guard_create(size_t size)
{
    struct guard guard = {.page_size = (size_t)sysconf(_SC_PAGESIZE)};
    guard.size = (size / guard.page_size + 1) * guard.page_size;
    guard.base = mmap(NULL, guard.size + guard.page_size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (guard.base == MAP_FAILED ||
        mprotect(guard.base + guard.size, guard.page_size, PROT_NONE) != 0)
        abort();
    return guard;
}

/* Copies the bytes so that the last one stands right before the protected page. The copy lives
 * until the next call.
 */
static inline const char *guard_place(const struct guard *guard, const void *bytes, size_t len)
{
    if (len > guard->size)
        abort();
    char *copy = guard->base + guard->size - len;
    if (len > 0)
        memmove(copy, bytes, len);
    return copy;
}

static inline void guard_destroy(struct guard *guard)
{
    (void)munmap(guard->base, guard->size + guard->page_size);
    guard->base = NULL;
}

#endif
