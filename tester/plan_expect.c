/* What is expected of an answer. */
#include "tester/plan_request.h"

#include <stdlib.h>
#include <string.h>

#define STATUS_FORM "\"status\" must be a code (200), a class (\"2xx\"), or a list of these"

static const char *const keys[] = {"status",  "headers",  "body", "json",
                                   "jsonHas", "bodyFile", NULL};
static const char *const pattern_keys[] = {"startsWith", "contains", NULL};

static void allow(struct plan_expect *expect, int first, int end)
{
    for (int status = first; status < end; status++)
        expect->statuses[status / 8] |= (uint8_t)(1 << status % 8);
}

static bool is_class(const char *text)
{
    return text[0] >= '1' && text[0] <= '5' && strcmp(text + 1, "xx") == 0;
}

static void read_status(struct json_file *file, const cJSON *node, struct plan_expect *expect)
{
    double number = cJSON_GetNumberValue(node); /* NaN if it is none */
    if (number >= 100 && number < PLAN_STATUS_END && number == (double)(int)number) {
        allow(expect, (int)number, (int)number + 1);
    } else if (cJSON_IsString(node) && is_class(node->valuestring)) {
        int first = (node->valuestring[0] - '0') * 100;
        allow(expect, first, first + 100);
    } else {
        json_file_complain(file, node, STATUS_FORM);
    }
}

static void read_statuses(struct json_file *file, struct plan_expect *expect)
{
    const cJSON *status = expect->status;
    if (status == NULL)
        allow(expect, 100, 400);
    else if (!cJSON_IsArray(status))
        read_status(file, status, expect);
    else
        for (status = status->child; status != NULL; status = status->next)
            read_status(file, status, expect);
}

/* true: it is there; false: it is not; {"startsWith": "..."}, {"contains": "..."}. */
static bool is_pattern(const cJSON *value)
{
    if (cJSON_IsBool(value))
        return true;
    if (!cJSON_IsObject(value) || cJSON_GetArraySize(value) != 1 || !cJSON_IsString(value->child))
        return false;
    const char *const *key = pattern_keys;
    while (*key != NULL && strcmp(*key, value->child->string) != 0)
        key++;
    return *key != NULL;
}

static void read_file(struct json_file *file, const cJSON *node, struct plan_expect *expect)
{
    expect->file = calloc(1, sizeof *expect->file);
    if (expect->file == NULL)
        json_file_complain(file, node, "out of memory");
    else
        (void)plan_read_bytes(file, node, expect->file); /* a failure has been told */
}

static void read_body(struct json_file *file, const cJSON *node, struct plan_expect *expect)
{
    if (cJSON_IsString(node))
        expect->body = node->valuestring;
    else
        json_file_complain(file, node, "\"body\" must be a text");
}

static void read_members(struct json_file *file, const cJSON *node, struct plan_expect *expect)
{
    json_file_check_keys(file, node, keys);
    const cJSON *body = plan_member(node, "body");
    const cJSON *body_file = plan_member(node, "bodyFile");
    expect->status = plan_member(node, "status");
    expect->headers = plan_member(node, "headers");
    expect->json = plan_member(node, "json");
    expect->json_has = plan_member(node, "jsonHas");
    if (expect->headers != NULL)
        plan_check_fields(
            file, expect->headers, is_pattern,
            "a text, true (is there), false (is not there), {\"startsWith\": \"...\"} "
            "or {\"contains\": \"...\"}");
    if (body != NULL)
        read_body(file, body, expect);
    if (body_file != NULL)
        read_file(file, body_file, expect);
}

void plan_expect_read(struct json_file *file, const cJSON *node, struct plan_expect *expect)
{
    const cJSON *member = plan_member(node, "expect");
    if (cJSON_IsObject(member))
        read_members(file, member, expect);
    else if (member != NULL)
        json_file_complain(file, member, "\"expect\" must be an object: {\"status\": 200}");
    read_statuses(file, expect);
}
