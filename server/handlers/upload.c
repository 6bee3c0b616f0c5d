#include "server/handlers/upload.h"

#include "server/handlers/content_type.h"
#include "server/handlers/problem.h"
#include "server/json/json_check.h"
#include "server/log/error_log.h"
#include "server/log/log_gate.h"
#include "server/store/store.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* More than this goes to a file as it comes: a thousand slow senders hold no thousand megabytes. */
#define MEMORY_BYTES_MAX 65536

/* An upload under way. */
struct upload {
    struct store *store;
    struct json_check check;
    enum http_status fault; /* what went wrong with storing; HTTP_GO_ON */
    bool is_wrong;          /* the check has found a fault */
    char *bytes;            /* the content, as long as it fits */
    size_t len;
    size_t size;
    struct store_file file; /* the content, once it does not */
};

static bool has_file(const struct upload *upload)
{
    return upload->file.store != NULL;
}

/* --- while it comes ------------------------------------------------------------------------ */

/* Nothing of it will be stored. */
static void drop_content(struct upload *upload)
{
    store_file_discard(&upload->file);
    free(upload->bytes);
    upload->bytes = NULL;
}

static void fail(struct upload *upload, int error)
{
    upload->fault = problem_status_of_errno(error);
    static struct log_gate gate;
    unsigned withheld;
    if (log_gate_pass(&gate, &withheld))
        error_log_errno(LOG_ERROR, error, NULL, "cannot store an upload (nor %u before it)",
                        withheld);
    drop_content(upload);
}

/* Moves the content to a file. Returns 0, or -1 with errno. */
static int move_to_file(struct upload *upload)
{
    if (store_file_create(upload->store, &upload->file) != 0)
        return -1;
    if (upload->len > 0 && store_file_append(&upload->file, upload->bytes, upload->len) != 0)
        return -1;
    free(upload->bytes);
    upload->bytes = NULL;
    return 0;
}

static int grow(struct upload *upload, size_t len)
{
    size_t size = upload->size ? upload->size : 1024;
    while (size < len)
        size *= 2;
    char *bytes = realloc(upload->bytes, size);
    if (!bytes)
        return -1;
    upload->bytes = bytes;
    upload->size = size;
    return 0;
}

static int append(struct upload *upload, struct slice piece)
{
    if (!has_file(upload) && upload->len + piece.len > MEMORY_BYTES_MAX &&
        move_to_file(upload) != 0)
        return -1;
    if (has_file(upload))
        return store_file_append(&upload->file, piece.data, piece.len);
    if (upload->len + piece.len > upload->size && grow(upload, upload->len + piece.len) != 0)
        return -1;
    memcpy(upload->bytes + upload->len, piece.data, piece.len);
    upload->len += piece.len;
    return 0;
}

static void take(struct exchange *exchange, struct slice piece)
{
    struct upload *upload = exchange->data;
    if (upload->is_wrong || upload->fault != HTTP_GO_ON)
        return;
    if (json_check_feed(&upload->check, piece.data, piece.len) == PARSE_BAD) {
        upload->is_wrong = true;
        drop_content(upload);
    } else if (append(upload, piece) != 0) {
        fail(upload, errno);
    }
    exchange->may_block = !upload->is_wrong && upload->fault == HTTP_GO_ON;
}

/* --- begin --------------------------------------------------------------------------------- */

static void answer_problem(struct request *request, enum http_status status)
{
    problem_answer(request, status, problem_detail(status));
}

/* What can be said before any content has been read. */
static enum http_status check_request(const struct request *request)
{
    const struct exchange *exchange = request->exchange;
    const struct config *config = request->site->config;
    if (!content_type_is(&exchange->head, SLICE("application/json")))
        return HTTP_UNSUPPORTED_MEDIA_TYPE;
    if (exchange->framing.kind == FRAMING_NONE)
        return HTTP_LENGTH_REQUIRED;
    uint64_t length = exchange->framing.length;
    if (length > (uint64_t)config->limits.body_bytes)
        return HTTP_CONTENT_TOO_LARGE;
    if (store_check_space(request->site->store, length) != 0)
        return problem_status_of_errno(errno);
    return HTTP_GO_ON;
}

static void open_upload(struct request *request)
{
    enum http_status status = check_request(request);
    if (status != HTTP_GO_ON) {
        answer_problem(request, status);
        request->exchange->response.close |= status == HTTP_LENGTH_REQUIRED;
        return;
    }
    struct upload *upload = calloc(1, sizeof(*upload));
    if (!upload) {
        answer_problem(request, HTTP_SERVICE_UNAVAILABLE);
        return;
    }
    upload->store = request->site->store;
    json_check_init(&upload->check, (unsigned)request->site->config->limits.json_depth);
    request->exchange->data = upload;
    request->exchange->may_block = true;
}

static void close_upload(struct exchange *exchange)
{
    struct upload *upload = exchange->data;
    drop_content(upload);
    free(upload);
    exchange->data = NULL;
}

/* --- end ----------------------------------------------------------------------------------- */

/* The path that the answer names: never one of the machine. */
static void append_shown_path(struct text *path, const struct config *config, const char *name)
{
    const char *directory = config->uploads_as_written;
    text_append(path, slice_from_string(directory[0] == '/' ? "uploads" : directory));
    text_append_char(path, '/');
    text_append(path, slice_from_string(name));
    text_append_char(path, '\0');
}

/* Returns the document, owned by the caller; NULL without memory. */
static char *print_receipt(const struct request *request, uint64_t bytes, const char *name)
{
    const struct config *config = request->site->config;
    struct text path = request->content;
    append_shown_path(&path, config, name);
    char *printed = NULL;
    cJSON *receipt = cJSON_CreateObject();
    if (receipt && !path.truncated && cJSON_AddStringToObject(receipt, "path", path.data) &&
        cJSON_AddStringToObject(receipt, "name", name) &&
        cJSON_AddNumberToObject(receipt, "bytes", (double)bytes) &&
        cJSON_AddStringToObject(receipt, "durability", config->uploads.durability))
        printed = cJSON_PrintUnformatted(receipt);
    cJSON_Delete(receipt);
    return printed;
}

/* It is on the disk: without memory for more, the status and the Location say so. */
static void answer_created(struct request *request, uint64_t bytes, const char *name)
{
    struct response *response = &request->exchange->response;
    response->status = HTTP_CREATED;
    text_append(&response->fields, SLICE("Location: /uploads/"));
    text_append(&response->fields, slice_from_string(name));
    text_append(&response->fields, SLICE("\r\n"));
    response->content = RESPONSE_BYTES;
    response->media_type = SLICE("application/json");
    response->owned = print_receipt(request, bytes, name);
    response->bytes = response->owned ? slice_from_string(response->owned) : SLICE("{}");
}

static void answer_wrong(struct request *request, const struct json_check *check)
{
    struct problem_place place = {
        .line = check->line,
        .column = check->column,
        .offset = check->offset,
        .expected = check->expected,
    };
    problem_answer_place(request, &place);
}

static void complete(struct request *request)
{
    struct upload *upload = request->exchange->data;
    if (upload->fault != HTTP_GO_ON) {
        answer_problem(request, upload->fault);
        return;
    }
    if (upload->is_wrong || json_check_finish(&upload->check) != PARSE_DONE) {
        answer_wrong(request, &upload->check);
        return;
    }
    char name[STORE_NAME_SIZE];
    bool moved = has_file(upload) || move_to_file(upload) == 0;
    uint64_t bytes = upload->file.bytes;
    if (!moved || store_file_commit(&upload->file, name) != 0) {
        fail(upload, errno);
        answer_problem(request, upload->fault);
        return;
    }
    answer_created(request, bytes, name);
}

const struct handler upload_handler = {
    .methods = METHOD_POST,
    .errors_are_json = true,
    .open = open_upload,
    .take = take,
    .complete = complete,
    .close = close_upload,
};
