#include "tester/answer.h"

#include <stdlib.h>
#include <string.h>

void answer_deinit(struct answer *answer)
{
    free(answer->head);
    free(answer->content);
    *answer = (struct answer){0};
}

/* realloc() of glibc grows large blocks in place or by moving pages, so that a size that fits
 * costs no copying.
 */
static int append(char **bytes, size_t *len, struct slice more)
{
    if (more.len == 0)
        return 0;
    char *grown = realloc(*bytes, *len + more.len);
    if (grown == NULL)
        return -1;
    memcpy(grown + *len, more.data, more.len);
    *bytes = grown;
    *len += more.len;
    return 0;
}

int answer_take_line(struct answer *answer, struct slice line)
{
    if (slice_starts_with(line, SLICE("HTTP/")))
        answer->head_len = 0;
    return append(&answer->head, &answer->head_len, line);
}

int answer_take_content(struct answer *answer, struct slice bytes)
{
    return append(&answer->content, &answer->content_len, bytes);
}

/* Takes the first line off *rest; it is without its end. */
static struct slice next_line(struct slice *rest)
{
    const char *end = memchr(rest->data, '\n', rest->len);
    struct slice line = {rest->data, end == NULL ? rest->len : (size_t)(end - rest->data)};
    size_t taken = end == NULL ? line.len : line.len + 1;
    *rest = (struct slice){rest->data + taken, rest->len - taken};
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

bool answer_next_field(struct slice *rest, struct slice name, struct slice *out_value)
{
    struct slice lines = *rest;
    while (lines.len > 0) {
        struct slice line = next_line(&lines);
        struct slice start = {line.data, name.len};
        if (line.len <= name.len || line.data[name.len] != ':' || !slice_equal_nocase(start, name))
            continue;
        *out_value = slice_trim((struct slice){line.data + name.len + 1, line.len - name.len - 1});
        *rest = lines;
        return true;
    }
    return false;
}

struct slice answer_head(const struct answer *answer)
{
    return (struct slice){answer->head, answer->head_len};
}

struct slice answer_content(const struct answer *answer)
{
    return (struct slice){answer->content, answer->content_len};
}
