#include "http/parser.h"

#include "http/octet.h"

#include <assert.h>
#include <string.h>

/* What follows never looks beyond the first head_bytes bytes, and judges whole lines in their
 * order; of an incomplete line it judges only what no later byte can change. So the answer is a
 * function of the bytes alone.
 */

#define VERSION_LEN 8 /* "HTTP/1.1" */

void parser_init(struct parser *parser, struct head *head)
{
    *parser = (struct parser){0};
    /* Not *head = {0}: the array of fields is large and need not be cleared. */
    head->bytes = NULL;
    head->len = 0;
    head->method = METHOD_UNKNOWN;
    head->minor_version = 0;
    head->request_line = head->method_name = head->target = (struct span){0, 0};
    head->field_count = 0;
    head->name_lens = 0;
}

static struct span make_span(size_t offset, size_t len)
{
    return (struct span){(uint16_t)offset, (uint16_t)len};
}

/* RFC 9112 section 2.3; the later versions of HTTP/1 are handled as 1.1 (RFC 9110 section 2.5). */
static enum http_status read_version(const char *version, struct head *head)
{
    char major = version[5];
    char minor = version[7];
    if (memcmp(version, "HTTP/", 5) != 0 || version[6] != '.' || !octet_is_digit(major) ||
        !octet_is_digit(minor) || major == '0')
        return HTTP_BAD_REQUEST;
    if (major != '1')
        return HTTP_VERSION_NOT_SUPPORTED;
    head->minor_version = minor == '0' ? 0 : 1;
    return HTTP_GO_ON;
}

/* RFC 9112 section 3: token SP target SP version, with one space each. The version's length is
 * fixed, so the target is what lies between, and no part may hold a space.
 */
static enum http_status read_request_line(struct head *head, size_t start, size_t len)
{
    const char *line = head->bytes + start;
    head->request_line = make_span(start, len);

    size_t method_len = octet_span(line, len, OCTET_TOKEN);
    if (method_len == 0 || len < method_len + 3 + VERSION_LEN)
        return HTTP_BAD_REQUEST;
    size_t target_start = method_len + 1;
    size_t target_len = len - target_start - 1 - VERSION_LEN;
    if (line[method_len] != ' ' || line[target_start + target_len] != ' ' ||
        octet_span(line + target_start, target_len, OCTET_VISIBLE) != target_len)
        return HTTP_BAD_REQUEST;

    head->method_name = make_span(start, method_len);
    head->method = method_from_slice((struct slice){line, method_len});
    head->target = make_span(start + target_start, target_len);
    return read_version(line + len - VERSION_LEN, head);
}

/* RFC 9112 section 5: name ":" OWS value OWS. A name ends at the colon, so white space before the
 * colon, a folded line and a line without a colon all fail here.
 */
static enum http_status read_field(struct head *head, size_t start, size_t len, unsigned fields_max)
{
    const char *line = head->bytes + start;
    size_t name_len = octet_span(line, len, OCTET_TOKEN);
    if (name_len == 0 || line[name_len] != ':') /* line[len] is the CR */
        return HTTP_BAD_REQUEST;

    struct slice value = slice_trim((struct slice){line + name_len + 1, len - name_len - 1});
    if (!octet_all_in_field(value.data, value.len))
        return HTTP_BAD_REQUEST;
    if (head->field_count == fields_max)
        return HTTP_HEADER_FIELDS_TOO_LARGE;

    head_add(head, make_span(start, name_len),
             make_span((size_t)(value.data - head->bytes), value.len));
    return HTTP_GO_ON;
}

static enum parse_outcome refuse(struct parser *parser, enum http_status status)
{
    parser->status = status;
    return PARSE_BAD;
}

/* Takes one whole line, `len` bytes at line_start without their CRLF. */
static enum parse_outcome take_line(struct parser *parser, struct head *head, size_t len,
                                    unsigned fields_max)
{
    enum http_status status;
    if (parser->in_fields) {
        if (len == 0)
            return PARSE_DONE;
        status = read_field(head, parser->line_start, len, fields_max);
    } else if (len == 0) {
        bool many = parser->leading_lines++ == PARSER_LEADING_LINES_MAX;
        status = many ? HTTP_BAD_REQUEST : HTTP_GO_ON;
    } else {
        status = read_request_line(head, parser->line_start, len);
        parser->in_fields = true;
    }
    return status == HTTP_GO_ON ? PARSE_MORE : refuse(parser, status);
}

/* The head does not fit. A request line that has not even come to the end of its method is
 * answered as the unknown method that it is.
 */
static enum http_status status_of_overflow(const struct parser *parser, struct slice rest)
{
    if (parser->in_fields)
        return HTTP_HEADER_FIELDS_TOO_LARGE;
    size_t method_len = octet_span(rest.data, rest.len, OCTET_TOKEN);
    if (method_len < rest.len)
        return rest.data[method_len] == ' ' ? HTTP_URI_TOO_LONG : HTTP_BAD_REQUEST;
    return method_len > METHOD_LONGEST_LEN ? HTTP_NOT_IMPLEMENTED : HTTP_URI_TOO_LONG;
}

/* A line begins with a token, or it is empty. So what is no HTTP at all, a TLS hello for one, is
 * refused at its first byte.
 */
static bool may_begin_line(struct slice rest)
{
    return rest.len == 0 || octet_is(rest.data[0], OCTET_TOKEN) ||
           (rest.len == 1 && rest.data[0] == '\r');
}

enum parse_outcome parser_run(struct parser *parser, struct head *head,
                              const struct parser_limits *limits, const char *bytes, size_t len)
{
    assert(limits->head_bytes >= 1 && limits->head_bytes <= HEAD_BYTES_MAX);
    assert(limits->head_fields >= 1 && limits->head_fields <= HEAD_FIELDS_MAX);
    if (parser->status != HTTP_GO_ON)
        return PARSE_BAD;

    size_t window = len < limits->head_bytes ? len : limits->head_bytes;
    head->bytes = bytes;
    while (parser->scanned < window) {
        const char *lf = memchr(bytes + parser->scanned, '\n', window - parser->scanned);
        if (!lf)
            break;
        size_t end = (size_t)(lf - bytes);
        if (end == parser->line_start || bytes[end - 1] != '\r')
            return refuse(parser, HTTP_BAD_REQUEST);
        enum parse_outcome outcome =
            take_line(parser, head, end - 1 - parser->line_start, limits->head_fields);
        parser->line_start = parser->scanned = end + 1;
        if (outcome == PARSE_DONE)
            head->len = end + 1;
        if (outcome != PARSE_MORE)
            return outcome;
    }
    parser->scanned = window;

    struct slice rest = {bytes + parser->line_start, window - parser->line_start};
    if (!may_begin_line(rest))
        return refuse(parser, HTTP_BAD_REQUEST);
    if (window == limits->head_bytes)
        return refuse(parser, status_of_overflow(parser, rest));
    return PARSE_MORE;
}

enum http_status parser_status(const struct parser *parser)
{
    return parser->status;
}

bool parser_has_begun(const struct parser *parser, const char *bytes, size_t len)
{
    return parser->in_fields || (len > parser->line_start && bytes[parser->line_start] != '\r');
}
