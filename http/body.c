#include "http/body.h"

#include "http/octet.h"

/* Where the decoder stands. The order matters: extensions and trailers are ranges. */
enum state {
    CHUNK_START, /* before the first digit of a chunk's size */
    SIZE,
    EXTENSION_BLANK,       /* white space before a ';' */
    EXTENSION_START,       /* after a ';' */
    EXTENSION_NAME,        /* in a name */
    EXTENSION_NAME_BLANK,  /* white space after a name */
    EXTENSION_VALUE_START, /* after a '=' */
    EXTENSION_TOKEN,       /* in a value */
    EXTENSION_QUOTED,      /* in a quoted value */
    EXTENSION_ESCAPE,      /* after its backslash */
    EXTENSION_QUOTED_END,  /* after its second quote */
    SIZE_LF,               /* after the CR of a size line */
    DATA,                  /* in the content; of a length or of a chunk */
    DATA_CR,               /* after a chunk's content */
    DATA_LF,
    TRAILER_START, /* at the beginning of a line of the trailer section */
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF, /* after the CR of a trailer line */
    END_LF,     /* after the CR of the empty line that ends the body */
    END,
    WRONG,
};

/* Sixteen fill a uint64_t. Leading zeros count: nobody needs a thousand of them. */
#define SIZE_DIGITS_MAX 16

enum http_status body_init(struct body *body, const struct framing *framing, uint64_t limit)
{
    *body = (struct body){
        .kind = framing->kind,
        .state = CHUNK_START,
        .limit = limit > 0 ? limit : UINT64_MAX,
    };
    if (framing->kind == FRAMING_CHUNKED)
        return HTTP_GO_ON;
    if (framing->kind == FRAMING_LENGTH)
        body->remaining = framing->length;
    body->state = body->remaining > 0 ? DATA : END;
    if (body->remaining > body->limit)
        body->status = HTTP_CONTENT_TOO_LARGE;
    return body->status;
}

/* After a size or a value: the line's end or another extension. */
static enum state after_item(char octet)
{
    if (octet == '\r')
        return SIZE_LF;
    if (octet == ';')
        return EXTENSION_START;
    return octet_is_blank(octet) ? EXTENSION_BLANK : WRONG;
}

/* White space in a size line is allowed only between an item and what follows it. */
static enum state after_blank(enum state state, char octet)
{
    if (octet_is_blank(octet))
        return state;
    return octet == ';' ? EXTENSION_START : WRONG;
}

static enum state after_quoted(char octet)
{
    if (octet == '"')
        return EXTENSION_QUOTED_END;
    if (octet == '\\')
        return EXTENSION_ESCAPE;
    return octet_is(octet, OCTET_FIELD) ? EXTENSION_QUOTED : WRONG;
}

/* RFC 9112 section 7.1.1:
 * chunk-size *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ) CRLF
 */
static enum state next_in_size_line(enum state state, char octet)
{
    switch (state) {
    case CHUNK_START:
        return octet_hex(octet) >= 0 ? SIZE : WRONG;
    case SIZE:
        return octet_hex(octet) >= 0 ? SIZE : after_item(octet);
    case EXTENSION_BLANK:
        return after_blank(state, octet);
    case EXTENSION_START:
        if (octet_is_blank(octet))
            return EXTENSION_START;
        return octet_is(octet, OCTET_TOKEN) ? EXTENSION_NAME : WRONG;
    case EXTENSION_NAME:
        if (octet_is(octet, OCTET_TOKEN))
            return EXTENSION_NAME;
        if (octet_is_blank(octet))
            return EXTENSION_NAME_BLANK;
        return octet == '=' ? EXTENSION_VALUE_START : after_item(octet);
    case EXTENSION_NAME_BLANK:
        return octet == '=' ? EXTENSION_VALUE_START : after_blank(state, octet);
    case EXTENSION_VALUE_START:
        if (octet_is_blank(octet))
            return EXTENSION_VALUE_START;
        if (octet == '"')
            return EXTENSION_QUOTED;
        return octet_is(octet, OCTET_TOKEN) ? EXTENSION_TOKEN : WRONG;
    case EXTENSION_TOKEN:
        return octet_is(octet, OCTET_TOKEN) ? EXTENSION_TOKEN : after_item(octet);
    case EXTENSION_QUOTED:
        return after_quoted(octet);
    case EXTENSION_ESCAPE:
        return octet_is(octet, OCTET_FIELD) ? EXTENSION_QUOTED : WRONG;
    default: /* EXTENSION_QUOTED_END */
        return after_item(octet);
    }
}

/* RFC 9112 section 7.1.2: field lines, as strict as those of the head. */
static enum state next_in_trailer(enum state state, char octet)
{
    switch (state) {
    case TRAILER_START:
        if (octet == '\r')
            return END_LF;
        return octet_is(octet, OCTET_TOKEN) ? TRAILER_NAME : WRONG;
    case TRAILER_NAME:
        if (octet == ':')
            return TRAILER_VALUE;
        return octet_is(octet, OCTET_TOKEN) ? TRAILER_NAME : WRONG;
    default: /* TRAILER_VALUE */
        if (octet == '\r')
            return TRAILER_LF;
        return octet_is(octet, OCTET_FIELD) ? TRAILER_VALUE : WRONG;
    }
}

static enum state next_state(const struct body *body, char octet)
{
    enum state state = body->state;
    switch (state) {
    case SIZE_LF:
        if (octet != '\n')
            return WRONG;
        return body->remaining > 0 ? DATA : TRAILER_START;
    case DATA_CR:
        return octet == '\r' ? DATA_LF : WRONG;
    case DATA_LF:
        return octet == '\n' ? CHUNK_START : WRONG;
    case TRAILER_LF:
        return octet == '\n' ? TRAILER_START : WRONG;
    case END_LF:
        return octet == '\n' ? END : WRONG;
    default:
        return state < SIZE_LF ? next_in_size_line(state, octet) : next_in_trailer(state, octet);
    }
}

static enum http_status add_size_digit(struct body *body, char octet)
{
    if (body->size_digits++ == SIZE_DIGITS_MAX)
        return HTTP_BAD_REQUEST;
    body->remaining = body->remaining * 16 + (unsigned)octet_hex(octet);
    return body->remaining > INT64_MAX ? HTTP_BAD_REQUEST : HTTP_GO_ON;
}

/* Takes one octet of framing, and counts it against the limits. */
static enum http_status take_framing(struct body *body, char octet)
{
    enum state state = body->state;
    enum state next = next_state(body, octet);
    if (next == WRONG)
        return HTTP_BAD_REQUEST;
    body->state = next;
    if (++body->framing_bytes > body->content_bytes + BODY_OVERHEAD_BYTES_MAX)
        return HTTP_BAD_REQUEST;
    if (next == SIZE)
        return add_size_digit(body, octet);
    if (next == CHUNK_START)
        body->size_digits = 0;
    if (next >= EXTENSION_BLANK && next <= EXTENSION_QUOTED_END &&
        ++body->extension_bytes > BODY_EXTENSION_BYTES_MAX)
        return HTTP_BAD_REQUEST;
    if (state >= TRAILER_START && state <= TRAILER_LF && next != END_LF &&
        ++body->trailer_bytes > BODY_TRAILER_BYTES_MAX)
        return HTTP_HEADER_FIELDS_TOO_LARGE;
    return HTTP_GO_ON;
}

/* Takes content from the input that is left; `len` is at least one. *out_taken is how much. */
static enum http_status take_content(struct body *body, size_t len, size_t *out_taken)
{
    uint64_t room = body->limit - body->content_bytes;
    uint64_t taken = len < body->remaining ? len : body->remaining;
    if (room == 0)
        return HTTP_CONTENT_TOO_LARGE;
    if (taken > room)
        taken = room;
    body->content_bytes += taken;
    body->remaining -= taken;
    if (body->remaining == 0)
        body->state = body->kind == FRAMING_CHUNKED ? DATA_CR : END;
    *out_taken = (size_t)taken;
    return HTTP_GO_ON;
}

enum parse_outcome body_decode(struct body *body, const char *bytes, size_t len,
                               size_t *out_consumed, struct slice *out_content)
{
    struct slice content = {bytes, 0};
    size_t at = 0;
    /* One slice a call, and it is handed out before what follows is judged: whether there is a
     * fault behind it must not depend on how the bytes have come.
     */
    while (body->status == HTTP_GO_ON && body->state != END && at < len && content.len == 0) {
        if (body->state != DATA) {
            body->status = take_framing(body, bytes[at++]);
            continue;
        }
        content.data = bytes + at;
        body->status = take_content(body, len - at, &content.len);
        at += content.len;
    }
    if (body->status != HTTP_GO_ON)
        return PARSE_BAD;
    *out_consumed = at;
    *out_content = content;
    return body->state == END ? PARSE_DONE : PARSE_MORE;
}

enum http_status body_status(const struct body *body)
{
    return body->status;
}
