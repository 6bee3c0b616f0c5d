#include "server/handlers/conditions.h"

#include "http/precondition.h"
#include "server/handlers/problem.h"

static enum http_status check(const struct request *request, bool exists)
{
    struct validators validators = {.exists = exists};
    return precondition_check(&request->exchange->head, &validators, request->now);
}

bool conditions_hold_for_new(struct request *request)
{
    enum http_status status = check(request, false);
    if (status != HTTP_GO_ON)
        problem_answer(request, status, NULL);
    return status == HTTP_GO_ON;
}

/* 304 keeps the field lines: it must have those about caching that 200 would have had (RFC 9110
 * section 15.4.5).
 */
void conditions_judge(struct request *request)
{
    struct response *response = &request->exchange->response;
    if (response->status != HTTP_OK)
        return;
    enum http_status status = check(request, true);
    if (status == HTTP_GO_ON)
        return;
    struct text fields = response->fields;
    response_deinit(response);
    response_init(response, fields.data, fields.size);
    if (status == HTTP_NOT_MODIFIED) {
        response->status = status;
        response->fields = fields;
    } else {
        problem_answer(request, status, NULL);
    }
}
