/* Memory that cannot be had. The functions are called before anything else in the process is, so
 * that they look up the real ones when they are first needed.
 */
#include "tests/faults/plan.h"

#include <errno.h>
#include <stdlib.h>

#define FAIL_WITHOUT_MEMORY(function, parameters, arguments)                                       \
    void *function parameters                                                                      \
    {                                                                                              \
        static void *(*_Atomic known)parameters;                                                   \
        void *(*real)parameters = known;                                                           \
        int error;                                                                                 \
        if (plan_fails(#function, &error)) {                                                       \
            errno = error;                                                                         \
            return NULL;                                                                           \
        }                                                                                          \
        if (!real) {                                                                               \
            plan_find_real(#function, &real);                                                      \
            known = real;                                                                          \
        }                                                                                          \
        return real arguments;                                                                     \
    }

FAIL_WITHOUT_MEMORY(malloc, (size_t size), (size))
FAIL_WITHOUT_MEMORY(calloc, (size_t count, size_t size), (count, size))
FAIL_WITHOUT_MEMORY(realloc, (void *block, size_t size), (block, size))
FAIL_WITHOUT_MEMORY(aligned_alloc, (size_t alignment, size_t size), (alignment, size))
