#include "server/handlers/listing_json.h"

#include <cjson/cJSON.h>

static bool describe(cJSON *object, const struct listing_entry *entry)
{
    char modified[LISTING_TIME_LEN + 1];
    listing_entries_format_time(entry->modified, modified);
    const char *type = entry->is_directory ? "directory" : "file";
    return cJSON_AddStringToObject(object, "name", entry->name) &&
           cJSON_AddStringToObject(object, "type", type) &&
           (entry->is_directory ||
            cJSON_AddNumberToObject(object, "bytes", (double)entry->bytes)) &&
           cJSON_AddStringToObject(object, "modified", modified);
}

static bool add_entries(cJSON *array, const struct listing_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        cJSON *object = cJSON_CreateObject();
        if (!object || !describe(object, entries->items[i])) {
            cJSON_Delete(object);
            return false;
        }
        (void)cJSON_AddItemToArray(array, object); /* fails for NULL only */
    }
    return true;
}

char *listing_json_print(struct slice path, const struct listing_entries *entries)
{
    char *printed = NULL;
    cJSON *array;
    cJSON *listing = cJSON_CreateObject();
    if (listing && cJSON_AddStringToObject(listing, "path", path.data) &&
        (array = cJSON_AddArrayToObject(listing, "entries")) != NULL &&
        add_entries(array, entries) &&
        (!entries->has_more || cJSON_AddTrueToObject(listing, "truncated")))
        printed = cJSON_PrintUnformatted(listing);
    cJSON_Delete(listing);
    return printed;
}
