#include "server/json/json_excerpt.h"

#include "http/octet.h"
#include "http/text.h"
#include "http/utf8.h"

#include <string.h>

#define REPLACEMENT SLICE("\xef\xbf\xbd")

/* A character has so many bytes behind its first, at the most. */
#define TAILS_MAX 3

void json_excerpt_pass(struct json_excerpt *excerpt, struct slice piece)
{
    size_t room = JSON_EXCERPT_BEFORE;
    size_t len = piece.len < room ? piece.len : room;
    size_t kept = excerpt->before_len < room - len ? excerpt->before_len : room - len;
    excerpt->is_cut |= excerpt->before_len + piece.len > room;
    memmove(excerpt->before, excerpt->before + excerpt->before_len - kept, kept);
    if (len > 0)
        memcpy(excerpt->before + kept, piece.data + piece.len - len, len);
    excerpt->before_len = (uint8_t)(kept + len);
}

void json_excerpt_take(struct json_excerpt *excerpt, struct slice piece)
{
    size_t room = JSON_EXCERPT_AFTER - (size_t)excerpt->after_len;
    size_t len = piece.len < room ? piece.len : room;
    if (len > 0)
        memcpy(excerpt->after + excerpt->after_len, piece.data, len);
    excerpt->after_len = (uint8_t)(excerpt->after_len + len);
}

static bool is_tail(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Leaves out the rest of a character whose beginning was not seen. */
static struct slice without_tails(struct slice text)
{
    for (int i = 0; i < TAILS_MAX && text.len > 0 && is_tail(text.data[0]); i++) {
        text.data++;
        text.len--;
    }
    return text;
}

/* Whether all that is left may be the beginning of one character. */
static bool is_beginning(struct slice text)
{
    if (text.len > TAILS_MAX || (unsigned char)text.data[0] < 0xc2)
        return false;
    for (size_t i = 1; i < text.len; i++)
        if (!is_tail(text.data[i]))
            return false;
    return true;
}

/* U+0080 ... U+009F are control characters too. */
static bool is_control(struct slice character)
{
    unsigned char second = character.len == 2 ? (unsigned char)character.data[1] : 0xff;
    return octet_is(character.data[0], OCTET_CONTROL) ||
           ((unsigned char)character.data[0] == 0xc2 && second < 0xa0);
}

static void append_character(struct text *out, struct slice character)
{
    char c = character.data[0];
    if (c == '\t' || c == '\n' || c == '\r')
        text_append_char(out, ' ');
    else
        text_append(out, is_control(character) ? REPLACEMENT : character);
}

void json_excerpt_print(const struct json_excerpt *excerpt, char out[JSON_EXCERPT_SIZE])
{
    char bytes[JSON_EXCERPT_BEFORE + JSON_EXCERPT_AFTER];
    struct text text = text_over(out, JSON_EXCERPT_SIZE - 1);
    memcpy(bytes, excerpt->before, excerpt->before_len);
    memcpy(bytes + excerpt->before_len, excerpt->after, excerpt->after_len);
    struct slice rest = {bytes, (size_t)excerpt->before_len + excerpt->after_len};
    bool is_full = excerpt->after_len == JSON_EXCERPT_AFTER;
    if (excerpt->is_cut)
        rest = without_tails(rest);
    while (rest.len > 0) {
        size_t len = utf8_character_len(rest);
        if (len == 0 && is_full && is_beginning(rest))
            break;
        if (len > 0)
            append_character(&text, (struct slice){rest.data, len});
        else
            text_append(&text, REPLACEMENT);
        len = len > 0 ? len : 1;
        rest.data += len;
        rest.len -= len;
    }
    out[text.len] = '\0';
}
