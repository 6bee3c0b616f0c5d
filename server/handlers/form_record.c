#include "server/handlers/form_record.h"

#include <cjson/cJSON.h>
#include <stdio.h>

/* The value of a field that has come before becomes the first of an array. Returns the array, or
 * NULL without memory.
 */
static cJSON *array_of(cJSON *fields, const char *name, cJSON *first)
{
    if (cJSON_IsArray(first))
        return first;
    cJSON *array = cJSON_CreateArray();
    cJSON *copy = cJSON_CreateString(first->valuestring);
    if (!array || !copy || !cJSON_AddItemToArray(array, copy)) {
        cJSON_Delete(copy);
        cJSON_Delete(array);
        return NULL;
    }
    if (!cJSON_ReplaceItemInObjectCaseSensitive(fields, name, array)) {
        cJSON_Delete(array);
        return NULL;
    }
    return array->string ? array : NULL; /* without memory for its name it is there all the same */
}

static bool add_field(cJSON *fields, const struct form_entry *entry)
{
    cJSON *before = cJSON_GetObjectItemCaseSensitive(fields, entry->name);
    if (!before)
        return cJSON_AddStringToObject(fields, entry->name, entry->value);
    cJSON *array = array_of(fields, entry->name, before);
    cJSON *value = array ? cJSON_CreateString(entry->value) : NULL;
    if (value && cJSON_AddItemToArray(array, value))
        return true;
    cJSON_Delete(value);
    return false;
}

static bool describe_file(cJSON *object, const struct form_entry *entry,
                          const struct form_file *file)
{
    char path[sizeof("/files/") + FORM_NAME_SIZE];
    (void)snprintf(path, sizeof(path), "/files/%s", file->name);
    return cJSON_AddStringToObject(object, "field", entry->name) &&
           cJSON_AddStringToObject(object, "filename", entry->value) &&
           (entry->media_type[0] == '\0' ||
            cJSON_AddStringToObject(object, "type", entry->media_type)) &&
           cJSON_AddStringToObject(object, "name", file->name) &&
           cJSON_AddStringToObject(object, "path", path) &&
           cJSON_AddNumberToObject(object, "bytes", (double)file->bytes);
}

static bool add_file(cJSON *array, const struct form_entry *entry, const struct form_file *file)
{
    cJSON *object = cJSON_CreateObject();
    if (object && describe_file(object, entry, file) && cJSON_AddItemToArray(array, object))
        return true;
    cJSON_Delete(object);
    return false;
}

static bool add_entries(cJSON *record, const struct form_entries *entries,
                        const struct form_files *files)
{
    cJSON *fields = cJSON_AddObjectToObject(record, "fields");
    cJSON *array = cJSON_AddArrayToObject(record, "files");
    struct form_entry entry;
    size_t cursor = 0;
    unsigned file = 0;
    bool complete = fields && array;
    while (complete && form_entries_next(entries, &cursor, &entry))
        complete = entry.is_file ? add_file(array, &entry, &files->items[file++])
                                 : add_field(fields, &entry);
    return complete;
}

cJSON *form_record_create(const struct form_entries *entries, const struct form_files *files)
{
    cJSON *record = cJSON_CreateObject();
    if (!record || add_entries(record, entries, files))
        return record;
    cJSON_Delete(record);
    return NULL;
}
