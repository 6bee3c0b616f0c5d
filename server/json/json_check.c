#include "server/json/json_check.h"

#include "server/json/json_scan.h"
#include "server/json/json_state.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>

static const char *const expectations[JSON_STATE_COUNT] = {
    [JSON_AT_VALUE] = "a value",
    [JSON_AT_FIRST_ELEMENT] = "a value or ']'",
    [JSON_AT_FIRST_NAME] = "a name in double quotes or '}'",
    [JSON_AT_NAME] = "a name in double quotes",
    [JSON_AT_COLON] = "':'",
    [JSON_AFTER_ELEMENT] = "',' or ']'",
    [JSON_AFTER_MEMBER] = "',' or '}'",
    [JSON_AT_END] = "the end of the document",
    [JSON_MINUS] = "a digit",
    [JSON_POINT] = "a digit",
    [JSON_E] = "a digit, '+' or '-'",
    [JSON_E_SIGN] = "a digit",
    [JSON_STRING] = "the end of the string",
    [JSON_ESCAPE] = "one of \" \\ / b f n r t u",
    [JSON_HEX_1] = "a hexadecimal digit",
    [JSON_HEX_2] = "a hexadecimal digit",
    [JSON_HEX_3] = "a hexadecimal digit",
    [JSON_HEX_4] = "a hexadecimal digit",
    [JSON_SURROGATE_2] = "a hexadecimal digit",
    [JSON_HIGH_3] = "a hexadecimal digit",
    [JSON_HIGH_4] = "a hexadecimal digit",
    [JSON_LOW_BACKSLASH] = "a low surrogate escape",
    [JSON_LOW_U] = "a low surrogate escape",
    [JSON_LOW_1] = "a low surrogate escape",
    [JSON_LOW_2] = "a low surrogate escape",
    [JSON_TAIL_1] = "valid UTF-8",
    [JSON_TAIL_2] = "valid UTF-8",
    [JSON_TAIL_3] = "valid UTF-8",
    [JSON_TAIL_E0] = "valid UTF-8",
    [JSON_TAIL_ED] = "valid UTF-8",
    [JSON_TAIL_F0] = "valid UTF-8",
    [JSON_TAIL_F4] = "valid UTF-8",
    [JSON_BAD_UTF8] = "valid UTF-8",
    [JSON_BAD_CONTROL] = "an escape instead of a control character",
    [JSON_BAD_SURROGATE] = "a high surrogate escape before a low one",
    [JSON_BAD_MARK] = "a value, without a byte order mark",
};

/* A piece of the text. */
struct piece {
    const unsigned char *begin; /* stands at check->offset */
    const unsigned char *at;
    const unsigned char *end;
};

static uint64_t offset_of(const struct json_check *check, const struct piece *piece)
{
    return check->offset + (uint64_t)(piece->at - piece->begin);
}

/* Ends the check at check->offset; the state says what was expected there. */
static enum parse_outcome fail(struct json_check *check)
{
    size_t size = sizeof check->expected;
    if (check->state == JSON_BAD_DEPTH)
        snprintf(check->expected, size, "at most %u levels of nesting", check->depth_limit);
    else if (check->state == JSON_BAD_COUNT)
        snprintf(check->expected, size, "at most %ju values", (uintmax_t)check->values_limit);
    else if (check->state == JSON_LITERAL)
        snprintf(check->expected, size, "%s", check->literal);
    else
        snprintf(check->expected, size, "%s", expectations[check->state]);
    check->column = check->offset - check->line_start - check->line_tails + 1;
    check->failed = true;
    return PARSE_BAD;
}

/* -- Arrays and objects -- */

static enum json_state after_value(const struct json_check *check)
{
    if (check->depth == 0)
        return JSON_AT_END;
    unsigned level = check->depth - 1U;
    bool in_object = (check->objects[level / 64] >> (level % 64) & 1) != 0;
    return in_object ? JSON_AFTER_MEMBER : JSON_AFTER_ELEMENT;
}

static enum json_state open_level(struct json_check *check, bool is_object)
{
    if (check->depth == check->depth_limit)
        return JSON_BAD_DEPTH;
    uint64_t bit = UINT64_C(1) << (check->depth % 64);
    uint64_t *word = &check->objects[check->depth / 64];
    *word = is_object ? *word | bit : *word & ~bit;
    check->depth++;
    return is_object ? JSON_AT_FIRST_NAME : JSON_AT_FIRST_ELEMENT;
}

static enum json_state close_level(struct json_check *check)
{
    check->depth--;
    return after_value(check);
}

/* -- Tokens: each function takes the first byte of one and returns the state after it -- */

static enum json_state begin_string(struct json_check *check, enum json_state after)
{
    check->after_string = (uint8_t)after;
    return JSON_STRING;
}

static enum json_state begin_literal(struct json_check *check, const char *literal)
{
    check->literal = literal;
    check->literal_matched = 1;
    return JSON_LITERAL;
}

static enum json_state begin_value(struct json_check *check, unsigned char byte)
{
    switch (byte) {
    case '"':
        return begin_string(check, after_value(check));
    case '[':
    case '{':
        return open_level(check, byte == '{');
    case 't':
        return begin_literal(check, "true");
    case 'f':
        return begin_literal(check, "false");
    case 'n':
        return begin_literal(check, "null");
    case '-':
        return JSON_MINUS;
    case '0':
        return JSON_ZERO;
    default:
        return byte >= '1' && byte <= '9' ? JSON_INTEGER : JSON_NOWHERE;
    }
}

static enum json_state begin_counted_value(struct json_check *check, unsigned char byte)
{
    enum json_state next = begin_value(check, byte);
    if (next == JSON_NOWHERE || next == JSON_BAD_DEPTH)
        return next;
    return check->values_left-- > 0 ? next : JSON_BAD_COUNT;
}

static enum json_state begin_name(struct json_check *check, unsigned char byte)
{
    return byte == '"' ? begin_string(check, JSON_AT_COLON) : JSON_NOWHERE;
}

static enum json_state begin_token(struct json_check *check, unsigned char byte)
{
    switch (check->state) {
    case JSON_AT_VALUE:
        return begin_counted_value(check, byte);
    case JSON_AT_FIRST_ELEMENT:
        return byte == ']' ? close_level(check) : begin_counted_value(check, byte);
    case JSON_AT_FIRST_NAME:
        return byte == '}' ? close_level(check) : begin_name(check, byte);
    case JSON_AT_NAME:
        return begin_name(check, byte);
    case JSON_AT_COLON:
        return byte == ':' ? JSON_AT_VALUE : JSON_NOWHERE;
    case JSON_AFTER_ELEMENT:
        if (byte == ']')
            return close_level(check);
        return byte == ',' ? JSON_AT_VALUE : JSON_NOWHERE;
    case JSON_AFTER_MEMBER:
        if (byte == '}')
            return close_level(check);
        return byte == ',' ? JSON_AT_NAME : JSON_NOWHERE;
    default: /* JSON_AT_END */
        return JSON_NOWHERE;
    }
}

/* -- The text, piece by piece: each function reads on at piece->at -- */

static void skip_white_space(struct json_check *check, struct piece *piece)
{
    while (piece->at < piece->end) {
        switch (*piece->at) {
        case ' ':
            piece->at = json_scan_spaces(piece->at, piece->end);
            break;
        case '\n':
            piece->at++;
            check->line++;
            check->line_start = offset_of(check, piece);
            check->line_tails = 0;
            break;
        case '\t':
        case '\r':
            piece->at++;
            break;
        default:
            return;
        }
    }
}

static enum parse_outcome read_token(struct json_check *check, struct piece *piece)
{
    static const unsigned char byte_order_mark = 0xef; /* its first byte in UTF-8 */
    skip_white_space(check, piece);
    if (piece->at == piece->end)
        return PARSE_MORE;
    enum json_state next = begin_token(check, *piece->at);
    if (next == JSON_NOWHERE && *piece->at == byte_order_mark && offset_of(check, piece) == 0)
        next = JSON_BAD_MARK;
    if (next != JSON_NOWHERE)
        check->state = (uint8_t)next;
    if (next == JSON_NOWHERE || next >= JSON_BAD_CONTROL)
        return PARSE_BAD;
    piece->at++;
    return PARSE_MORE;
}

static enum parse_outcome read_literal(struct json_check *check, struct piece *piece)
{
    while (piece->at < piece->end && check->literal[check->literal_matched] != '\0') {
        if (*piece->at != (unsigned char)check->literal[check->literal_matched])
            return PARSE_BAD;
        check->literal_matched++;
        piece->at++;
    }
    if (check->literal[check->literal_matched] == '\0')
        check->state = (uint8_t)after_value(check);
    return PARSE_MORE;
}

static enum parse_outcome read_number(struct json_check *check, struct piece *piece)
{
    enum parse_outcome outcome = json_scan_number(&check->state, &piece->at, piece->end);
    if (outcome == PARSE_DONE)
        check->state = (uint8_t)after_value(check);
    return outcome;
}

static enum parse_outcome read_string(struct json_check *check, struct piece *piece)
{
    enum parse_outcome outcome =
        json_scan_string(&check->state, &check->line_tails, &piece->at, piece->end);
    if (outcome == PARSE_DONE)
        check->state = check->after_string;
    return outcome;
}

static enum parse_outcome read_on(struct json_check *check, struct piece *piece)
{
    if (check->state >= JSON_STRING)
        return read_string(check, piece);
    if (check->state >= JSON_MINUS)
        return read_number(check, piece);
    if (check->state == JSON_LITERAL)
        return read_literal(check, piece);
    return read_token(check, piece);
}

void json_check_init(struct json_check *check, unsigned depth_limit, uint64_t values_limit)
{
    assert(depth_limit >= 1 && depth_limit <= JSON_CHECK_DEPTH_MAX && values_limit >= 1);
    *check = (struct json_check){
        .line = 1,
        .values_left = values_limit,
        .values_limit = values_limit,
        .depth_limit = (uint16_t)depth_limit,
        .state = JSON_AT_VALUE,
    };
}

enum parse_outcome json_check_feed(struct json_check *check, const char *bytes, size_t len)
{
    if (check->failed)
        return PARSE_BAD;
    if (len == 0)
        return PARSE_MORE;
    const unsigned char *begin = (const unsigned char *)bytes;
    struct piece piece = {begin, begin, begin + len};
    enum parse_outcome outcome = PARSE_MORE;
    while (piece.at < piece.end && outcome != PARSE_BAD)
        outcome = read_on(check, &piece);
    check->offset = offset_of(check, &piece);
    return outcome == PARSE_BAD ? fail(check) : PARSE_MORE;
}

enum parse_outcome json_check_finish(struct json_check *check)
{
    if (check->failed)
        return PARSE_BAD;
    if (json_scan_number_may_end(check->state))
        check->state = (uint8_t)after_value(check);
    return check->state == JSON_AT_END ? PARSE_DONE : fail(check);
}

bool json_check_is_too_large(const struct json_check *check)
{
    return check->failed && check->state == JSON_BAD_COUNT;
}
