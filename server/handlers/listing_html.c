#include "server/handlers/listing_html.h"

#include "http/text.h"

#include <stdlib.h>
#include <string.h>

/* What pages usually need. Longer names only cost another round. */
#define FRAME_BYTES 2048
#define ROW_BYTES   256

static const struct slice headings[LISTING_KEYS] = {
    [LISTING_BY_NAME] = {"Name", 4},
    [LISTING_BY_SIZE] = {"Size", 4},
    [LISTING_BY_DATE] = {"Modified (UTC)", 14},
};

/* Names keep their spaces, and break anywhere rather than make a phone scroll sideways; there a
 * time stands below its date.
 */
#define STYLE                                                                                      \
    "<style>\n"                                                                                    \
    ":root{color-scheme:light dark}\n"                                                             \
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}\n"        \
    "h1{font-size:1.4rem;overflow-wrap:anywhere}\n"                                                \
    "table{width:100%;border-collapse:collapse}\n"                                                 \
    "th,td{padding:.4rem .5rem;border-bottom:1px solid #8886}\n"                                   \
    "th,td{text-align:left;vertical-align:top}\n"                                                  \
    "td:first-child{white-space:pre-wrap;overflow-wrap:anywhere}\n"                                \
    "td:last-child{width:10ch;font-variant-numeric:tabular-nums}\n"                                \
    "th:nth-child(2),td:nth-child(2){text-align:right;white-space:nowrap}\n"                       \
    "th[aria-sort=ascending] a::after{content:\" \\2191\"}\n"                                      \
    "th[aria-sort=descending] a::after{content:\" \\2193\"}\n"                                     \
    "@media(min-width:40rem){td:last-child{width:16ch}}\n"                                         \
    "</style>\n"

/* -- Cells -- */

static void write_size(struct text *out, uint64_t bytes)
{
    static const char prefixes[] = " KMGTPE";
    size_t prefix = 0;
    unsigned tenths = 0;
    for (; bytes >= 1024; bytes /= 1024, prefix++)
        tenths = (unsigned)(bytes % 1024 * 10 / 1024);
    text_append_u64(out, bytes);
    if (prefix > 0 && bytes < 10) {
        text_append_char(out, '.');
        text_append_u64(out, tenths);
    }
    text_append_char(out, ' ');
    if (prefix > 0) {
        text_append_char(out, prefixes[prefix]);
        text_append_char(out, 'i');
    }
    text_append_char(out, 'B');
}

/* Percent-encoding has no colon left in the name. "./" is for clients that decode it before they
 * look for a scheme (RFC 3986 section 4.2).
 */
static void write_link(struct text *out, struct slice name, bool is_directory)
{
    text_append(out, SLICE("<td><a href=\""));
    if (memchr(name.data, ':', name.len))
        text_append(out, SLICE("./"));
    text_append_percent(out, name);
    text_append(out, is_directory ? SLICE("/\"><bdi>") : SLICE("\"><bdi>"));
    text_append_html(out, name);
    text_append(out, is_directory ? SLICE("/</bdi></a></td>") : SLICE("</bdi></a></td>"));
}

static void write_bytes(struct text *out, const struct listing_entry *entry)
{
    if (entry->is_directory) {
        text_append(out, SLICE("<td></td>"));
        return;
    }
    text_append(out, SLICE("<td title=\""));
    text_append_u64(out, entry->bytes);
    text_append(out, entry->bytes == 1 ? SLICE(" byte\">") : SLICE(" bytes\">"));
    write_size(out, entry->bytes);
    text_append(out, SLICE("</td>"));
}

/* <time datetime="2026-01-02T03:04:05Z">2026-01-02 03:04</time> */
static void write_modified(struct text *out, time_t modified)
{
    char time[LISTING_TIME_LEN + 1];
    listing_entries_format_time(modified, time);
    text_append(out, SLICE("<td><time datetime=\""));
    text_append(out, (struct slice){time, LISTING_TIME_LEN});
    text_append(out, SLICE("\">"));
    text_append(out, (struct slice){time, sizeof("2026-01-02") - 1});
    text_append_char(out, ' ');
    text_append(out, (struct slice){time + sizeof("2026-01-02"), sizeof("03:04") - 1});
    text_append(out, SLICE("</time></td>"));
}

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
    write_link(out, slice_from_string(entry->name), entry->is_directory);
    write_bytes(out, entry);
    write_modified(out, entry->modified);
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
    text_append(out, SLICE("</title>\n" STYLE "</head>\n<body>\n<main>\n<h1>Index of <bdi>"));
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
