/* The strict, incremental parser of a request head (RFC 9112 sections 2 to 5).
 *
 * Pure: bytes in, spans out; no system call, no allocation, no memory of its own beyond the two
 * structs. It is strict where leniency has let requests be smuggled: no bare LF, no bare CR, no
 * obs-fold, no white space before the colon, no NUL or other control byte, one space between the
 * parts of the request line. The answer for the same bytes is the same, however they are split.
 */
#ifndef TARN_HTTP_PARSER_H
#define TARN_HTTP_PARSER_H

#include "http/head.h"
#include "http/parse.h"
#include "http/status.h"

struct parser_limits {
    size_t head_bytes;    /* with all line ends and leading empty lines; 1 ... HEAD_BYTES_MAX */
    unsigned head_fields; /* 1 ... HEAD_FIELDS_MAX */
};

/* Empty lines before the request line that are passed over (RFC 9112 section 2.2). */
#define PARSER_LEADING_LINES_MAX 4

/* Owned by the caller; all members are the parser's. */
struct parser {
    size_t line_start; /* offset of the line that is not complete yet */
    size_t scanned;    /* no line end before this offset and after line_start */
    unsigned leading_lines;
    bool in_fields; /* the request line is done */
    enum http_status status;
};

/* Begins a new head. Also resets *head. */
void parser_init(struct parser *parser, struct head *head);

/* Parses what has come in of the head so far.
 * `bytes`/`len` are all the bytes received from the first byte of this head on, those of earlier
 * calls included (the buffer may have moved), and may go beyond the head's end. len may be 0.
 * PARSE_DONE: head->len says where the body or the next request begins; head->bytes is `bytes`.
 * PARSE_BAD: parser_status() is the answer, after which the connection must be closed: 400, 414
 * (the request line does not fit), 431 (the field section does not), 501 (not even the method
 * fits), 505. For the log, head->request_line is the line as received, or empty if it was refused
 * before it was whole, and head->bytes is `bytes`; nothing else of the head may be used.
 * After DONE or BAD the next call is parser_init().
 */
enum parse_outcome parser_run(struct parser *parser, struct head *head,
                              const struct parser_limits *limits, const char *bytes, size_t len);

/* Whether a request has begun in the bytes that parser_run() has seen last: there is more than
 * empty lines, or the CR of one.
 */
bool parser_has_begun(const struct parser *parser, const char *bytes, size_t len);

/* The status to answer after PARSE_BAD. */
enum http_status parser_status(const struct parser *parser);

#endif
