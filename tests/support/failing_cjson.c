#include "tests/support/failing_cjson.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

static unsigned left;

static void *allocate_a_few(size_t size)
{
    return left > 0 && left-- > 0 ? malloc(size) : NULL;
}

void failing_cjson_after(unsigned count)
{
    cJSON_Hooks hooks = {.malloc_fn = allocate_a_few, .free_fn = free};
    left = count;
    cJSON_InitHooks(&hooks);
}

void failing_cjson_end(void)
{
    cJSON_InitHooks(NULL);
}
