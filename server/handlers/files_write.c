#include "server/handlers/files_write.h"

#include "server/digest/digest.h"
#include "server/handlers/contained.h"
#include "server/handlers/content_type.h"
#include "server/handlers/problem.h"
#include "server/handlers/receipt.h"
#include "server/handlers/repr_digest.h"
#include "server/handlers/representation.h"
#include "server/log/error_log.h"
#include "server/log/log_gate.h"
#include "server/store/store.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* How often the free space is looked at while a file grows. */
#define SPACE_BYTES 4194304

/* A file under way. */
struct writing {
    struct store *store;
    struct store_file file; /* once it has a byte */
    uint64_t space_known;   /* so many bytes of it, when there was room for more */
    enum http_status fault; /* of storing; HTTP_GO_ON */
    struct digest digest;
};

/* What has failed is told to the log, but not by every request that meets it. */
static enum http_status status_of_error(int error)
{
    static struct log_gate gate;
    unsigned withheld;
    if (log_gate_pass(&gate, &withheld))
        error_log_errno(LOG_ERROR, error, NULL, "cannot store a file (nor %u before it)", withheld);
    return problem_status_of_errno(error);
}

/* --- what must hold ------------------------------------------------------------------------ */

/* Whether the request may change what there is; `current` NULL: nothing. */
static enum http_status judge(const struct request *request, const struct stat *current)
{
    const struct head *head = &request->exchange->head;
    struct representation representation = {0};
    if (head->method == METHOD_POST && current)
        return HTTP_CONFLICT;
    if (head->method == METHOD_DELETE && !current)
        return HTTP_NOT_FOUND;
    if (current)
        representation_describe(&representation, current, request->now);
    return precondition_check(head, &representation.validators, request->now);
}

static enum http_status check_name(const struct request *request)
{
    if (store_name_check(request->rest.data) == 0)
        return HTTP_GO_ON;
    bool is_too_long = errno == ENAMETOOLONG && request->exchange->head.method != METHOD_DELETE;
    return is_too_long ? HTTP_URI_TOO_LONG : HTTP_NOT_FOUND;
}

static enum http_status check_current(const struct request *request, bool *out_exists)
{
    struct stat stat;
    int file = store_open_document(request->site->files, request->rest.data);
    *out_exists = file >= 0;
    if (file < 0)
        return errno == ENOENT ? judge(request, NULL) : contained_status_of_errno(errno);
    enum http_status status = HTTP_INTERNAL_SERVER_ERROR;
    if (fstat(file, &stat) == 0)
        status = judge(request, &stat);
    (void)close(file); /* nothing was done with it */
    return status;
}

/* What can be said of the content before any has been read. Whether a file that takes the place of
 * another goes beyond a quota the store knows at the end.
 */
static enum http_status check_content(const struct request *request, bool exists)
{
    const struct exchange *exchange = request->exchange;
    uint64_t limit = (uint64_t)request->site->config->limits.file_bytes;
    uint64_t length = exchange->framing.length;
    if (content_type_is_coded(&exchange->head)) /* codings are not kept beside a file */
        return HTTP_UNSUPPORTED_MEDIA_TYPE;
    if (exchange->framing.kind == FRAMING_NONE)
        return HTTP_LENGTH_REQUIRED;
    if (limit > 0 && length > limit)
        return HTTP_CONTENT_TOO_LARGE;
    if (store_check_space(request->site->files, length) != 0 && !(exists && errno == EDQUOT))
        return problem_status_of_errno(errno);
    return HTTP_GO_ON;
}

/* A part of a file cannot be put (RFC 9110 section 14.5). */
static enum http_status check_request(const struct request *request)
{
    const struct head *head = &request->exchange->head;
    bool exists;
    enum http_status status = check_name(request);
    if (status != HTTP_GO_ON)
        return status;
    if (head_find(head, SLICE("Content-Range"), NULL) > 0)
        return HTTP_BAD_REQUEST;
    status = check_current(request, &exists);
    if (status != HTTP_GO_ON || head->method == METHOD_DELETE)
        return status;
    return check_content(request, exists);
}

/* --- begin --------------------------------------------------------------------------------- */

static void begin_writing(struct request *request)
{
    struct exchange *exchange = request->exchange;
    struct writing *writing = calloc(1, sizeof(*writing));
    if (!writing) {
        problem_answer(request, HTTP_SERVICE_UNAVAILABLE, NULL);
        return;
    }
    digest_begin(&writing->digest, digest_asked_for(&exchange->head));
    if (digest_expect(&writing->digest, &exchange->head) != HTTP_GO_ON) {
        free(writing);
        problem_answer(request, HTTP_BAD_REQUEST, DIGEST_MALFORMED);
        return;
    }
    writing->store = request->site->files;
    exchange->data = writing;
    exchange->content_limit = (uint64_t)request->site->config->limits.file_bytes;
}

void files_write_open(struct request *request)
{
    struct exchange *exchange = request->exchange;
    enum http_status status = check_request(request);
    exchange->may_block = request->site->files && store_is_durable(request->site->files);
    if (status != HTTP_GO_ON) {
        problem_answer(request, status, NULL);
        exchange->response.close |= status == HTTP_LENGTH_REQUIRED;
    } else if (exchange->head.method != METHOD_DELETE) {
        begin_writing(request);
    }
}

/* --- while it comes ------------------------------------------------------------------------ */

static int append(struct writing *writing, struct slice piece)
{
    if (!writing->file.store && store_file_create(writing->store, &writing->file) != 0)
        return -1;
    if (store_file_append(&writing->file, piece.data, piece.len) != 0)
        return -1;
    digest_update(&writing->digest, piece.data, piece.len);
    if (writing->file.bytes - writing->space_known < SPACE_BYTES)
        return 0;
    writing->space_known = writing->file.bytes;
    return store_check_space(writing->store, 0) == 0 || errno == EDQUOT ? 0 : -1;
}

void files_write_take(struct exchange *exchange, struct slice piece)
{
    struct writing *writing = exchange->data;
    if (!writing || append(writing, piece) == 0)
        return; /* what comes with a DELETE means nothing */
    writing->fault = status_of_error(errno);
    store_file_discard(&writing->file);
}

enum http_status files_write_give_up(const struct exchange *exchange)
{
    const struct writing *writing = exchange->data;
    return writing ? writing->fault : HTTP_GO_ON;
}

void files_write_close(struct exchange *exchange)
{
    struct writing *writing = exchange->data;
    store_file_discard(&writing->file);
    free(writing);
    exchange->data = NULL;
}

/* --- end ----------------------------------------------------------------------------------- */

/* A request, and what the store found out about it at the moment of the change. */
struct judgement {
    const struct request *request;
    enum http_status status;
};

static bool holds(const struct stat *current, void *context)
{
    struct judgement *judgement = context;
    judgement->status = judge(judgement->request, current);
    return judgement->status == HTTP_GO_ON;
}

/* The status for an error of the store. */
static enum http_status status_of_refusal(int error, const struct judgement *judgement)
{
    switch (error) {
    case ECANCELED:
        return judgement->status;
    case ENOENT:
        return HTTP_NOT_FOUND;
    case EISDIR:
    case EACCES:
        return HTTP_FORBIDDEN;
    default:
        return status_of_error(error);
    }
}

static void complete_delete(struct request *request)
{
    struct judgement judgement = {.request = request};
    struct store_condition condition = {.holds = holds, .context = &judgement};
    if (store_remove(request->site->files, request->rest.data, &condition) == 0)
        request->exchange->response.status = HTTP_NO_CONTENT;
    else
        problem_answer(request, status_of_refusal(errno, &judgement), NULL);
}

/* A descriptor that outlives the commit, for the entity tag: by its name another file might be
 * found already. The time is set to the nanosecond, since the kernel's own clock for files stands
 * still for some milliseconds, and an inode number may come again in that time. Returns -1 if there
 * is none.
 */
static int keep_open(const struct store_file *file)
{
    struct timespec times[2];
    (void)clock_gettime(CLOCK_REALTIME, &times[0]); /* fails for an unknown clock only */
    times[1] = times[0];
    (void)futimens(file->fd, times); /* of a file that is one's own; else it is as it was */
    return fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
}

/* It is stored unchanged, so that the answer may have its tag (RFC 9110 section 9.3.4). */
static void add_tag(struct request *request, int file)
{
    struct stat stat;
    struct representation stored;
    if (file < 0 || fstat(file, &stat) != 0)
        return;
    representation_describe(&stored, &stat, request->now);
    response_add_field(&request->exchange->response, SLICE("ETag"), stored.validators.etag);
}

/* Returns the document, owned by the caller; NULL without memory. */
static char *print_receipt(const struct request *request, const struct digest *digest,
                           uint64_t bytes)
{
    char *printed = NULL;
    unsigned algorithm = digest_asked_for(&request->exchange->head);
    cJSON *receipt = cJSON_CreateObject();
    if (receipt && cJSON_AddStringToObject(receipt, "path", request->path.data) &&
        cJSON_AddStringToObject(receipt, "name", request->rest.data) &&
        cJSON_AddNumberToObject(receipt, "bytes", (double)bytes) &&
        cJSON_AddStringToObject(receipt, "durability", request->site->config->uploads.durability) &&
        receipt_add_digest(receipt, digest, algorithm))
        printed = cJSON_PrintUnformatted(receipt);
    cJSON_Delete(receipt);
    return printed;
}

static void answer_created(struct request *request, const struct digest *digest, uint64_t bytes)
{
    receipt_add_location(request, SLICE("/files/"), request->rest.data);
    receipt_answer(request, print_receipt(request, digest, bytes), SLICE("{}"));
}

static void answer_replaced(struct request *request, const struct digest *digest)
{
    request->exchange->response.status = HTTP_NO_CONTENT;
    repr_digest_add_known(request, digest);
}

static void complete_file(struct request *request, struct writing *writing)
{
    struct judgement judgement = {.request = request};
    struct store_condition condition = {.holds = holds, .context = &judgement};
    uint64_t bytes = writing->file.bytes;
    bool replaced = false;
    int kept = keep_open(&writing->file);
    if (store_file_commit_as(&writing->file, request->rest.data, &condition, &replaced) != 0) {
        problem_answer(request, status_of_refusal(errno, &judgement), NULL);
    } else {
        if (replaced)
            answer_replaced(request, &writing->digest);
        else
            answer_created(request, &writing->digest, bytes);
        add_tag(request, kept);
    }
    if (kept >= 0)
        (void)close(kept); /* what was written has been synced, or is not wanted */
}

void files_write_complete(struct request *request)
{
    struct writing *writing = request->exchange->data;
    if (!writing)
        complete_delete(request);
    else if (!digest_finish(&writing->digest))
        problem_answer(request, HTTP_BAD_REQUEST, DIGEST_MISMATCH);
    else if (!writing->file.store && store_file_create(writing->store, &writing->file) != 0)
        problem_answer(request, status_of_error(errno), NULL);
    else
        complete_file(request, writing);
}
