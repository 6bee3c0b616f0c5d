#include "tester/plan_request.h"

#include "http/octet.h"
#include "tester/variables.h"
#include "tester/whole_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)1 << 30)

static const char *const keys[] = {"name", "method",   "url",  "headers", "data", "json",
                                   "body", "bodyFile", "file", "expect",  "save", NULL};

const cJSON *plan_member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

const char *plan_text(struct json_file *file, const cJSON *object, const char *name)
{
    const cJSON *member = plan_member(object, name);
    if (member == NULL)
        return NULL;
    if (cJSON_IsString(member) && member->valuestring[0] != '\0')
        return member->valuestring;
    json_file_complain(file, member, "\"%s\" must be a text that is not empty", name);
    return NULL;
}

int plan_read_bytes(struct json_file *file, const cJSON *node, struct plan_bytes *out)
{
    if (!cJSON_IsString(node)) {
        json_file_complain(file, node, "\"%s\" must be the path of a file", node->string);
        return -1;
    }
    char *path = whole_file_path_beside(file->path, node->valuestring);
    int result = path == NULL ? -1 : 0;
    if (result == 0)
        result = whole_file_read(path, FILE_BYTES_MAX, &out->bytes, &out->len);
    if (result != 0)
        json_file_complain(file, node, "\"%s\": %s: %s", node->string,
                           path == NULL ? node->valuestring : path, strerrordesc_np(errno));
    free(path);
    return result;
}

static bool is_token(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && octet_span(text, len, OCTET_TOKEN) == len;
}

static bool is_field_value(const char *text)
{
    size_t len = strlen(text);
    return octet_span(text, len, OCTET_FIELD) == len;
}

void plan_check_fields(struct json_file *file, const cJSON *headers,
                       bool (*is_other)(const cJSON *value), const char *form)
{
    if (!cJSON_IsObject(headers)) {
        json_file_complain(file, headers, "\"headers\" must be an object: {\"Accept\": \"*/*\"}");
        return;
    }
    const cJSON *field;
    cJSON_ArrayForEach(field, headers)
    {
        bool is_text = cJSON_IsString(field);
        if (!is_token(field->string))
            json_file_complain(file, field, "\"%s\" cannot be the name of a header field",
                               field->string);
        else if (is_text && !is_field_value(field->valuestring))
            json_file_complain(file, field, "\"%s\" holds a control character", field->string);
        else if (!is_text && !is_other(field))
            json_file_complain(file, field, "\"%s\" must be %s", field->string, form);
    }
}

static bool is_null(const cJSON *value)
{
    return cJSON_IsNull(value);
}

static void read_headers(struct json_file *file, const cJSON *node, struct plan_request *request)
{
    request->headers = plan_member(node, "headers");
    if (request->headers != NULL)
        plan_check_fields(file, request->headers, is_null,
                          "a text, or null to leave out what would be sent unasked");
}

static void read_method(struct json_file *file, const cJSON *node, struct plan_request *request)
{
    const char *method = plan_text(file, node, "method");
    request->method = request->content == PLAN_NO_CONTENT ? "GET" : "POST";
    if (method == NULL)
        return;
    request->method = method;
    if (!is_token(method) || strcmp(method, "CONNECT") == 0)
        json_file_complain(file, plan_member(node, "method"), "\"method\": %s cannot be sent",
                           method);
    /* A POST without content says so by a length of 0 (RFC 9110 section 8.6). */
    if (strcmp(method, "POST") == 0 && request->content == PLAN_NO_CONTENT)
        request->content = PLAN_BYTES;
    if (strcmp(method, "HEAD") == 0 && request->content != PLAN_NO_CONTENT)
        json_file_complain(file, plan_member(node, "method"), "HEAD is sent without content");
}

static void read_save(struct json_file *file, const cJSON *node, struct plan_request *request)
{
    const cJSON *variable;
    request->save = plan_member(node, "save");
    cJSON_ArrayForEach(variable, request->save)
    {
        if (variable->string == NULL || !variables_is_name(slice_from_string(variable->string)) ||
            !cJSON_IsString(variable) || !is_token(variable->valuestring)) {
            json_file_complain(file, variable,
                               "\"save\" must be names of header fields by names "
                               "of letters: {\"location\": \"Location\"}");
            return;
        }
    }
    if (request->save != NULL && !cJSON_IsObject(request->save))
        json_file_complain(file, request->save, "\"save\" must be an object");
}

static void read_url(struct json_file *file, const cJSON *node, struct plan_request *request)
{
    request->url = plan_text(file, node, "url");
    if (plan_member(node, "url") == NULL)
        json_file_complain(file, node, "the request has no \"url\"");
}

void plan_request_read(struct json_file *file, const cJSON *node, struct plan_request *request)
{
    request->line = json_file_line(file, node);
    if (!cJSON_IsObject(node)) {
        json_file_complain(file, node, "a request must be an object: {\"url\": \"/\"}");
        return;
    }
    json_file_check_keys(file, node, keys);
    request->name = plan_text(file, node, "name");
    read_url(file, node, request);
    read_headers(file, node, request);
    plan_content_read(file, node, request);
    read_method(file, node, request);
    read_save(file, node, request);
    plan_expect_read(file, node, &request->expect);
}
