/* The content of a request: form fields, JSON, bytes, files. */
#include "http/octet.h"
#include "tester/plan_request.h"
#include "tester/whole_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const file_keys[] = {"name", "path", "fileType", NULL};

static void complain_of_memory(struct json_file *file, const cJSON *node)
{
    json_file_complain(file, node, "out of memory");
}

/* --- values of fields -------------------------------------------------------------------- */

static bool is_scalar(const cJSON *node)
{
    return cJSON_IsString(node) || cJSON_IsNumber(node) || cJSON_IsBool(node);
}

/* A text as it is, a number and a truth value as written. The caller frees it. */
static char *scalar_text(struct json_file *file, const cJSON *node)
{
    struct slice source = json_file_source(file, node);
    char *text =
        cJSON_IsString(node) ? strdup(node->valuestring) : strndup(source.data, source.len);
    if (text == NULL)
        complain_of_memory(file, node);
    return text;
}

/* Takes a field of a form; `value` is a scalar. */
typedef void take_field_fn(struct json_file *file, const char *name, const cJSON *value,
                           void *context);

static void each_value(struct json_file *file, const cJSON *list, take_field_fn *take,
                       void *context)
{
    const cJSON *value;
    cJSON_ArrayForEach(value, list)
    {
        if (is_scalar(value))
            take(file, list->string, value, context);
        else
            json_file_complain(file, value, "\"%s\" must be a list of texts and numbers",
                               list->string);
    }
}

/* Calls `take` for each field of "data"; one whose value is a list is several fields. */
static void each_field(struct json_file *file, const cJSON *data, take_field_fn *take,
                       void *context)
{
    const cJSON *field;
    cJSON_ArrayForEach(field, data)
    {
        if (is_scalar(field))
            take(file, field->string, field, context);
        else if (cJSON_IsArray(field))
            each_value(file, field, take, context);
        else
            json_file_complain(file, field,
                               "\"%s\" must be a text, a number, true, false, or a list of these",
                               field->string);
    }
}

/* --- application/x-www-form-urlencoded --------------------------------------------------- */

static void put_encoded(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (octet_is(*text, OCTET_UNRESERVED))
            (void)fputc(*text, out);
        else
            (void)fprintf(out, "%%%02X", (unsigned char)*text);
    }
}

static void put_field(struct json_file *file, const char *name, const cJSON *value, void *context)
{
    FILE *out = context;
    char *text = scalar_text(file, value);
    if (text == NULL)
        return;
    if (ftell(out) > 0)
        (void)fputc('&', out);
    put_encoded(name, out);
    (void)fputc('=', out);
    put_encoded(text, out);
    free(text);
}

static void read_encoded(struct json_file *file, const cJSON *data, struct plan_request *request)
{
    FILE *out = open_memstream(&request->bytes.bytes, &request->bytes.len);
    if (out != NULL)
        each_field(file, data, put_field, out);
    if (out == NULL || fclose(out) != 0)
        complain_of_memory(file, data);
    request->content = PLAN_BYTES;
    request->media_type = "application/x-www-form-urlencoded";
}

/* --- multipart/form-data ----------------------------------------------------------------- */

/* A new part at the end, all zero but for the name; NULL: no memory, which has been told. */
static struct plan_part *add_part(struct json_file *file, const cJSON *node, const char *name,
                                  struct plan_request *request)
{
    size_t size = (request->part_count + 1) * sizeof *request->parts;
    struct plan_part *parts = realloc(request->parts, size);
    if (parts == NULL) {
        complain_of_memory(file, node);
        return NULL;
    }
    request->parts = parts;
    struct plan_part *part = &parts[request->part_count++];
    *part = (struct plan_part){.name = name};
    return part;
}

static void add_field_part(struct json_file *file, const char *name, const cJSON *value,
                           void *context)
{
    char *text = scalar_text(file, value);
    if (text == NULL)
        return;
    struct plan_part *part = add_part(file, value, name, context);
    if (part == NULL)
        free(text);
    else
        part->value = text;
}

static void add_file_part(struct json_file *file, const cJSON *node, struct plan_request *request)
{
    if (!cJSON_IsObject(node)) {
        json_file_complain(
            file, node, "\"file\" must be an object: {\"name\": \"photo\", \"path\": \"a.jpg\"}");
        return;
    }
    json_file_check_keys(file, node, file_keys);
    const char *name = plan_text(file, node, "name");
    const char *path = plan_text(file, node, "path");
    if (name == NULL || path == NULL) {
        json_file_complain(file, node, "a \"file\" needs a \"name\" and a \"path\"");
        return;
    }
    struct plan_part *part = add_part(file, node, name, request);
    if (part == NULL)
        return;
    part->media_type = plan_text(file, node, "fileType");
    part->path = whole_file_path_beside(file->path, path);
    if (part->path == NULL)
        complain_of_memory(file, node);
    else if (access(part->path, R_OK) != 0)
        json_file_complain(file, plan_member(node, "path"), "\"path\": %s: %s", part->path,
                           strerrordesc_np(errno));
}

static void read_parts(struct json_file *file, const cJSON *data, const cJSON *files,
                       struct plan_request *request)
{
    const cJSON *node;
    each_field(file, data, add_field_part, request);
    if (!cJSON_IsArray(files))
        add_file_part(file, files, request);
    else
        for (node = files->child; node != NULL; node = node->next)
            add_file_part(file, node, request);
    request->content = PLAN_PARTS;
}

/* --- the others, and which of them it is ------------------------------------------------- */

static void read_copy(struct json_file *file, const cJSON *node, struct slice bytes,
                      struct plan_request *request)
{
    request->content = PLAN_BYTES;
    request->bytes = (struct plan_bytes){strndup(bytes.data, bytes.len), bytes.len};
    if (request->bytes.bytes == NULL)
        complain_of_memory(file, node);
}

static void read_body(struct json_file *file, const cJSON *body, struct plan_request *request)
{
    if (cJSON_IsString(body))
        read_copy(file, body, slice_from_string(body->valuestring), request);
    else
        json_file_complain(file, body, "\"body\" must be a text");
}

static void read_form(struct json_file *file, const cJSON *data, const cJSON *files,
                      struct plan_request *request)
{
    if (data != NULL && !cJSON_IsObject(data))
        json_file_complain(file, data, "\"data\" must be an object: {\"field\": \"value\"}");
    else if (files != NULL)
        read_parts(file, data, files, request);
    else
        read_encoded(file, data, request);
}

void plan_content_read(struct json_file *file, const cJSON *node, struct plan_request *request)
{
    const cJSON *data = plan_member(node, "data");
    const cJSON *files = plan_member(node, "file");
    const cJSON *json = plan_member(node, "json");
    const cJSON *body = plan_member(node, "body");
    const cJSON *body_file = plan_member(node, "bodyFile");
    bool is_form = data != NULL || files != NULL;

    if (is_form + (json != NULL) + (body != NULL) + (body_file != NULL) > 1) {
        json_file_complain(file, node,
                           "the request has more than one content: say one of \"data\" "
                           "(with \"file\"), \"json\", \"body\" and \"bodyFile\"");
        return;
    }
    if (is_form) {
        read_form(file, data, files, request);
    } else if (json != NULL) {
        /* As written: cJSON would change large numbers. */
        read_copy(file, json, json_file_source(file, json), request);
        request->media_type = "application/json";
    } else if (body != NULL) {
        read_body(file, body, request);
    } else if (body_file != NULL && plan_read_bytes(file, body_file, &request->bytes) == 0) {
        request->content = PLAN_BYTES;
    }
}
