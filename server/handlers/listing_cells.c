#include "server/handlers/listing_cells.h"

#include "server/handlers/listing_entries.h"

#include <string.h>

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
void listing_cells_link(struct text *out, struct slice name, bool is_directory)
{
    text_append(out, SLICE("<td><a href=\""));
    if (memchr(name.data, ':', name.len))
        text_append(out, SLICE("./"));
    text_append_percent(out, name);
    text_append(out, is_directory ? SLICE("/\"><bdi>") : SLICE("\"><bdi>"));
    text_append_html(out, name);
    text_append(out, is_directory ? SLICE("/</bdi></a></td>") : SLICE("</bdi></a></td>"));
}

void listing_cells_bytes(struct text *out, uint64_t bytes)
{
    text_append(out, SLICE("<td title=\""));
    text_append_u64(out, bytes);
    text_append(out, bytes == 1 ? SLICE(" byte\">") : SLICE(" bytes\">"));
    write_size(out, bytes);
    text_append(out, SLICE("</td>"));
}

/* <time datetime="2026-01-02T03:04:05Z">2026-01-02 03:04</time> */
void listing_cells_modified(struct text *out, time_t modified)
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
