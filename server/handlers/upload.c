#include "server/handlers/upload.h"

#include "server/handlers/content_type.h"
#include "server/handlers/problem.h"
#include "server/handlers/upload_commit.h"
#include "server/handlers/upload_receipt.h"
#include "server/json/json_excerpt.h"
#include "server/log/error_log.h"
#include "server/log/log_gate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TOO_MANY_VALUES       "The document has more values than this server takes."
#define KEY_HAS_OTHER_CONTENT "This Idempotency-Key has been used for an upload with other content."

/* An upload under way. */
struct upload {
    struct upload_spool spool;
    struct digest digest;
    struct upload_key key;
    enum http_status fault; /* what went wrong with storing; HTTP_GO_ON */
    bool is_wrong;          /* the check has found a fault */

    /* The check of one document, or of a batch. */
    struct json_check check;
    struct json_excerpt excerpt;
    struct upload_lines *lines; /* owned; NULL: one document */
};

/* --- while it comes ------------------------------------------------------------------------- */

static void fail(struct upload *upload, int error)
{
    upload->fault = problem_status_of_errno(error);
    static struct log_gate gate;
    unsigned withheld;
    if (log_gate_pass(&gate, &withheld))
        error_log_errno(LOG_ERROR, error, NULL, "cannot store an upload (nor %u before it)",
                        withheld);
    upload_spool_drop(&upload->spool);
}

/* Checks a piece of one document. Returns whether all is right so far. */
static bool check_document(struct upload *upload, struct slice piece)
{
    if (upload->is_wrong) {
        json_excerpt_take(&upload->excerpt, piece);
        return false;
    }
    uint64_t begin = upload->check.offset;
    bool is_right = json_check_feed(&upload->check, piece.data, piece.len) != PARSE_BAD;
    size_t right = (size_t)(upload->check.offset - begin);
    json_excerpt_pass(&upload->excerpt, (struct slice){piece.data, right});
    if (!is_right)
        json_excerpt_take(&upload->excerpt, (struct slice){piece.data + right, piece.len - right});
    return is_right;
}

static void take(struct exchange *exchange, struct slice piece)
{
    struct upload *upload = exchange->data;
    if (upload->fault != HTTP_GO_ON)
        return;
    bool is_right =
        upload->lines ? upload_lines_feed(upload->lines, piece) : check_document(upload, piece);
    if (!is_right) {
        upload->is_wrong = true;
        upload_spool_drop(&upload->spool);
        exchange->may_block = false;
        return;
    }
    digest_update(&upload->digest, piece.data, piece.len);
    if (upload_spool_append(&upload->spool, piece) != 0) {
        fail(upload, errno);
        exchange->may_block = false;
    }
}

/* --- begin ---------------------------------------------------------------------------------- */

static bool is_batch(const struct request *request)
{
    const struct head *head = &request->exchange->head;
    return content_type_is(head, SLICE("application/x-ndjson")) ||
           content_type_is(head, SLICE("application/ndjson"));
}

/* What can be said before any content has been read. */
static enum http_status check_request(const struct request *request)
{
    const struct exchange *exchange = request->exchange;
    const struct config *config = request->site->config;
    if (!content_type_is(&exchange->head, SLICE("application/json")) && !is_batch(request))
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

/* Makes ready for the content. On failure *out_detail may be set. */
static enum http_status prepare(struct upload *upload, const struct request *request,
                                const char **out_detail)
{
    const struct config *config = request->site->config;
    const struct head *head = &request->exchange->head;
    unsigned depth = (unsigned)config->limits.json_depth;
    uint64_t values = (uint64_t)config->limits.json_values;
    upload->spool.store = request->site->store;
    json_check_init(&upload->check, depth, values);
    if (is_batch(request)) {
        upload->lines = malloc(sizeof(*upload->lines));
        if (!upload->lines)
            return HTTP_SERVICE_UNAVAILABLE;
        upload_lines_init(upload->lines, &(struct upload_lines_limits){
                                             .depth = depth,
                                             .values = values,
                                             .documents = (uint64_t)config->limits.batch_lines,
                                         });
    }
    digest_begin(&upload->digest, digest_asked_for(head));
    *out_detail = DIGEST_MALFORMED;
    enum http_status status = digest_expect(&upload->digest, head);
    if (status != HTTP_GO_ON)
        return status;
    *out_detail = NULL;
    status = upload_key_begin(&upload->key, request, out_detail);
    if (upload_key_is_there(&upload->key))
        upload->digest.wanted |= DIGEST_SHA_256;
    return status;
}

static void close_upload(struct exchange *exchange)
{
    struct upload *upload = exchange->data;
    upload_key_release(&upload->key);
    upload_spool_drop(&upload->spool);
    free(upload->lines);
    free(upload);
    exchange->data = NULL;
}

static void open_upload(struct request *request)
{
    struct exchange *exchange = request->exchange;
    const char *detail = NULL;
    enum http_status status = check_request(request);
    struct upload *upload = NULL;
    if (status == HTTP_GO_ON) {
        upload = calloc(1, sizeof(*upload));
        exchange->data = upload;
        status = upload ? prepare(upload, request, &detail) : HTTP_SERVICE_UNAVAILABLE;
    }
    if (status == HTTP_GO_ON) {
        exchange->may_block = store_is_durable(request->site->store);
        return;
    }
    problem_answer(request, status, detail);
    exchange->response.close |= status == HTTP_LENGTH_REQUIRED;
    if (status == HTTP_CONFLICT)
        response_add_field(&exchange->response, SLICE("Retry-After"), SLICE("1"));
    if (upload)
        close_upload(exchange);
}

/* --- end ------------------------------------------------------------------------------------ */

static void answer_wrong_document(struct request *request, const struct upload *upload)
{
    const struct json_check *check = &upload->check;
    char excerpt[JSON_EXCERPT_SIZE];
    if (json_check_is_too_large(check)) {
        problem_answer(request, HTTP_CONTENT_TOO_LARGE, TOO_MANY_VALUES);
        return;
    }
    json_excerpt_print(&upload->excerpt, excerpt);
    struct problem_place place = {
        .line = check->line,
        .column = check->column,
        .offset = check->offset,
        .expected = check->expected,
        .excerpt = excerpt,
    };
    problem_answer_place(request, &place);
}

/* Whether the content is what it should be; else answers. */
static bool is_right(struct request *request, struct upload *upload)
{
    if (upload->lines && !upload_lines_finish(upload->lines)) {
        upload_lines_answer(request, upload->lines);
        return false;
    }
    if (!upload->lines && json_check_finish(&upload->check) != PARSE_DONE) {
        answer_wrong_document(request, upload);
        return false;
    }
    if (digest_finish(&upload->digest))
        return true;
    problem_answer(request, HTTP_BAD_REQUEST, DIGEST_MISMATCH);
    return false;
}

/* Stores the content, or finds that it has been stored. Returns the status, with the documents in
 * *record if it is 201.
 */
static enum http_status store_content(struct upload *upload, struct upload_record *record)
{
    switch (upload_key_recall(&upload->key, upload->spool.store, record)) {
    case UPLOAD_KEY_SAME:
        return HTTP_CREATED;
    case UPLOAD_KEY_OTHER:
        return HTTP_UNPROCESSABLE_CONTENT;
    case UPLOAD_KEY_FAILED:
        fail(upload, errno);
        return upload->fault;
    case UPLOAD_KEY_UNKNOWN:
        break;
    }
    int result = upload->lines
                     ? upload_commit_batch(&upload->spool, upload->lines, &upload->key, record)
                     : upload_commit_document(&upload->spool, &upload->key, record);
    if (result != 0) {
        fail(upload, errno);
        return upload->fault;
    }
    upload_key_keep(&upload->key);
    return HTTP_CREATED;
}

static void answer(struct request *request, struct upload *upload)
{
    if (upload->fault != HTTP_GO_ON) {
        problem_answer(request, upload->fault, NULL);
        return;
    }
    if (!is_right(request, upload))
        return;
    struct upload_record record = {.is_batch = upload->lines != NULL};
    memcpy(record.content, upload->digest.sha_256, sizeof(record.content));
    enum http_status status = store_content(upload, &record);
    if (status == HTTP_CREATED)
        upload_receipt_answer(request, &record, &upload->digest,
                              digest_asked_for(&request->exchange->head));
    else
        problem_answer(request, status,
                       status == HTTP_UNPROCESSABLE_CONTENT ? KEY_HAS_OTHER_CONTENT : NULL);
    upload_record_deinit(&record);
}

/* Whoever has read the answer may use the key again at once. */
static void complete(struct request *request)
{
    struct upload *upload = request->exchange->data;
    answer(request, upload);
    upload_key_release(&upload->key);
}

const struct handler upload_handler = {
    .methods = METHOD_POST,
    .errors_are_json = true,
    .open = open_upload,
    .take = take,
    .complete = complete,
    .close = close_upload,
};
