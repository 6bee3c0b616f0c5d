#include "server/handlers/upload_lines.h"

#include <string.h>

#define TOO_LARGE "The content has more lines, or a line more values, than this server takes."

/* --- one line ------------------------------------------------------------------------------- */

/* The white space of JSON (RFC 8259 section 2), as far as it may stand within a line. */
static bool is_blank(struct slice text)
{
    size_t at = 0;
    while (at < text.len &&
           (text.data[at] == ' ' || text.data[at] == '\t' || text.data[at] == '\r'))
        at++;
    return at == text.len;
}

struct slice upload_lines_document(struct slice line)
{
    if (is_blank(line))
        return (struct slice){line.data, 0};
    if (line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

static void begin_line(struct upload_lines *lines, uint64_t offset)
{
    lines->line++;
    lines->offset = offset;
    lines->len = 0;
    lines->has_text = false;
    lines->is_wrong = false;
    lines->excerpt = (struct json_excerpt){0};
    json_check_init(&lines->check, lines->limits.depth, lines->limits.values);
}

/* Notes the fault that the check has found, but for the excerpt: more of the line may come. */
static void note_fault(struct upload_lines *lines)
{
    lines->is_wrong = true;
    lines->is_too_large |= json_check_is_too_large(&lines->check);
    if (lines->fault_count < UPLOAD_LINES_FAULTS_MAX) {
        struct upload_lines_fault *fault = &lines->faults[lines->fault_count];
        fault->line = lines->line;
        fault->column = lines->check.column;
        fault->offset = lines->offset + lines->check.offset;
        memcpy(fault->expected, lines->check.expected, sizeof(fault->expected));
    }
    lines->fault_count++;
}

static void count_document(struct upload_lines *lines)
{
    lines->has_text = true;
    lines->is_too_large |= ++lines->documents > lines->limits.documents;
}

/* Checks the next part of the line, without its LF. */
static void check_part(struct upload_lines *lines, struct slice part)
{
    if (!lines->has_text && !is_blank(part))
        count_document(lines);
    lines->len += part.len;
    if (lines->is_wrong) {
        json_excerpt_take(&lines->excerpt, part);
        return;
    }
    size_t begin = (size_t)lines->check.offset;
    if (json_check_feed(&lines->check, part.data, part.len) != PARSE_BAD) {
        json_excerpt_pass(&lines->excerpt, part);
        return;
    }
    size_t right = (size_t)lines->check.offset - begin;
    note_fault(lines);
    json_excerpt_pass(&lines->excerpt, (struct slice){part.data, right});
    json_excerpt_take(&lines->excerpt, (struct slice){part.data + right, part.len - right});
}

static void end_line(struct upload_lines *lines)
{
    if (lines->len > lines->longest_len)
        lines->longest_len = lines->len;
    if (lines->has_text && !lines->is_wrong && json_check_finish(&lines->check) != PARSE_DONE)
        note_fault(lines);
    if (lines->is_wrong && lines->fault_count <= UPLOAD_LINES_FAULTS_MAX)
        json_excerpt_print(&lines->excerpt, lines->faults[lines->fault_count - 1].excerpt);
}

/* --- all lines ------------------------------------------------------------------------------ */

void upload_lines_init(struct upload_lines *lines, const struct upload_lines_limits *limits)
{
    *lines = (struct upload_lines){.limits = *limits};
    begin_line(lines, 0);
}

static bool is_right(const struct upload_lines *lines)
{
    return lines->fault_count == 0 && !lines->is_too_large;
}

bool upload_lines_feed(struct upload_lines *lines, struct slice piece)
{
    while (piece.len > 0 && !lines->is_too_large) {
        const char *feed = memchr(piece.data, '\n', piece.len);
        size_t len = feed ? (size_t)(feed - piece.data) : piece.len;
        check_part(lines, (struct slice){piece.data, len});
        if (feed) {
            end_line(lines);
            begin_line(lines, lines->offset + lines->len + 1);
            len++;
        }
        piece.data += len;
        piece.len -= len;
    }
    return is_right(lines);
}

bool upload_lines_finish(struct upload_lines *lines)
{
    if (lines->is_too_large)
        return false;
    end_line(lines);
    if (lines->documents == 0) {
        (void)json_check_finish(&lines->check); /* of a text that is blank: a fault */
        note_fault(lines);
    }
    return is_right(lines);
}

/* --- the answer ----------------------------------------------------------------------------- */

void upload_lines_answer(struct request *request, const struct upload_lines *lines)
{
    struct problem_place places[UPLOAD_LINES_FAULTS_MAX];
    struct problem_places list = {.items = places, .total = (size_t)lines->fault_count};
    if (lines->is_too_large) {
        problem_answer(request, HTTP_CONTENT_TOO_LARGE, TOO_LARGE);
        return;
    }
    while (list.count < UPLOAD_LINES_FAULTS_MAX && list.count < list.total) {
        const struct upload_lines_fault *fault = &lines->faults[list.count];
        places[list.count++] = (struct problem_place){
            .line = fault->line,
            .column = fault->column,
            .offset = fault->offset,
            .expected = fault->expected,
            .excerpt = fault->excerpt,
        };
    }
    problem_answer_places(request, &list);
}
