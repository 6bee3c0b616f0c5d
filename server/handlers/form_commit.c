#include "server/handlers/form_commit.h"

#include "server/handlers/form_record.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <string.h>

static struct form_fault commit_files(struct form_content *content)
{
    struct form_fault fault = FORM_FINE;
    struct form_entry entry;
    size_t cursor = 0;
    unsigned index = 0;
    while (fault.status == HTTP_GO_ON && form_entries_next(&content->entries, &cursor, &entry))
        if (entry.is_file)
            fault = form_files_commit(&content->files, index++, entry.value);
    return fault;
}

static struct form_fault store_text(const char *text, struct store *records,
                                    struct form_stored *stored)
{
    struct store_file file;
    stored->bytes = strlen(text);
    if (store_file_create(records, &file) == 0 &&
        store_file_append(&file, text, stored->bytes) == 0 &&
        store_file_commit(&file, stored->name) == 0)
        return FORM_FINE;
    struct form_fault fault = form_fault_of_errno(errno);
    store_file_discard(&file);
    return fault;
}

static struct form_fault store_record(struct form_content *content, struct form_stored *stored)
{
    struct form_fault fault = form_fault_of_errno(ENOMEM);
    stored->record = form_record_create(&content->entries, &content->files);
    char *text = stored->record ? cJSON_PrintUnformatted(stored->record) : NULL;
    if (text)
        fault = store_text(text, content->records, stored);
    cJSON_free(text);
    if (fault.status != HTTP_GO_ON)
        cJSON_Delete(stored->record);
    return fault;
}

struct form_fault form_commit(struct form_content *content, struct form_stored *out)
{
    struct form_stored stored = {.bytes = 0};
    struct form_fault fault = commit_files(content);
    if (fault.status == HTTP_GO_ON)
        fault = store_record(content, &stored);
    if (fault.status == HTTP_GO_ON)
        *out = stored;
    else
        form_files_withdraw(&content->files);
    return fault;
}
