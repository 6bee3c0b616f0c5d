#include "tester/plan.h"

#include "tester/plan_request.h"

#include <stdlib.h>

int plan_load(struct plan *plan, const char *path, FILE *errors)
{
    *plan = (struct plan){0};
    if (json_file_load(&plan->file, path, errors) != 0)
        return -1;
    struct json_file *file = &plan->file;
    int count = cJSON_GetArraySize(file->root);
    if (!cJSON_IsArray(file->root) || count == 0) {
        json_file_complain(file, file->root, "the file must be a list of requests: [ {...}, ... ]");
        return -1;
    }
    plan->requests = calloc((size_t)count, sizeof *plan->requests);
    if (plan->requests == NULL) {
        json_file_complain(file, file->root, "out of memory");
        return -1;
    }
    const cJSON *node;
    cJSON_ArrayForEach(node, file->root)
    {
        plan_request_read(file, node, &plan->requests[plan->count]);
        plan->count++;
    }
    return file->fault_count == 0 ? 0 : -1;
}

static void deinit_request(struct plan_request *request)
{
    for (size_t i = 0; i < request->part_count; i++) {
        free(request->parts[i].value);
        free(request->parts[i].path);
    }
    free(request->parts);
    free(request->bytes.bytes);
    if (request->expect.file != NULL)
        free(request->expect.file->bytes);
    free(request->expect.file);
}

void plan_deinit(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        deinit_request(&plan->requests[i]);
    free(plan->requests);
    json_file_deinit(&plan->file);
    *plan = (struct plan){0};
}

bool plan_allows_status(const struct plan_expect *expect, long status)
{
    if (status < 0 || status >= PLAN_STATUS_END)
        return false;
    return (expect->statuses[status / 8] >> (status % 8) & 1) != 0;
}
