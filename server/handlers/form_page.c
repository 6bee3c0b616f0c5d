#include "server/handlers/form_page.h"

#include "server/handlers/file_response.h"
#include "server/handlers/form_html.h"
#include "server/handlers/problem.h"
#include "server/store/store.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* A tree takes up to 40 bytes for each byte of its text. */
#define RECORD_BYTES_MAX 65536

#define CONTENT_SECURITY_POLICY                                                                    \
    SLICE("default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "   \
          "frame-ancestors 'none'")

/* Reads a whole document. Returns its tree, or NULL with errno; EBADMSG if it is none. */
static cJSON *read_tree(int file, size_t len)
{
    cJSON *tree = NULL;
    char *text = malloc(len + 1);
    if (!text)
        return NULL;
    ssize_t count = pread(file, text, len, 0);
    if (count == (ssize_t)len) {
        tree = cJSON_ParseWithLength(text, len);
        errno = EBADMSG;
    } else if (count >= 0) {
        errno = EIO; /* somebody has cut it */
    }
    int error = errno;
    free(text);
    errno = error;
    return tree;
}

/* Whether a form has made the document, and not somebody's upload. */
static bool is_record(const cJSON *tree)
{
    return cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(tree, "fields")) &&
           cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(tree, "files"));
}

/* Takes the page over; NULL: there was no memory for it. */
static void answer_page(struct request *request, char *page)
{
    struct response *response = &request->exchange->response;
    if (!page) {
        problem_answer(request, HTTP_SERVICE_UNAVAILABLE, NULL);
        return;
    }
    response->status = HTTP_OK;
    response_set_text(response, page, SLICE("text/html; charset=utf-8"));
    response_add_field(response, SLICE("Cache-Control"), SLICE("no-cache"));
    response_add_field(response, SLICE("Content-Security-Policy"), CONTENT_SECURITY_POLICY);
}

static void answer_record(struct request *request, int file, size_t len)
{
    cJSON *tree = read_tree(file, len);
    if (!tree && errno != EBADMSG)
        file_response_refuse(request, errno);
    else if (!is_record(tree))
        problem_answer(request, HTTP_NOT_FOUND, NULL);
    else
        answer_page(request, form_html_print(request->rest, tree));
    cJSON_Delete(tree);
}

static void answer(struct request *request)
{
    struct stat stat;
    int file = store_open_document(request->site->store, request->rest.data);
    if (file < 0 || fstat(file, &stat) != 0)
        file_response_refuse(request, errno);
    else if (stat.st_size > RECORD_BYTES_MAX)
        answer_page(request, form_html_print(request->rest, NULL));
    else
        answer_record(request, file, (size_t)stat.st_size);
    if (file >= 0)
        (void)close(file); /* only read from: nothing can be lost */
}

const struct handler form_page_handler = {
    .methods = METHOD_GET | METHOD_HEAD,
    .answer = answer,
};
