/* What the pages of lists have in common: their style, and the cells of a row. Any thread. */
#ifndef TARN_SERVER_HANDLERS_LISTING_CELLS_H
#define TARN_SERVER_HANDLERS_LISTING_CELLS_H

#include "http/text.h"

#include <time.h>

/* Names keep their spaces, and break anywhere rather than make a phone scroll sideways; there a
 * time stands below its date.
 */
#define LISTING_STYLE                                                                              \
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

/* A name that is a link to what has it, beside the page. UTF-8. */
void listing_cells_link(struct text *out, struct slice name, bool is_directory);

/* A size, rounded for people; the title has it whole. */
void listing_cells_bytes(struct text *out, uint64_t bytes);

/* A time, in UTC. */
void listing_cells_modified(struct text *out, time_t modified);

#endif
