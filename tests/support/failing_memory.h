/* Memory that runs out. All tests are linked so that the project's calls of malloc(), calloc() and
 * realloc() come through here; they succeed unless a test says otherwise.
 */
#ifndef TARN_TESTS_SUPPORT_FAILING_MEMORY_H
#define TARN_TESTS_SUPPORT_FAILING_MEMORY_H

#include <stdbool.h>

/* Lets the next `count` allocations succeed and all later ones fail with ENOMEM. */
void failing_memory_after(unsigned count);

/* Lets all succeed again. Returns whether one has failed. */
bool failing_memory_end(void);

#endif
