#include "server/handlers/file_response.h"

#include "http/range.h"
#include "server/handlers/contained.h"
#include "server/handlers/problem.h"
#include "server/handlers/random_token.h"
#include "server/log/error_log.h"

#include <assert.h>
#include <unistd.h>

static_assert(RANGE_PARTS_MAX <= RESPONSE_PARTS_MAX, "each range is a part of the response");

/* --- parts --------------------------------------------------------------------------------- */

static void add_content_range(struct text *text, struct range range, uint64_t len)
{
    text_append(text, SLICE("Content-Range: "));
    range_append_part(text, range, len);
    text_append(text, SLICE("\r\n"));
}

static void answer_part(struct response *response, int file, struct range range, uint64_t len)
{
    response->status = HTTP_PARTIAL_CONTENT;
    response_set_file(response, file, (off_t)range.first, range_bytes(range));
    add_content_range(&response->fields, range, len);
}

/* What has been appended since *begin, which moves to the end. */
static struct slice take_appended(const struct text *text, size_t *begin)
{
    struct slice appended = {text->data + *begin, text->len - *begin};
    *begin = text->len;
    return appended;
}

/* multipart/byteranges (RFC 9110 section 14.6), its lines in the worker's memory. Returns 0, or -1
 * with the response as it was.
 */
static int answer_parts(struct request *request, int file, const struct range_set *set,
                        uint64_t len)
{
    struct response *response = &request->exchange->response;
    struct text *text = &request->content;
    struct slice media_type = response->media_type;
    text->len = 0;
    size_t begin = 0;
    text_append(text, SLICE("multipart/byteranges; boundary="));
    struct slice boundary = {text->data + text->len, RANDOM_TOKEN_LEN};
    if (random_token_append(text) != 0) /* a line that no file holds: nobody knew it before */
        return -1;
    response->media_type = take_appended(text, &begin);

    response->status = HTTP_PARTIAL_CONTENT;
    response->content = RESPONSE_FILE;
    response->file = file;
    for (unsigned i = 0; i < set->count; i++) {
        text_append(text, i == 0 ? SLICE("--") : SLICE("\r\n--"));
        text_append(text, boundary);
        text_append(text, SLICE("\r\nContent-Type: "));
        text_append(text, media_type);
        text_append(text, SLICE("\r\n"));
        add_content_range(text, set->parts[i], len);
        text_append(text, SLICE("\r\n"));
        response->parts[response->part_count++] = (struct response_part){
            .before = take_appended(text, &begin),
            .offset = (off_t)set->parts[i].first,
            .len = range_bytes(set->parts[i]),
        };
    }
    text_append(text, SLICE("\r\n--"));
    text_append(text, boundary);
    text_append(text, SLICE("--\r\n"));
    response->bytes = take_appended(text, &begin);
    return 0;
}

static void answer_unsatisfiable(struct request *request, uint64_t len)
{
    struct text *fields = &request->exchange->response.fields;
    problem_answer(request, HTTP_RANGE_NOT_SATISFIABLE, NULL);
    text_append(fields, SLICE("Content-Range: "));
    range_append_unsatisfied(fields, len);
    text_append(fields, SLICE("\r\n"));
}

/* --- the whole ----------------------------------------------------------------------------- */

static void answer_selected(struct request *request, int file, const struct representation *whole,
                            const struct file_look *look)
{
    struct response *response = &request->exchange->response;
    struct range_set set;
    enum range_outcome outcome =
        range_select(&request->exchange->head, whole->len, &whole->validators, request->now, &set);
    if (outcome == RANGE_UNSATISFIABLE) {
        (void)close(file); /* only read from: nothing can be lost */
        answer_unsatisfiable(request, whole->len);
        return;
    }
    file_look_append_validators(&response->fields, whole, look);
    file_look_append(&response->fields, look);
    response->media_type = look->media_type;
    if (outcome == RANGE_PARTS && set.count == 1) {
        answer_part(response, file, set.parts[0], whole->len);
    } else if (outcome == RANGE_WHOLE || answer_parts(request, file, &set, whole->len) != 0) {
        response->status = HTTP_OK;
        response_set_file(response, file, 0, whole->len);
    }
}

void file_response_make(struct request *request, int file, const struct stat *stat,
                        const struct file_look *look)
{
    struct representation whole;
    struct response *response = &request->exchange->response;
    representation_describe(&whole, stat, request->now);
    enum http_status status =
        precondition_check(&request->exchange->head, &whole.validators, request->now);
    if (status == HTTP_GO_ON) {
        answer_selected(request, file, &whole, look);
        return;
    }
    (void)close(file); /* only read from: nothing can be lost */
    if (status == HTTP_NOT_MODIFIED) {
        response->status = status;
        file_look_append_validators(&response->fields, &whole, look);
    } else {
        problem_answer(request, status, NULL);
    }
}

static void answer_cached(struct response *response, const struct cached_file *cached)
{
    response->status = HTTP_OK;
    response->media_type = cached->media_type;
    text_append(&response->fields, cached->validators);
    text_append(&response->fields, cached->look);
    response->content = RESPONSE_BYTES;
    response->bytes = cached->bytes;
    response->bytes_last = true;
}

void file_response_make_cached(struct request *request, const struct cached_file *cached)
{
    struct response *response = &request->exchange->response;
    enum http_status status =
        precondition_check(&request->exchange->head, &cached->whole.validators, request->now);
    if (status == HTTP_GO_ON) {
        answer_cached(response, cached);
    } else if (status == HTTP_NOT_MODIFIED) {
        response->status = status;
        text_append(&response->fields, cached->validators);
    } else {
        problem_answer(request, status, NULL);
    }
}

void file_response_refuse(struct request *request, int error)
{
    enum http_status status = contained_status_of_errno(error);
    if (status == HTTP_INTERNAL_SERVER_ERROR)
        error_log_errno(LOG_ERROR, error, request->client, "cannot open %s", request->path.data);
    problem_answer(request, status, NULL);
}
