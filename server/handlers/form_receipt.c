#include "server/handlers/form_receipt.h"

#include "http/accept.h"
#include "server/handlers/receipt.h"

#include <cjson/cJSON.h>

static bool prefers_html(const struct head *head)
{
    bool by_name;
    unsigned html = accept_quality(head, SLICE("text/html;charset=utf-8"), &by_name);
    return by_name && html > 0 && html >= accept_quality(head, SLICE("application/json"), NULL);
}

static bool describe(cJSON *receipt, const struct request *request,
                     const struct form_stored *stored)
{
    struct text path = request->content;
    cJSON *files = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(stored->record, "files"), true);
    if (receipt_append_path(&path, request->site->config, stored->name) &&
        cJSON_AddStringToObject(receipt, "path", path.data) &&
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
    if (prefers_html(&request->exchange->head)) {
        response->status = HTTP_SEE_OTHER;
        response->content = RESPONSE_BYTES;
        receipt_add_location(request, SLICE("/form/"), stored->name);
        return;
    }
    receipt_add_location(request, SLICE("/uploads/"), stored->name);
    receipt_answer(request, print_receipt(request, stored), SLICE("{}"));
}
