#include "server/handlers/documents.h"

#include "server/handlers/contained.h"
#include "server/handlers/file_response.h"
#include "server/handlers/problem.h"
#include "server/log/error_log.h"
#include "server/store/store.h"

#include <errno.h>
#include <unistd.h>

static void answer_error(struct request *request, int error)
{
    enum http_status status = contained_status_of_errno(error);
    if (status == HTTP_INTERNAL_SERVER_ERROR)
        error_log_errno(LOG_ERROR, error, request->client, "cannot open %s", request->path.data);
    problem_answer(request, status, problem_detail(status));
}

static void answer(struct request *request)
{
    if (request->rest.len == 0) {
        problem_answer(request, HTTP_FORBIDDEN, "Stored documents are not listed.");
        return;
    }
    int file = store_open_document(request->site->store, request->rest.data);
    struct stat stat;
    if (file < 0 || fstat(file, &stat) != 0) {
        answer_error(request, errno);
        if (file >= 0)
            (void)close(file); /* only read from: nothing can be lost */
        return;
    }
    struct file_look look = {
        .media_type = SLICE("application/json"),
        .cache_control = SLICE("no-cache"),
        .policy = SLICE("default-src 'none'; sandbox"),
    };
    file_response_make(request, file, &stat, &look);
}

const struct handler documents_handler = {
    .methods = METHOD_GET | METHOD_HEAD,
    .answer = answer,
};
