#include "server/handlers/problem.h"

#include "http/accept.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>

const char *problem_detail(enum http_status status)
{
    switch (status) {
    case HTTP_BAD_REQUEST:
        return "The request is not well-formed.";
    case HTTP_UNAUTHORIZED:
        return "This needs a valid token, sent as `Authorization: Bearer TOKEN`.";
    case HTTP_FORBIDDEN:
        return "Access to this resource is refused.";
    case HTTP_NOT_FOUND:
        return "There is nothing at this address.";
    case HTTP_METHOD_NOT_ALLOWED:
        return "This resource does not know that method; the Allow field lists those it does.";
    case HTTP_REQUEST_TIMEOUT:
        return "The request did not arrive in time.";
    case HTTP_CONFLICT:
        return "There is something at this address already.";
    case HTTP_LENGTH_REQUIRED:
        return "The request must have content, of a known length or chunked.";
    case HTTP_PRECONDITION_FAILED:
        return "The resource is not in the state that the request names.";
    case HTTP_RANGE_NOT_SATISFIABLE:
        return "None of the ranges overlaps the file; the Content-Range field has its length.";
    case HTTP_CONTENT_TOO_LARGE:
        return "The content of the request is larger than this server takes.";
    case HTTP_URI_TOO_LONG:
        return "The request target is longer than this server takes.";
    case HTTP_UNSUPPORTED_MEDIA_TYPE:
        return "This resource does not take content of that media type.";
    case HTTP_EXPECTATION_FAILED:
        return "The only expectation that is met is 100-continue.";
    case HTTP_HEADER_FIELDS_TOO_LARGE:
        return "The header fields are more, or longer, than this server takes.";
    case HTTP_INTERNAL_SERVER_ERROR:
        return "Something went wrong in the server; the request has not been carried out.";
    case HTTP_NOT_IMPLEMENTED:
        return "This server does not know that method or transfer coding.";
    case HTTP_SERVICE_UNAVAILABLE:
        return "The server is busy; try again soon.";
    case HTTP_VERSION_NOT_SUPPORTED:
        return "This server speaks HTTP/1.1.";
    case HTTP_INSUFFICIENT_STORAGE:
        return "There is not enough room to store this.";
    default:
        return "The request could not be answered.";
    }
}

enum http_status problem_status_of_errno(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return HTTP_INSUFFICIENT_STORAGE;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return HTTP_SERVICE_UNAVAILABLE;
    default:
        return HTTP_INTERNAL_SERVER_ERROR;
    }
}

/* --- the three forms ----------------------------------------------------------------------- */

enum form { FORM_TEXT, FORM_HTML, FORM_JSON };

/* How welcome a media type is that the client names; 0 for one that only a wildcard covers. */
static unsigned named_quality(const struct request *request, struct slice media_type)
{
    bool by_name = false;
    unsigned quality = accept_quality(&request->exchange->head, media_type, &by_name);
    return by_name ? quality : 0;
}

static enum form choose_form(const struct request *request)
{
    unsigned text = named_quality(request, SLICE("text/plain;charset=utf-8"));
    unsigned html = named_quality(request, SLICE("text/html;charset=utf-8"));
    unsigned json = named_quality(request, SLICE("application/json"));
    unsigned problem = named_quality(request, SLICE("application/problem+json"));
    if (problem > json)
        json = problem;
    if (json > html && json >= text)
        return FORM_JSON;
    return html > 0 && html >= text ? FORM_HTML : FORM_TEXT;
}

static bool add_place(cJSON *problem, const struct problem_place *place)
{
    return cJSON_AddNumberToObject(problem, "line", (double)place->line) &&
           cJSON_AddNumberToObject(problem, "column", (double)place->column) &&
           cJSON_AddNumberToObject(problem, "offset", (double)place->offset) &&
           cJSON_AddStringToObject(problem, "expected", place->expected) &&
           (!place->excerpt || cJSON_AddStringToObject(problem, "excerpt", place->excerpt));
}

static bool add_places(cJSON *problem, const struct problem_places *places)
{
    cJSON *errors = cJSON_AddArrayToObject(problem, "errors");
    if (!errors || !cJSON_AddNumberToObject(problem, "total", (double)places->total))
        return false;
    for (size_t i = 0; i < places->count; i++) {
        cJSON *error = cJSON_CreateObject();
        if (!error || !cJSON_AddItemToArray(errors, error))
            return false;
        if (!add_place(error, &places->items[i]))
            return false;
    }
    return true;
}

/* What there is to say beside status and detail. */
struct particulars {
    const struct problem_place *place;   /* NULL: none */
    const struct problem_places *places; /* NULL: none */
};

static bool add_particulars(cJSON *problem, const struct particulars *particulars)
{
    return (!particulars->place || add_place(problem, particulars->place)) &&
           (!particulars->places || add_places(problem, particulars->places));
}

/* Returns the document, owned by the caller; NULL without memory. */
static char *print_json(enum http_status status, const char *detail,
                        const struct particulars *particulars)
{
    char *printed = NULL;
    cJSON *problem = cJSON_CreateObject();
    if (problem && cJSON_AddStringToObject(problem, "type", "about:blank") &&
        cJSON_AddStringToObject(problem, "title", http_status_reason(status).data) &&
        cJSON_AddNumberToObject(problem, "status", (double)status) &&
        cJSON_AddStringToObject(problem, "detail", detail) && add_particulars(problem, particulars))
        printed = cJSON_PrintUnformatted(problem);
    cJSON_Delete(problem);
    return printed;
}

static void write_html(struct text *out, enum http_status status, const char *detail)
{
    text_append(out, SLICE("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                           "<meta name=\"viewport\" content=\"width=device-width\">\n<title>"));
    text_append_u64(out, (uint64_t)status);
    text_append_char(out, ' ');
    text_append_html(out, http_status_reason(status));
    text_append(out, SLICE("</title>\n<style>:root{color-scheme:light dark}body{font:1rem/1.6 "
                           "system-ui,sans-serif;max-width:36rem;margin:15vh auto;"
                           "padding:0 1.5rem}</style>\n<h1>"));
    text_append_html(out, http_status_reason(status));
    text_append(out, SLICE("</h1>\n<p>"));
    text_append_html(out, slice_from_string(detail));
    text_append(out, SLICE("</p>\n<p><a href=\"/\">To the start page</a></p>\n</html>\n"));
}

static void write_text(struct text *out, enum http_status status, const char *detail)
{
    text_append_u64(out, (uint64_t)status);
    text_append_char(out, ' ');
    text_append(out, http_status_reason(status));
    text_append(out, SLICE(": "));
    text_append(out, slice_from_string(detail));
    text_append_char(out, '\n');
}

static void answer(struct request *request, enum http_status status, const char *detail,
                   const struct particulars *particulars)
{
    struct response *response = &request->exchange->response;
    response->status = status;
    response->content = RESPONSE_BYTES;
    if (status == HTTP_SERVICE_UNAVAILABLE)
        response_add_field(response, SLICE("Retry-After"), SLICE("1"));
    bool is_fixed = request->handler && request->handler->errors_are_json;
    enum form form = is_fixed ? FORM_JSON : choose_form(request);
    if (!is_fixed)
        response_add_field(response, SLICE("Vary"), SLICE("Accept"));
    if (form == FORM_JSON) {
        response->owned = print_json(status, detail, particulars);
        if (response->owned) {
            response->media_type = SLICE("application/problem+json");
            response->bytes = slice_from_string(response->owned);
            return;
        }
    }
    request->content.len = 0;
    if (form == FORM_HTML) {
        response->media_type = SLICE("text/html; charset=utf-8");
        write_html(&request->content, status, detail);
    } else {
        response->media_type = SLICE("text/plain; charset=utf-8");
        write_text(&request->content, status, detail);
    }
    response->bytes = text_slice(&request->content);
}

void problem_answer(struct request *request, enum http_status status, const char *detail)
{
    answer(request, status, detail ? detail : problem_detail(status), &(struct particulars){0});
}

void problem_answer_place(struct request *request, const struct problem_place *place)
{
    char detail[160];
    (void)snprintf(detail, sizeof(detail), "Line %zu, column %zu: expected %s.", place->line,
                   place->column, place->expected);
    answer(request, HTTP_BAD_REQUEST, detail, &(struct particulars){.place = place});
}

void problem_answer_places(struct request *request, const struct problem_places *places)
{
    const struct problem_place *first = &places->items[0];
    char detail[160];
    (void)snprintf(detail, sizeof(detail),
                   "%zu of the lines are wrong; line %zu, column %zu: expected %s.", places->total,
                   first->line, first->column, first->expected);
    answer(request, HTTP_BAD_REQUEST, detail, &(struct particulars){.places = places});
}
