#include "server/handlers/listing_html.h"

#include "http/text.h"
#include "server/handlers/listing_cells.h"

#include <stdlib.h>

/* What pages usually need. Longer names only cost another round. */
#define FRAME_BYTES 2048
#define ROW_BYTES   256

static const struct slice headings[LISTING_KEYS] = {
    [LISTING_BY_NAME] = {"Name", 4},
    [LISTING_BY_SIZE] = {"Size", 4},
    [LISTING_BY_DATE] = {"Modified (UTC)", 14},
};

/* -- The table -- */

/* The link of the column that is sorted by turns its order round. */
static void write_heading(struct text *out, enum listing_key key, struct listing_order order)
{
    bool is_sorted = key == order.key;
    text_append(out, SLICE("<th scope=\"col\""));
    if (is_sorted)
        text_append(out, order.descending ? SLICE(" aria-sort=\"descending\"")
                                          : SLICE(" aria-sort=\"ascending\""));
    text_append(out, SLICE("><a href=\"?sort="));
    text_append(out, listing_key_names[key]);
    text_append(out, is_sorted && !order.descending ? SLICE("&amp;order=desc\">")
                                                    : SLICE("&amp;order=asc\">"));
    text_append(out, headings[key]);
    text_append(out, SLICE("</a></th>"));
}

static void write_row(struct text *out, const struct listing_entry *entry)
{
    text_append(out, SLICE("<tr>"));
    listing_cells_link(out, slice_from_string(entry->name), entry->is_directory);
    if (entry->is_directory)
        text_append(out, SLICE("<td></td>"));
    else
        listing_cells_bytes(out, entry->bytes);
    listing_cells_modified(out, entry->modified);
    text_append(out, SLICE("</tr>\n"));
}

static void write_table(struct text *out, const struct listing_entries *entries,
                        struct listing_order order)
{
    text_append(out, SLICE("<table>\n<thead>\n<tr>"));
    for (enum listing_key key = 0; key < LISTING_KEYS; key++)
        write_heading(out, key, order);
    text_append(out, SLICE("</tr>\n</thead>\n<tbody>\n"));
    for (size_t i = 0; i < entries->count; i++)
        write_row(out, entries->items[i]);
    text_append(out, SLICE("</tbody>\n</table>\n"));
}

/* -- The page -- */

static void write_top(struct text *out, struct slice path)
{
    text_append(out, SLICE("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                           "<meta name=\"viewport\" content=\"width=device-width, "
                           "initial-scale=1\">\n<title>Index of "));
    text_append_html(out, path);
    text_append(out,
                SLICE("</title>\n" LISTING_STYLE "</head>\n<body>\n<main>\n<h1>Index of <bdi>"));
    text_append_html(out, path);
    text_append(out, SLICE("</bdi></h1>\n"));
    if (path.len > 1)
        text_append(out, SLICE("<p><a href=\"../\">Parent directory</a></p>\n"));
}

static void write_page(struct text *out, struct slice path, const struct listing_entries *entries,
                       struct listing_order order)
{
    write_top(out, path);
    if (entries->count > 0)
        write_table(out, entries, order);
    else
        text_append(out, SLICE("<p>There is nothing to list here.</p>\n"));
    if (entries->has_more) {
        text_append(out, SLICE("<p>There is more in this directory: only "));
        text_append_u64(out, entries->count);
        text_append(out, SLICE(" entries are listed.</p>\n"));
    }
    text_append(out, SLICE("</main>\n</body>\n</html>\n"));
    text_append_char(out, '\0');
}

char *listing_html_print(struct slice path, const struct listing_entries *entries,
                         struct listing_order order)
{
    for (size_t size = FRAME_BYTES + ROW_BYTES * entries->count;; size *= 2) {
        char *page = malloc(size);
        if (!page)
            return NULL;
        struct text text = text_over(page, size);
        write_page(&text, path, entries, order);
        if (!text.truncated)
            return page;
        free(page);
    }
}
