#include "tests/support/failing_memory.h"

#include <errno.h>
#include <stddef.h>

/* The linker's names for an option --wrap=malloc: ours, and what it stands before. */
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);

static _Thread_local bool limited;
static _Thread_local bool failed;
static _Thread_local unsigned left;

void failing_memory_after(unsigned count)
{
    limited = true;
    failed = false;
    left = count;
}

bool failing_memory_end(void)
{
    limited = false;
    return failed;
}

static bool is_out(void)
{
    if (!limited || left-- > 0)
        return false;
    left = 0;
    failed = true;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return is_out() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_out() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return is_out() ? NULL : __real_realloc(memory, size);
}
