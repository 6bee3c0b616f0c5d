#include "http/urlencoded.h"

#include "http/octet.h"

/* Where the decoder stands. */
enum state {
    PLAIN,
    ESCAPE,       /* after a '%' */
    ESCAPE_DIGIT, /* after its first digit */
    WRONG,
};

static void put(struct urlencoded *urlencoded, char octet)
{
    urlencoded->piece[urlencoded->len++] = octet;
    urlencoded->in_field = true;
}

/* Takes a byte of a name or a value. */
static void take_octet(struct urlencoded *urlencoded, char octet)
{
    int digit = octet_hex(octet);
    if (urlencoded->state == PLAIN) {
        if (octet == '%')
            urlencoded->state = ESCAPE;
        else
            put(urlencoded, octet == '+' ? ' ' : octet);
    } else if (digit < 0) {
        urlencoded->state = WRONG;
    } else if (urlencoded->state == ESCAPE) {
        urlencoded->high = (unsigned char)digit;
        urlencoded->state = ESCAPE_DIGIT;
    } else {
        urlencoded->state = PLAIN;
        put(urlencoded, (char)(urlencoded->high * 16 + digit));
    }
}

static bool is_separator(const struct urlencoded *urlencoded, char octet)
{
    return octet == '&' || (octet == '=' && !urlencoded->in_value);
}

static void take_separator(struct urlencoded *urlencoded, char octet,
                           struct urlencoded_event *event)
{
    if (urlencoded->state != PLAIN) {
        urlencoded->state = WRONG;
    } else if (octet == '=') {
        urlencoded->in_field = true;
        urlencoded->in_value = true;
    } else {
        if (urlencoded->in_field)
            event->kind = URLENCODED_END;
        urlencoded->in_field = false;
        urlencoded->in_value = false;
    }
}

/* Tells what has been decoded. */
static void tell_piece(struct urlencoded *urlencoded, struct urlencoded_event *event)
{
    event->kind = urlencoded->in_value ? URLENCODED_VALUE : URLENCODED_NAME;
    event->data = (struct slice){urlencoded->piece, urlencoded->len};
    urlencoded->len = 0;
}

/* Takes bytes up to a separator, a fault, or as many as fit. Returns how many were used. */
static size_t take_piece(struct urlencoded *urlencoded, const char *bytes, size_t len,
                         struct urlencoded_event *event)
{
    size_t at = 0;
    while (at < len && urlencoded->len < URLENCODED_PIECE_BYTES &&
           !is_separator(urlencoded, bytes[at])) {
        take_octet(urlencoded, bytes[at]);
        if (urlencoded->state == WRONG)
            break;
        at++;
    }
    if (urlencoded->len > 0)
        tell_piece(urlencoded, event);
    return at;
}

enum parse_outcome urlencoded_decode(struct urlencoded *urlencoded, const char *bytes, size_t len,
                                     size_t *out_consumed, struct urlencoded_event *out_event)
{
    struct urlencoded_event event = {.kind = URLENCODED_NONE};
    size_t at = 0;
    while (urlencoded->state != WRONG && at < len && event.kind == URLENCODED_NONE) {
        if (is_separator(urlencoded, bytes[at]))
            take_separator(urlencoded, bytes[at++], &event);
        else
            at += take_piece(urlencoded, bytes + at, len - at, &event);
    }
    if (urlencoded->state == WRONG && event.kind == URLENCODED_NONE)
        return PARSE_BAD;
    *out_consumed = at;
    *out_event = event;
    return PARSE_MORE;
}

enum parse_outcome urlencoded_finish(struct urlencoded *urlencoded,
                                     struct urlencoded_event *out_event)
{
    struct urlencoded_event event = {.kind = URLENCODED_NONE};
    if (urlencoded->state != PLAIN) {
        urlencoded->state = WRONG;
        return PARSE_BAD;
    }
    if (urlencoded->in_field)
        event.kind = URLENCODED_END;
    urlencoded->in_field = false;
    *out_event = event;
    return PARSE_DONE;
}
