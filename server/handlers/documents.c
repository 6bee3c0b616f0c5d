#include "server/handlers/documents.h"

#include "server/handlers/documents_list.h"
#include "server/handlers/file_response.h"
#include "server/handlers/problem.h"
#include "server/handlers/repr_digest.h"
#include "server/store/store.h"

#include <errno.h>
#include <unistd.h>

static void answer(struct request *request)
{
    if (request->rest.len == 0) {
        documents_list_answer(request);
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
    file_response_make(request, file, &stat, &look);
    repr_digest_add(request);
}

/* A list may read the whole folder. */
static bool waits_for_disk(const struct request *request)
{
    return request->rest.len == 0;
}

const struct handler documents_handler = {
    .methods = METHOD_GET | METHOD_HEAD,
    .has_validators = true,
    .waits_for_disk = waits_for_disk,
    .answer = answer,
};
