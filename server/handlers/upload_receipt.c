#include "server/handlers/upload_receipt.h"

#include "server/handlers/receipt.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

struct receipt {
    const struct config *config;
    struct text path; /* where paths are put together */
    const struct digest *digest;
    unsigned algorithm; /* of the digest that is told; 0: none */
};

static bool print_path(struct receipt *receipt, const char *name)
{
    receipt->path.len = 0;
    return receipt_append_path(&receipt->path, receipt->config, name);
}

/* Returns the object, owned by the caller; NULL without memory. */
static char *print_document(struct receipt *receipt, const struct upload_document *document)
{
    const char *durability = receipt->config->uploads.durability;
    char *printed = NULL;
    cJSON *object = cJSON_CreateObject();
    if (object && print_path(receipt, document->name) &&
        cJSON_AddStringToObject(object, "path", receipt->path.data) &&
        cJSON_AddStringToObject(object, "name", document->name) &&
        cJSON_AddNumberToObject(object, "bytes", (double)document->bytes) &&
        cJSON_AddStringToObject(object, "durability", durability) &&
        receipt_add_digest(object, receipt->digest, receipt->algorithm))
        printed = cJSON_PrintUnformatted(object);
    cJSON_Delete(object);
    return printed;
}

/* Object by object, so that no tree of a whole batch is built. All are about as long as the first:
 * their numbers and names have so many digits at the most.
 */
#define LONGER_THAN_FIRST_MAX 48

/* Returns the array, owned by the caller; NULL without memory. */
static char *print_batch(struct receipt *receipt, const struct upload_record *record)
{
    char *first = print_document(receipt, &record->documents[0]);
    size_t size = first ? (strlen(first) + LONGER_THAN_FIRST_MAX) * record->count + 3 : 0;
    char *printed = first ? malloc(size) : NULL;
    struct text text = text_over(printed, printed ? size - 1 : 0);
    for (size_t i = 0; printed && i < record->count; i++) {
        char *object = i == 0 ? first : print_document(receipt, &record->documents[i]);
        text_append_char(&text, i == 0 ? '[' : ',');
        text_append(&text, slice_from_string(object));
        text.truncated |= !object;
        if (i > 0)
            cJSON_free(object);
    }
    cJSON_free(first);
    text_append_char(&text, ']');
    if (printed && !text.truncated) {
        printed[text.len] = '\0';
        return printed;
    }
    free(printed);
    return NULL;
}

void upload_receipt_answer(struct request *request, const struct upload_record *record,
                           const struct digest *digest, unsigned asked_for)
{
    struct receipt receipt = {
        .config = request->site->config,
        .path = request->content,
        .digest = digest,
        .algorithm = record->is_batch ? 0 : asked_for,
    };
    receipt_add_location(request, SLICE("/uploads/"), record->documents[0].name);
    if (record->is_batch)
        receipt_answer(request, print_batch(&receipt, record), SLICE("[]"));
    else
        receipt_answer(request, print_document(&receipt, &record->documents[0]), SLICE("{}"));
}
