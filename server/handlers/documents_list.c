#include "server/handlers/documents_list.h"

#include "server/handlers/conditions.h"
#include "server/handlers/listing.h"
#include "server/handlers/listing_cells.h"
#include "server/handlers/listing_entries.h"
#include "server/handlers/problem.h"
#include "server/handlers/query.h"
#include "server/log/error_log.h"
#include "server/store/store_list.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENTS_USUAL 100

/* What pages usually need. More only costs another round. */
#define FRAME_BYTES 2048
#define ROW_BYTES   256

struct page {
    char before[STORE_NAME_SIZE];
    uint64_t limit;
    struct store_entry *entries;
    size_t count;
    bool has_more;
};

#define NEXT_SIZE (STORE_NAME_SIZE + 64)

/* The target of the next page; `and` stands between its parameters. */
static const char *write_next(const struct page *page, const char *and, char out[NEXT_SIZE])
{
    struct text text = text_over(out, NEXT_SIZE);
    text_append(&text, SLICE("/uploads/?before="));
    text_append(&text, slice_from_string(page->entries[page->count - 1].name));
    text_append(&text, slice_from_string(and));
    text_append(&text, SLICE("limit="));
    text_append_u64(&text, page->limit);
    text_append_char(&text, '\0');
    return out;
}

/* Whether there is a next page that can be named. */
static bool has_next(const struct page *page)
{
    return page->has_more && page->count > 0;
}

/* --- JSON ---------------------------------------------------------------------------------- */

static bool describe(cJSON *object, const struct store_entry *entry)
{
    char modified[LISTING_TIME_LEN + 1];
    listing_entries_format_time(entry->modified, modified);
    return cJSON_AddStringToObject(object, "name", entry->name) &&
           cJSON_AddNumberToObject(object, "bytes", (double)entry->bytes) &&
           cJSON_AddStringToObject(object, "modified", modified);
}

static bool add_entries(cJSON *array, const struct page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        cJSON *object = cJSON_CreateObject();
        if (!object || !describe(object, &page->entries[i])) {
            cJSON_Delete(object);
            return false;
        }
        (void)cJSON_AddItemToArray(array, object); /* fails for NULL only */
    }
    return true;
}

static char *print_json(const struct page *page)
{
    char next[NEXT_SIZE];
    char *printed = NULL;
    cJSON *array;
    cJSON *list = cJSON_CreateObject();
    if (list && (array = cJSON_AddArrayToObject(list, "documents")) != NULL &&
        add_entries(array, page) &&
        (!has_next(page) || cJSON_AddStringToObject(list, "next", write_next(page, "&", next))))
        printed = cJSON_PrintUnformatted(list);
    cJSON_Delete(list);
    return printed;
}

/* --- HTML ---------------------------------------------------------------------------------- */

static void write_rows(struct text *out, const struct page *page)
{
    text_append(out, SLICE("<table>\n<thead>\n<tr><th scope=\"col\">Name</th>"
                           "<th scope=\"col\">Size</th><th scope=\"col\">Stored (UTC)</th></tr>\n"
                           "</thead>\n<tbody>\n"));
    for (size_t i = 0; i < page->count; i++) {
        text_append(out, SLICE("<tr>"));
        listing_cells_link(out, slice_from_string(page->entries[i].name), false);
        listing_cells_bytes(out, page->entries[i].bytes);
        listing_cells_modified(out, page->entries[i].modified);
        text_append(out, SLICE("</tr>\n"));
    }
    text_append(out, SLICE("</tbody>\n</table>\n"));
}

static void write_links(struct text *out, const struct page *page)
{
    char next[NEXT_SIZE];
    text_append(out, SLICE("<p>"));
    if (page->before[0] != '\0')
        text_append(out, SLICE("<a href=\"/uploads/\">Newest</a> "));
    if (has_next(page)) {
        text_append(out, SLICE("<a rel=\"next\" href=\""));
        text_append(out, slice_from_string(write_next(page, "&amp;", next)));
        text_append(out, SLICE("\">Older</a>"));
    }
    text_append(out, SLICE("</p>\n"));
}

static void write_page(struct text *out, const struct page *page)
{
    text_append(out, SLICE("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                           "<meta name=\"viewport\" content=\"width=device-width, "
                           "initial-scale=1\">\n<title>Stored documents</title>\n" LISTING_STYLE
                           "</head>\n<body>\n<main>\n<h1>Stored documents</h1>\n"));
    if (page->count > 0)
        write_rows(out, page);
    else
        text_append(out, SLICE("<p>There is nothing to list here.</p>\n"));
    write_links(out, page);
    text_append(out, SLICE("</main>\n</body>\n</html>\n"));
    text_append_char(out, '\0');
}

static char *print_html(const struct page *page)
{
    for (size_t size = FRAME_BYTES + ROW_BYTES * page->count;; size *= 2) {
        char *printed = malloc(size);
        if (!printed)
            return NULL;
        struct text text = text_over(printed, size);
        write_page(&text, page);
        if (!text.truncated)
            return printed;
        free(printed);
    }
}

/* --- the answer ---------------------------------------------------------------------------- */

/* Reads which page is wanted. Returns false for what is none. */
static bool read_query(struct slice query, struct page *out)
{
    struct slice before = query_find(query, SLICE("before"));
    struct slice limit = query_find(query, SLICE("limit"));
    *out = (struct page){.limit = DOCUMENTS_USUAL};
    if (before.len >= sizeof(out->before))
        return false;
    if (before.len > 0)
        memcpy(out->before, before.data, before.len);
    if (before.len > 0 && !store_name_is_document(out->before))
        return false;
    if (limit.len > 0 && slice_to_u64(limit, &out->limit) != 0)
        return false;
    return out->limit >= 1 && out->limit <= STORE_LIST_MAX;
}

static void answer_error(struct request *request, int error)
{
    enum http_status status = problem_status_of_errno(error);
    error_log_errno(LOG_ERROR, error, request->client, "cannot list the stored documents");
    problem_answer(request, status, NULL);
}

static void answer_page(struct request *request, const struct page *page)
{
    bool json = listing_prefers_json(&request->exchange->head);
    char *printed = json ? print_json(page) : print_html(page);
    if (!printed) {
        answer_error(request, ENOMEM);
        return;
    }
    listing_respond(request, printed,
                    json ? SLICE("application/json") : SLICE("text/html; charset=utf-8"));
    conditions_judge(request);
}

void documents_list_answer(struct request *request)
{
    struct page page;
    if (!read_query(request->target.query, &page)) {
        problem_answer(request, HTTP_BAD_REQUEST,
                       "The query must be before=NAME of a document, limit=1 to 1000, or both.");
        return;
    }
    page.entries = malloc(page.limit * sizeof(*page.entries));
    ssize_t count = page.entries ? store_list(request->site->store, page.before, page.entries,
                                              page.limit, &page.has_more)
                                 : -1;
    if (count >= 0) {
        page.count = (size_t)count;
        answer_page(request, &page);
    } else {
        answer_error(request, errno);
    }
    free(page.entries);
}
