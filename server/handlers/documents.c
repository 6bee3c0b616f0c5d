#include "server/handlers/documents.h"

#include "server/handlers/file_response.h"
#include "server/handlers/problem.h"
#include "server/store/store.h"

#include <errno.h>
#include <unistd.h>

static void answer(struct request *request)
{
    if (request->rest.len == 0) {
        problem_answer(request, HTTP_FORBIDDEN, "Stored documents are not listed.");
        return;
    }
    int file = store_open_document(request->site->store, request->rest.data);
    struct stat stat;
    if (file < 0 || fstat(file, &stat) != 0) {
        file_response_refuse(request, errno);
        if (file >= 0)
            (void)close(file); /* only read from: nothing can be lost */
        return;
    }
    struct file_look look = {
        .media_type = SLICE("application/json"),
        .cache_control = SLICE("no-cache"),
        .policy = SLICE("default-src 'none'; sandbox"),
    };
    file_response_make(request, &(struct file_source){.file = file}, &stat, &look);
}

const struct handler documents_handler = {
    .methods = METHOD_GET | METHOD_HEAD,
    .has_validators = true,
    .answer = answer,
};
