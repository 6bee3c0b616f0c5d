#include "http/multipart.h"

#include "http/octet.h"

#include <assert.h>
#include <string.h>

/* Where the decoder stands. */
enum state {
    PREAMBLE,  /* what stands before the first delimiter is ignored (RFC 2046 section 5.1.1) */
    CONTENT,   /* of a part */
    DELIMITED, /* after a delimiter */
    PADDING,   /* blanks after it */
    DELIMITED_LF,
    HEAD, /* in a part's header lines */
    HEAD_LF,
    CLOSING,   /* after the first '-' behind a delimiter */
    CLOSED,    /* after the second */
    CLOSED_LF, /* after a CR behind them */
    EPILOGUE,  /* ignored too */
    WRONG,
};

/* The delimiter's CRLF belongs to it, not to what stands before. At the very beginning, and at
 * that of a part's content, this CRLF is one that has been read already.
 */
#define LINE_END_LEN 2

void multipart_init(struct multipart *multipart, struct slice boundary)
{
    assert(boundary.len > 0 && boundary.len <= MULTIPART_BOUNDARY_MAX);
    multipart->state = PREAMBLE;
    multipart->fault = NULL;
    multipart->parts = 0;
    multipart->matched = LINE_END_LEN;
    multipart->held_from = LINE_END_LEN;
    multipart->ignored_bytes = 0;
    memcpy(multipart->delimiter, "\r\n--", 4);
    memcpy(multipart->delimiter + 4, boundary.data, boundary.len);
    multipart->delimiter_len = 4 + boundary.len;
}

static void fail(struct multipart *multipart, const char *fault)
{
    multipart->state = WRONG;
    multipart->fault = fault;
}

static void ignore(struct multipart *multipart, size_t len)
{
    multipart->ignored_bytes += len;
    if (multipart->ignored_bytes > MULTIPART_IGNORED_BYTES_MAX)
        fail(multipart, "There is too much before, between or behind the parts.");
}

/* --- content, up to a delimiter ------------------------------------------------------------ */

/* How many bytes go on with the delimiter from where it stands. */
static size_t match(const struct multipart *multipart, const char *bytes, size_t len)
{
    size_t most = multipart->delimiter_len - multipart->matched;
    size_t count = 0;
    if (len < most)
        most = len;
    while (count < most && bytes[count] == multipart->delimiter[multipart->matched + count])
        count++;
    return count;
}

/* The number of bytes that are certainly no part of a delimiter. Each byte is looked at once: a CR
 * stands nowhere in the delimiter but at its beginning, so no other match can begin within one.
 */
static size_t find_delimiter(const struct multipart *multipart, const char *bytes, size_t len)
{
    size_t at = 0;
    for (;;) {
        /* Where one CR follows another, the calls would cost more than the search. */
        const char *found = bytes[at] == '\r' ? bytes + at : memchr(bytes + at, '\r', len - at);
        if (!found)
            return len;
        at = (size_t)(found - bytes);
        size_t count = match(multipart, found, len - at);
        if (count == multipart->delimiter_len || at + count == len)
            return at;
        at += count;
    }
}

/* What turned out to be content, or what is ignored in its place. */
static void tell_data(struct multipart *multipart, struct slice data, struct multipart_event *event)
{
    if (multipart->state == PREAMBLE) {
        ignore(multipart, data.len);
    } else if (data.len > 0) {
        event->kind = MULTIPART_DATA;
        event->data = data;
    }
}

/* Goes on within what may be a delimiter. Returns how many bytes were used. */
static size_t take_delimiter(struct multipart *multipart, const char *bytes, size_t len,
                             struct multipart_event *event)
{
    size_t count = match(multipart, bytes, len);
    multipart->matched += count;
    if (multipart->matched == multipart->delimiter_len) {
        if (multipart->state == CONTENT)
            event->kind = MULTIPART_END;
        multipart->state = DELIMITED;
    } else if (count < len) {
        /* It was none: what has been held back is the same as the delimiter's beginning. */
        struct slice held = {multipart->delimiter + multipart->held_from,
                             multipart->matched - multipart->held_from};
        multipart->matched = 0;
        multipart->held_from = 0;
        tell_data(multipart, held, event);
    }
    return count;
}

static size_t take_content(struct multipart *multipart, const char *bytes, size_t len,
                           struct multipart_event *event)
{
    if (multipart->matched > 0)
        return take_delimiter(multipart, bytes, len, event);
    size_t count = find_delimiter(multipart, bytes, len);
    if (count == 0)
        return take_delimiter(multipart, bytes, len, event);
    tell_data(multipart, (struct slice){bytes, count}, event);
    return count;
}

/* --- a part's header ----------------------------------------------------------------------- */

static void begin_head(struct multipart *multipart)
{
    multipart->head_len = 0;
    multipart->line_start = 0;
    multipart->state = HEAD;
    if (multipart->parts++ == MULTIPART_PARTS_MAX)
        fail(multipart, "There are more parts than this server takes.");
}

static void keep(struct multipart *multipart, char octet)
{
    if (multipart->head_len == sizeof(multipart->head))
        fail(multipart, "The header of a part is longer than this server takes.");
    else
        multipart->head[multipart->head_len++] = octet;
}

static void end_head(struct multipart *multipart, struct multipart_event *event)
{
    const char *fault = multipart_head_read(multipart->head, multipart->head_len, &event->part);
    if (fault) {
        fail(multipart, fault);
        return;
    }
    event->kind = MULTIPART_PART;
    multipart->state = CONTENT;
    multipart->matched = LINE_END_LEN;
    multipart->held_from = LINE_END_LEN;
}

/* An empty line ends the header. */
static void end_line(struct multipart *multipart, struct multipart_event *event)
{
    if (multipart->head_len == multipart->line_start) {
        end_head(multipart, event);
        return;
    }
    keep(multipart, '\r');
    keep(multipart, '\n');
    multipart->line_start = multipart->head_len;
}

/* --- between them -------------------------------------------------------------------------- */

/* Goes on if the byte is the expected one. */
static void expect(struct multipart *multipart, char octet, char expected, enum state next)
{
    multipart->state = next;
    if (octet != expected)
        fail(multipart, "A line of a boundary, or of a part's header, is malformed.");
}

static void take_after_delimiter(struct multipart *multipart, char octet)
{
    if (octet_is_blank(octet)) {
        multipart->state = PADDING;
        ignore(multipart, 1);
    } else if (octet == '-' && multipart->state == DELIMITED) {
        multipart->state = CLOSING;
    } else {
        expect(multipart, octet, '\r', DELIMITED_LF);
    }
}

static void take_octet(struct multipart *multipart, char octet, struct multipart_event *event)
{
    switch ((enum state)multipart->state) {
    case DELIMITED:
    case PADDING:
        take_after_delimiter(multipart, octet);
        break;
    case DELIMITED_LF:
        expect(multipart, octet, '\n', HEAD);
        if (multipart->state == HEAD)
            begin_head(multipart);
        break;
    case HEAD:
        if (octet_is(octet, OCTET_FIELD))
            keep(multipart, octet);
        else
            expect(multipart, octet, '\r', HEAD_LF);
        break;
    case HEAD_LF:
        expect(multipart, octet, '\n', HEAD);
        if (multipart->state == HEAD)
            end_line(multipart, event);
        break;
    case CLOSING:
        expect(multipart, octet, '-', CLOSED);
        break;
    case CLOSED:
        if (octet_is_blank(octet))
            ignore(multipart, 1);
        else
            expect(multipart, octet, '\r', CLOSED_LF);
        break;
    default: /* CLOSED_LF */
        expect(multipart, octet, '\n', EPILOGUE);
        break;
    }
}

/* Returns how many bytes were used. */
static size_t take(struct multipart *multipart, const char *bytes, size_t len,
                   struct multipart_event *event)
{
    switch ((enum state)multipart->state) {
    case PREAMBLE:
    case CONTENT:
        return take_content(multipart, bytes, len, event);
    case EPILOGUE:
        ignore(multipart, len);
        return len;
    default:
        take_octet(multipart, *bytes, event);
        return 1;
    }
}

enum parse_outcome multipart_decode(struct multipart *multipart, const char *bytes, size_t len,
                                    size_t *out_consumed, struct multipart_event *out_event)
{
    struct multipart_event event = {.kind = MULTIPART_NONE};
    size_t at = 0;
    while (multipart->state != WRONG && at < len && event.kind == MULTIPART_NONE)
        at += take(multipart, bytes + at, len - at, &event);
    if (multipart->state == WRONG)
        return PARSE_BAD;
    *out_consumed = at;
    *out_event = event;
    return PARSE_MORE;
}

enum parse_outcome multipart_finish(struct multipart *multipart)
{
    if (multipart->state == CLOSED || multipart->state == EPILOGUE)
        return PARSE_DONE;
    if (multipart->state != WRONG)
        fail(multipart, "The form ends before its last boundary.");
    return PARSE_BAD;
}

const char *multipart_fault(const struct multipart *multipart)
{
    return multipart->fault;
}
