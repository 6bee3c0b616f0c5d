#include "server/handlers/listing.h"

#include "http/accept.h"
#include "server/handlers/listing_entries.h"
#include "server/handlers/listing_html.h"
#include "server/handlers/listing_json.h"
#include "server/handlers/problem.h"
#include "server/handlers/query.h"
#include "server/log/error_log.h"

#include <errno.h>

#define HTML SLICE("text/html; charset=utf-8")
#define JSON SLICE("application/json")

/* -- What the client wants -- */

bool listing_prefers_json(const struct head *head)
{
    bool html_by_name;
    bool json_by_name;
    unsigned html = accept_quality(head, HTML, &html_by_name);
    unsigned json = accept_quality(head, JSON, &json_by_name);
    if (html != json)
        return json > html;
    return html == 0 || (json_by_name && !html_by_name);
}

/* The last one counts where there are several. */
static struct listing_order read_order(struct slice query)
{
    struct listing_order order = {LISTING_BY_NAME, false};
    while (query.len > 0) {
        struct slice parameter = slice_take_until(&query, '&');
        for (enum listing_key key = 0; key < LISTING_KEYS; key++)
            if (query_is_setting(parameter, SLICE("sort"), listing_key_names[key]))
                order.key = key;
        if (query_is_setting(parameter, SLICE("order"), SLICE("asc")))
            order.descending = false;
        else if (query_is_setting(parameter, SLICE("order"), SLICE("desc")))
            order.descending = true;
    }
    return order;
}

/* -- The answer -- */

static void answer_error(struct request *request, int error)
{
    enum http_status status = problem_status_of_errno(error);
    error_log_errno(LOG_ERROR, error, request->client, "cannot list %s", request->path.data);
    problem_answer(request, status, NULL);
}

void listing_respond(struct request *request, char *content, struct slice media_type)
{
    struct response *response = &request->exchange->response;
    response->status = HTTP_OK;
    response_set_text(response, content, media_type);
    response_add_field(response, SLICE("Vary"), SLICE("Accept"));
    response_add_field(response, SLICE("Cache-Control"), SLICE("no-cache"));
    response_add_field(response, SLICE("Content-Security-Policy"), LISTING_POLICY);
}

/* Takes the content over; NULL: there was no memory for it. */
static void answer_content(struct request *request, char *content, struct slice media_type)
{
    if (content)
        listing_respond(request, content, media_type);
    else
        answer_error(request, ENOMEM);
}

void listing_answer(struct request *request, int directory)
{
    struct listing_entries entries;
    const struct listing_folder folder = {request->site->root, request->path, LISTING_ENTRIES_MAX};
    if (listing_entries_read(&folder, directory, &entries) != 0) {
        answer_error(request, errno);
        return;
    }
    struct listing_order order = read_order(request->target.query);
    listing_entries_sort(&entries, order);
    if (listing_prefers_json(&request->exchange->head))
        answer_content(request, listing_json_print(request->path, &entries), JSON);
    else
        answer_content(request, listing_html_print(request->path, &entries, order), HTML);
    listing_entries_deinit(&entries);
}
