#include "server/handlers/form_html.h"

#include "http/text.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#define PAGE_BYTES 65536
#define END_BYTES  1280 /* kept for what stands behind the tables; a name has 255 bytes at most */

/* Values keep their lines, and break anywhere rather than make a phone scroll sideways. */
#define STYLE                                                                                      \
    "<style>\n"                                                                                    \
    ":root{color-scheme:light dark}\n"                                                             \
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:0 auto;padding:1rem}\n"        \
    "h1{font-size:1.4rem}\n"                                                                       \
    "table{width:100%;border-collapse:collapse;margin:1rem 0}\n"                                   \
    "th,td{padding:.4rem .5rem;border-bottom:1px solid #8886}\n"                                   \
    "th,td{text-align:left;vertical-align:top;overflow-wrap:anywhere}\n"                           \
    "td{white-space:pre-wrap}\n"                                                                   \
    "</style>\n"

/* -- Rows -- */

static void write_row(struct text *out, const char *name, const cJSON *value)
{
    text_append(out, SLICE("<tr><th scope=\"row\"><bdi>"));
    text_append_html(out, slice_from_string(name));
    text_append(out, SLICE("</bdi></th><td><bdi>"));
    text_append_html(out, slice_from_string(cJSON_GetStringValue(value)));
    text_append(out, SLICE("</bdi></td></tr>\n"));
}

static void write_field(struct text *out, const cJSON *field)
{
    if (!cJSON_IsArray(field)) {
        write_row(out, field->string, field);
        return;
    }
    for (const cJSON *value = field->child; value; value = value->next)
        write_row(out, field->string, value);
}

static struct slice member(const cJSON *object, const char *name)
{
    return slice_from_string(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name)));
}

static void write_file(struct text *out, const cJSON *file)
{
    double bytes = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(file, "bytes"));
    text_append(out, SLICE("<tr><th scope=\"row\"><bdi>"));
    text_append_html(out, member(file, "field"));
    text_append(out, SLICE("</bdi></th><td><a href=\"/files/"));
    text_append_percent(out, member(file, "name"));
    text_append(out, SLICE("\"><bdi>"));
    text_append_html(out, member(file, "filename"));
    text_append(out, SLICE("</bdi></a>, "));
    text_append_u64(out, bytes >= 0 && bytes < 1e18 ? (uint64_t)bytes : 0);
    text_append(out, SLICE(" bytes</td></tr>\n"));
}

/* -- The page -- */

static void write_top(struct text *out)
{
    text_append(out, SLICE("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                           "<meta name=\"viewport\" content=\"width=device-width, "
                           "initial-scale=1\">\n<title>The form has been stored</title>\n" STYLE
                           "</head>\n<body>\n<main>\n<h1>The form has been stored</h1>\n"));
}

/* Appends one row, or takes it back if it does not fit. Returns whether it did. */
static bool append_whole(struct text *out, void (*write)(struct text *out, const cJSON *item),
                         const cJSON *item)
{
    size_t before = out->len;
    write(out, item);
    if (!out->truncated)
        return true;
    out->len = before;
    out->truncated = false;
    return false;
}

/* Returns whether all the rows were written. */
static bool write_rows(struct text *out, const cJSON *items,
                       void (*write)(struct text *out, const cJSON *item))
{
    bool fits = true;
    if (!items->child)
        return true;
    text_append(out, SLICE("<table>\n"));
    for (const cJSON *item = items->child; item; item = item->next)
        if (!append_whole(out, write, item))
            fits = false;
    text_append(out, SLICE("</table>\n"));
    return fits;
}

static bool write_tables(struct text *out, const cJSON *record)
{
    const cJSON *fields = cJSON_GetObjectItemCaseSensitive(record, "fields");
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(record, "files");
    bool fits = write_rows(out, files, write_file);
    return write_rows(out, fields, write_field) && fits;
}

static void write_end(struct text *out, struct slice name, bool is_whole)
{
    if (!is_whole)
        text_append(out, SLICE("<p>It is too long to be shown here as a whole.</p>\n"));
    text_append(out, SLICE("<p><a href=\"/uploads/"));
    text_append_percent(out, name);
    text_append(out, SLICE("\">The record</a> <a href=\"/\">To the start page</a></p>\n"
                           "</main>\n</body>\n</html>\n"));
    text_append_char(out, '\0');
}

char *form_html_print(struct slice name, const cJSON *record)
{
    char *page = malloc(PAGE_BYTES);
    if (!page)
        return NULL;
    struct text text = text_over(page, PAGE_BYTES - END_BYTES);
    write_top(&text);
    bool is_whole = record && write_tables(&text, record);
    text.size = PAGE_BYTES;
    write_end(&text, name, is_whole);
    char *fitting = realloc(page, text.len); /* a slow reader keeps it for a while */
    return fitting ? fitting : page;
}
