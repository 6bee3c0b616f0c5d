/* The check of a batch: newline-delimited JSON, a document on each line.
 *
 * Lines end with LF or CRLF, the last one need not end. Lines of nothing but white space count as
 * lines, but are no documents. Incremental: memory does not grow with the content, however it is
 * split. All faults are counted, the first few are kept.
 */
#ifndef TARN_SERVER_HANDLERS_UPLOAD_LINES_H
#define TARN_SERVER_HANDLERS_UPLOAD_LINES_H

#include "http/slice.h"
#include "server/handlers/problem.h"
#include "server/json/json_check.h"
#include "server/json/json_excerpt.h"

#define UPLOAD_LINES_FAULTS_MAX 20

struct upload_lines_limits {
    unsigned depth;     /* of each document */
    uint64_t values;    /* of each document */
    uint64_t documents; /* in the content */
};

/* Where a line is wrong; line and offset are those of the whole content. */
struct upload_lines_fault {
    uint64_t line, column, offset;
    char expected[JSON_CHECK_EXPECTED_SIZE];
    char excerpt[JSON_EXCERPT_SIZE];
};

struct upload_lines {
    struct upload_lines_limits limits;
    uint64_t documents;   /* seen so far, right or wrong */
    uint64_t longest_len; /* of the lines, blank ones too, without LF */
    uint64_t fault_count;
    bool is_too_large; /* a limit is exceeded, and the rest is not looked at */
    struct upload_lines_fault faults[UPLOAD_LINES_FAULTS_MAX];

    /* The line under way. */
    uint64_t line;
    uint64_t offset; /* of its first byte */
    uint64_t len;    /* so far */
    bool has_text;   /* not blank */
    bool is_wrong;
    struct json_check check;
    struct json_excerpt excerpt;
};

void upload_lines_init(struct upload_lines *lines, const struct upload_lines_limits *limits);

/* Checks the next piece. Returns whether all is right so far. */
bool upload_lines_feed(struct upload_lines *lines, struct slice piece);

/* Says that the content ends here; without any document that is a fault. Returns the same. */
bool upload_lines_finish(struct upload_lines *lines);

/* Answers for content that was not right. */
void upload_lines_answer(struct request *request, const struct upload_lines *lines);

/* The document on a line that is right, without LF: takes the CR off; empty for a blank line. */
struct slice upload_lines_document(struct slice line);

#endif
