#include "server/handlers/documents.h"

#include "server/handlers/contained.h"
#include "server/handlers/media_types.h"
#include "server/handlers/problem.h"
#include "server/log/error_log.h"
#include "server/store/store.h"

#include <errno.h>
#include <unistd.h>

static void answer_error(struct request *request, int error)
{
    enum http_status status = contained_status_of_errno(error);
    if (status >= HTTP_INTERNAL_SERVER_ERROR)
        error_log_errno(LOG_ERROR, error, request->client, "cannot open %s", request->path.data);
    problem_answer(request, status, problem_detail(status));
}

static void answer(struct request *request)
{
    struct response *response = &request->exchange->response;
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
    response->status = HTTP_OK;
    response->content = RESPONSE_FILE;
    response->file = file;
    response->file_bytes = (uint64_t)stat.st_size;
    response->media_type = SLICE("application/json");
    response_add_field(response, SLICE("Content-Security-Policy"),
                       SLICE("default-src 'none'; sandbox"));
    response_add_field(response, SLICE("Cache-Control"), SLICE("no-cache"));
}

const struct handler documents_handler = {
    .methods = METHOD_GET | METHOD_HEAD,
    .answer = answer,
};
