#include "server/handlers/file_response.h"

#include "http/date.h"
#include "http/range.h"
#include "server/handlers/contained.h"
#include "server/handlers/problem.h"
#include "server/handlers/random_token.h"
#include "server/handlers/representation.h"
#include "server/log/error_log.h"

#include <assert.h>
#include <unistd.h>

static_assert(RANGE_PARTS_MAX <= RESPONSE_PARTS_MAX, "each range is a part of the response");

/* Fields that a 304 has too (RFC 9110 section 15.4.5). */
static void add_validators(struct response *response, const struct representation *file,
                           const struct file_look *look)
{
    char date[DATE_LEN + 1];
    date_format(file->validators.last_modified, date);
    response_add_field(response, SLICE("Last-Modified"), (struct slice){date, DATE_LEN});
    response_add_field(response, SLICE("ETag"), file->validators.etag);
    if (look->cache_control.len > 0)
        response_add_field(response, SLICE("Cache-Control"), look->cache_control);
}

static void add_look(struct response *response, const struct file_look *look)
{
    response->media_type = look->media_type;
    response_add_field(response, SLICE("Accept-Ranges"), SLICE("bytes"));
    if (look->download_name.len > 0) {
        text_append(&response->fields, SLICE("Content-Disposition: "));
        text_append_attachment(&response->fields, look->download_name);
        text_append(&response->fields, SLICE("\r\n"));
    }
    if (look->policy.len > 0)
        response_add_field(response, SLICE("Content-Security-Policy"), look->policy);
}

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

static void answer_whole(struct response *response, const struct file_source *source, uint64_t len)
{
    response->status = HTTP_OK;
    if (source->file >= 0) {
        response_set_file(response, source->file, 0, len);
    } else {
        response->content = RESPONSE_BYTES;
        response->bytes = source->bytes;
    }
}

static void close_source(const struct file_source *source)
{
    if (source->file >= 0)
        (void)close(source->file); /* only read from: nothing can be lost */
}

/* Of what is in memory always the whole. */
static enum range_outcome select_ranges(const struct request *request,
                                        const struct file_source *source,
                                        const struct representation *whole, struct range_set *out)
{
    if (source->file < 0)
        return RANGE_WHOLE;
    return range_select(&request->exchange->head, whole->len, &whole->validators, request->now,
                        out);
}

static void answer_selected(struct request *request, const struct file_source *source,
                            const struct representation *whole, const struct file_look *look)
{
    struct response *response = &request->exchange->response;
    struct range_set set;
    enum range_outcome outcome = select_ranges(request, source, whole, &set);
    if (outcome == RANGE_UNSATISFIABLE) {
        close_source(source);
        answer_unsatisfiable(request, whole->len);
        return;
    }
    add_validators(response, whole, look);
    add_look(response, look);
    if (outcome == RANGE_PARTS && set.count == 1)
        answer_part(response, source->file, set.parts[0], whole->len);
    else if (outcome == RANGE_WHOLE || answer_parts(request, source->file, &set, whole->len) != 0)
        answer_whole(response, source, whole->len);
}

void file_response_make(struct request *request, const struct file_source *source,
                        const struct stat *stat, const struct file_look *look)
{
    struct representation whole;
    representation_describe(&whole, stat, request->now);
    enum http_status status =
        precondition_check(&request->exchange->head, &whole.validators, request->now);
    if (status == HTTP_GO_ON) {
        answer_selected(request, source, &whole, look);
        return;
    }
    close_source(source);
    if (status == HTTP_NOT_MODIFIED) {
        request->exchange->response.status = status;
        add_validators(&request->exchange->response, &whole, look);
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
