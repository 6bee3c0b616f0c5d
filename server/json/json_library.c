#include "server/json/json_library.h"

#include <cjson/cJSON.h>

#define TEXT_OF(macro)      TEXT_OF_VALUE(macro)
#define TEXT_OF_VALUE(text) #text

/* cJSON_Version() would write to a buffer that all threads share. */
const char *json_library(void)
{
    return "cJSON " TEXT_OF(CJSON_VERSION_MAJOR) "." TEXT_OF(CJSON_VERSION_MINOR) "." TEXT_OF(
        CJSON_VERSION_PATCH);
}
