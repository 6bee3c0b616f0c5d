#include "server/handlers/form_receipt.h"

#include "http/accept.h"

#include <cjson/cJSON.h>

static bool prefers_html(const struct head *head)
{
    bool by_name;
    unsigned html = accept_quality(head, SLICE("text/html;charset=utf-8"), &by_name);
    return by_name && html > 0 && html >= accept_quality(head, SLICE("application/json"), NULL);
}

static void add_location(struct response *response, struct slice folder, const char *name)
{
    text_append(&response->fields, SLICE("Location: "));
    text_append(&response->fields, folder);
    text_append(&response->fields, slice_from_string(name));
    text_append(&response->fields, SLICE("\r\n"));
}

/* The path that the answer names, NUL-terminated: never one of the machine. */
static void append_shown_path(struct text *path, const struct config *config, const char *name)
{
    const char *directory = config->uploads_as_written;
    text_append(path, slice_from_string(directory[0] == '/' ? "uploads" : directory));
    text_append_char(path, '/');
    text_append(path, slice_from_string(name));
    text_append_char(path, '\0');
}

static bool describe(cJSON *receipt, const struct request *request,
                     const struct form_stored *stored)
{
    struct text path = request->content;
    append_shown_path(&path, request->site->config, stored->name);
    cJSON *files = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(stored->record, "files"), true);
    if (!path.truncated && cJSON_AddStringToObject(receipt, "path", path.data) &&
        cJSON_AddStringToObject(receipt, "name", stored->name) &&
        cJSON_AddNumberToObject(receipt, "bytes", (double)stored->bytes) &&
        cJSON_AddStringToObject(receipt, "durability", request->site->config->uploads.durability) &&
        cJSON_AddItemToObject(receipt, "files", files))
        return true;
    cJSON_Delete(files);
    return false;
}

/* Returns the document, owned by the caller; NULL without memory. */
static char *print_receipt(const struct request *request, const struct form_stored *stored)
{
    cJSON *receipt = cJSON_CreateObject();
    char *printed =
        receipt && describe(receipt, request, stored) ? cJSON_PrintUnformatted(receipt) : NULL;
    cJSON_Delete(receipt);
    return printed;
}

void form_receipt_answer(struct request *request, const struct form_stored *stored)
{
    struct response *response = &request->exchange->response;
    response->content = RESPONSE_BYTES;
    if (prefers_html(&request->exchange->head)) {
        response->status = HTTP_SEE_OTHER;
        add_location(response, SLICE("/form/"), stored->name);
        return;
    }
    /* It is on the disk: without memory for more, the status and the Location say so. */
    response->status = HTTP_CREATED;
    add_location(response, SLICE("/uploads/"), stored->name);
    response->media_type = SLICE("application/json");
    response->owned = print_receipt(request, stored);
    response->bytes = response->owned ? slice_from_string(response->owned) : SLICE("{}");
}
