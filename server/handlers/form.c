#include "server/handlers/form.h"

#include "server/digest/digest.h"
#include "server/handlers/content_type.h"
#include "server/handlers/form_commit.h"
#include "server/handlers/form_receipt.h"
#include "server/handlers/problem.h"
#include "server/log/error_log.h"
#include "server/log/log_gate.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>

/* What may come around the content of the parts. */
#define MULTIPART_OVERHEAD                                                                         \
    (MULTIPART_IGNORED_BYTES_MAX +                                                                 \
     (MULTIPART_PARTS_MAX + 1) * (MULTIPART_HEAD_BYTES_MAX + MULTIPART_DELIMITER_SIZE + 4))

/* A form under way. */
struct form {
    struct form_content *content; /* NULL once there is a fault */
    struct form_fault fault;
    uint64_t unread_max; /* so much is still read after it, so that the answer is read too */
    struct digest digest;
};

/* --- begin --------------------------------------------------------------------------------- */

static bool is_multipart(const struct exchange *exchange)
{
    return content_type_is(&exchange->head, SLICE("multipart/form-data"));
}

static struct form_fault check_media_type(const struct exchange *exchange, struct slice *boundary)
{
    struct slice value = {0};
    *boundary = value;
    if (content_type_is(&exchange->head, SLICE("application/x-www-form-urlencoded")))
        return FORM_FINE;
    if (!is_multipart(exchange))
        return FORM_REFUSED(HTTP_UNSUPPORTED_MEDIA_TYPE, NULL);
    (void)head_find(&exchange->head, SLICE("Content-Type"), &value);
    if (multipart_head_boundary(value, boundary))
        return FORM_FINE;
    return FORM_REFUSED(HTTP_BAD_REQUEST, "The Content-Type has no boundary, or a malformed one.");
}

/* How long the content may be as a whole; 0: no limit. */
static uint64_t content_limit(const struct site *site, bool is_multipart_form)
{
    uint64_t text_bytes = (uint64_t)site->config->limits.body_bytes;
    uint64_t file_bytes = (uint64_t)site->config->limits.file_bytes;
    if (!is_multipart_form)
        return text_bytes;
    if (!site->files)
        return text_bytes + MULTIPART_OVERHEAD;
    if (file_bytes == 0 || file_bytes > INT64_MAX / MULTIPART_PARTS_MAX)
        return 0;
    return text_bytes + MULTIPART_OVERHEAD + file_bytes * MULTIPART_PARTS_MAX;
}

/* What cannot be text must be a file. */
static int check_space(const struct site *site, uint64_t length)
{
    uint64_t text_max = (uint64_t)site->config->limits.body_bytes + MULTIPART_OVERHEAD;
    uint64_t text_bytes = length < text_max ? length : 0;
    if (store_check_space(site->store, text_bytes) != 0)
        return -1;
    return length > text_max ? store_check_space(site->files, length - text_max) : 0;
}

/* What can be said before any content has been read. */
static struct form_fault check_request(const struct request *request, struct slice *boundary)
{
    struct exchange *exchange = request->exchange;
    struct form_fault fault = check_media_type(exchange, boundary);
    if (fault.status != HTTP_GO_ON)
        return fault;
    if (exchange->framing.kind == FRAMING_NONE)
        return FORM_REFUSED(HTTP_LENGTH_REQUIRED, NULL);
    uint64_t limit = content_limit(request->site, boundary->len > 0);
    if (limit > 0 && exchange->framing.length > limit)
        return FORM_REFUSED(HTTP_CONTENT_TOO_LARGE, NULL);
    exchange->content_limit = limit;
    if (check_space(request->site, exchange->framing.length) != 0)
        return form_fault_of_errno(errno);
    return FORM_FINE;
}

static void destroy_form(struct form *form)
{
    form_content_destroy(form->content);
    free(form);
}

/* Makes a form in *out. */
static struct form_fault create_form(const struct request *request, struct slice boundary,
                                     void **out)
{
    const struct site *site = request->site;
    const struct form_content_options options = {
        .records = site->store,
        .files = site->files,
        .text_bytes = (uint64_t)site->config->limits.body_bytes,
        .file_bytes = (uint64_t)site->config->limits.file_bytes,
        .boundary = boundary,
    };
    struct form *form = calloc(1, sizeof(*form));
    struct form_fault fault = FORM_FINE;
    if (!form)
        return FORM_REFUSED(HTTP_SERVICE_UNAVAILABLE, NULL);
    form->unread_max = options.text_bytes;
    digest_begin(&form->digest, 0);
    form->content = form_content_create(&options);
    if (!form->content)
        fault = FORM_REFUSED(HTTP_SERVICE_UNAVAILABLE, NULL);
    else if (digest_expect(&form->digest, &request->exchange->head) != HTTP_GO_ON)
        fault = FORM_REFUSED(HTTP_BAD_REQUEST, DIGEST_MALFORMED);
    if (fault.status == HTTP_GO_ON)
        *out = form;
    else
        destroy_form(form);
    return fault;
}

static void open_form(struct request *request)
{
    struct exchange *exchange = request->exchange;
    struct slice boundary;
    struct form_fault fault = check_request(request, &boundary);
    if (fault.status == HTTP_GO_ON)
        fault = create_form(request, boundary, &exchange->data);
    exchange->may_block = store_is_durable(request->site->store);
    if (fault.status != HTTP_GO_ON) {
        problem_answer(request, fault.status, fault.detail);
        exchange->response.close |= fault.status == HTTP_LENGTH_REQUIRED;
    }
}

/* --- while it comes ------------------------------------------------------------------------ */

/* Nothing of it will be stored. */
static void refuse(struct form *form, struct form_fault fault)
{
    static struct log_gate gate;
    unsigned withheld;
    form->fault = fault;
    if (fault.error != 0 && log_gate_pass(&gate, &withheld))
        error_log_errno(LOG_ERROR, fault.error, NULL, "cannot store a form (nor %u before it)",
                        withheld);
    form_content_destroy(form->content);
    form->content = NULL;
}

static void take(struct exchange *exchange, struct slice piece)
{
    struct form *form = exchange->data;
    if (!form->content) {
        form->unread_max -= piece.len < form->unread_max ? piece.len : form->unread_max;
        return;
    }
    struct form_fault fault = form_content_take(form->content, piece);
    digest_update(&form->digest, piece.data, piece.len);
    if (fault.status == HTTP_GO_ON)
        return;
    refuse(form, fault);
    exchange->may_block = false;
}

/* The rest of a form that is refused is read so that the answer can say more, and the connection
 * persists; but not gigabytes of it.
 */
static enum http_status give_up(const struct exchange *exchange)
{
    const struct form *form = exchange->data;
    bool goes_on = form->fault.status != HTTP_CONTENT_TOO_LARGE && form->unread_max > 0;
    return goes_on ? HTTP_GO_ON : form->fault.status;
}

static void close_form(struct exchange *exchange)
{
    destroy_form(exchange->data);
    exchange->data = NULL;
}

/* --- end ----------------------------------------------------------------------------------- */

static struct form_fault store_form(struct form *form, struct form_stored *out)
{
    if (!digest_finish(&form->digest))
        return FORM_REFUSED(HTTP_BAD_REQUEST, DIGEST_MISMATCH);
    struct form_fault fault = form_content_finish(form->content);
    return fault.status != HTTP_GO_ON ? fault : form_commit(form->content, out);
}

static void complete(struct request *request)
{
    struct form *form = request->exchange->data;
    struct form_stored stored;
    if (form->content) {
        struct form_fault fault = store_form(form, &stored);
        if (fault.status == HTTP_GO_ON) {
            form_receipt_answer(request, &stored);
            cJSON_Delete(stored.record);
            return;
        }
        refuse(form, fault);
    }
    problem_answer(request, form->fault.status, form->fault.detail);
}

const struct handler form_handler = {
    .methods = METHOD_POST,
    .errors_are_json = true,
    .open = open_form,
    .take = take,
    .give_up = give_up,
    .complete = complete,
    .close = close_form,
};
