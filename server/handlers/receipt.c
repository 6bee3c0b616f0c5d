#include "server/handlers/receipt.h"

#include <cjson/cJSON.h>

/* A member of a dictionary with the longest digest, and a NUL. */
#define DIGEST_TEXT_SIZE 112

void receipt_add_location(struct request *request, struct slice folder, const char *name)
{
    struct text *fields = &request->exchange->response.fields;
    text_append(fields, SLICE("Location: "));
    text_append(fields, folder);
    text_append_percent(fields, slice_from_string(name));
    text_append(fields, SLICE("\r\n"));
}

void receipt_answer(struct request *request, char *printed, struct slice otherwise)
{
    struct response *response = &request->exchange->response;
    response->status = HTTP_CREATED;
    response_set_text(response, printed, SLICE("application/json"));
    if (!printed)
        response->bytes = otherwise;
}

bool receipt_append_path(struct text *out, const struct config *config, const char *name)
{
    struct slice folder = slice_from_string(config->uploads_as_written);
    if (slice_starts_with(folder, SLICE("/")))
        folder = SLICE("uploads");
    while (folder.len > 0 && folder.data[folder.len - 1] == '/')
        folder.len--;
    text_append(out, folder);
    text_append_char(out, '/');
    text_append(out, slice_from_string(name));
    text_append_char(out, '\0');
    return !out->truncated;
}

bool receipt_add_digest(cJSON *receipt, const struct digest *digest, unsigned algorithm)
{
    char buffer[DIGEST_TEXT_SIZE];
    struct text text = text_over(buffer, sizeof(buffer));
    if (algorithm == 0)
        return true;
    digest_append(&text, digest, algorithm);
    text_append_char(&text, '\0');
    return cJSON_AddStringToObject(receipt, "digest", buffer) != NULL;
}
