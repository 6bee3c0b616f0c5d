#include "server/json/json_scan.h"

#include "server/json/json_state.h"

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* -- Eight bytes at a time -- */

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The first byte becomes the lowest, whatever the machine. */
static uint64_t load_eight(const unsigned char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return le64toh(word);
}

/* How many of eight bytes stand before the first that has a bit set. */
static size_t bytes_before(uint64_t marks)
{
    return (size_t)__builtin_ctzll(marks) / 8;
}

const unsigned char *json_scan_spaces(const unsigned char *at, const unsigned char *end)
{
    while (end - at >= 8) {
        uint64_t others = load_eight(at) ^ EACH_BYTE(' ');
        if (others != 0)
            return at + bytes_before(others);
        at += 8;
    }
    while (at < end && *at == ' ')
        at++;
    return at;
}

/* Whether a byte of a string needs a look: it ends the string, begins an escape or a character
 * of several bytes, or is a control byte.
 */
static bool is_special(unsigned char byte)
{
    return byte == '"' || byte == '\\' || byte >= 0x80 || byte < 0x20;
}

/* The same for eight bytes: sets the highest bit of each special one. A borrow may mark a byte
 * that is not special, but only after one that is.
 */
static uint64_t mark_special(uint64_t word)
{
    uint64_t quotes = word ^ EACH_BYTE('"');
    uint64_t backslashes = word ^ EACH_BYTE('\\');
    uint64_t marks =
        (quotes - EACH_BYTE(1)) | (backslashes - EACH_BYTE(1)) | word | (word - EACH_BYTE(0x20));
    return marks & EACH_BYTE(0x80);
}

static const unsigned char *skip_plain(const unsigned char *at, const unsigned char *end)
{
    while (end - at >= 8) {
        uint64_t marks = mark_special(load_eight(at));
        if (marks != 0)
            return at + bytes_before(marks);
        at += 8;
    }
    while (at < end && !is_special(*at))
        at++;
    return at;
}

/* -- Strings -- */

/* The state after the first byte of a character of several bytes (RFC 3629 section 4). */
static enum json_state after_lead(unsigned char byte)
{
    if (byte >= 0xc2 && byte <= 0xdf)
        return JSON_TAIL_1;
    if (byte == 0xe0)
        return JSON_TAIL_E0;
    if (byte == 0xed)
        return JSON_TAIL_ED;
    if (byte >= 0xe1 && byte <= 0xef)
        return JSON_TAIL_2;
    if (byte == 0xf0)
        return JSON_TAIL_F0;
    if (byte == 0xf4)
        return JSON_TAIL_F4;
    return byte >= 0xf1 && byte <= 0xf3 ? JSON_TAIL_3 : JSON_BAD_UTF8;
}

static enum json_state after_tail(enum json_state state, unsigned char byte)
{
    static const struct {
        uint8_t lowest;
        uint8_t highest;
        uint8_t next;
    } tails[] = {
        [JSON_TAIL_1 - JSON_TAIL_1] = {0x80, 0xbf, JSON_STRING},
        [JSON_TAIL_2 - JSON_TAIL_1] = {0x80, 0xbf, JSON_TAIL_1},
        [JSON_TAIL_3 - JSON_TAIL_1] = {0x80, 0xbf, JSON_TAIL_2},
        [JSON_TAIL_E0 - JSON_TAIL_1] = {0xa0, 0xbf, JSON_TAIL_1},
        [JSON_TAIL_ED - JSON_TAIL_1] = {0x80, 0x9f, JSON_TAIL_1},
        [JSON_TAIL_F0 - JSON_TAIL_1] = {0x90, 0xbf, JSON_TAIL_2},
        [JSON_TAIL_F4 - JSON_TAIL_1] = {0x80, 0x8f, JSON_TAIL_2},
    };
    unsigned row = state - JSON_TAIL_1;
    bool in_range = byte >= tails[row].lowest && byte <= tails[row].highest;
    return in_range ? (enum json_state)tails[row].next : JSON_BAD_UTF8;
}

/* Hexadecimal digits by what they mean as the second digit after \uD. */
enum hex_class { NO_HEX, HEX_0_TO_7, HEX_8_TO_B, HEX_C_E_F, HEX_D, HEX_CLASS_COUNT };

static const uint8_t hex_classes[256] = {
    ['0'] = HEX_0_TO_7, ['1'] = HEX_0_TO_7, ['2'] = HEX_0_TO_7, ['3'] = HEX_0_TO_7,
    ['4'] = HEX_0_TO_7, ['5'] = HEX_0_TO_7, ['6'] = HEX_0_TO_7, ['7'] = HEX_0_TO_7,
    ['8'] = HEX_8_TO_B, ['9'] = HEX_8_TO_B, ['A'] = HEX_8_TO_B, ['B'] = HEX_8_TO_B,
    ['C'] = HEX_C_E_F,  ['D'] = HEX_D,      ['E'] = HEX_C_E_F,  ['F'] = HEX_C_E_F,
    ['a'] = HEX_8_TO_B, ['b'] = HEX_8_TO_B, ['c'] = HEX_C_E_F,  ['d'] = HEX_D,
    ['e'] = HEX_C_E_F,  ['f'] = HEX_C_E_F,
};

/* A high surrogate (D800-DBFF) must be followed by the escape of a low one (DC00-DFFF), which may
 * stand nowhere else (RFC 8259 section 8.2 leaves open what else would mean).
 */
static enum json_state after_hex(enum json_state state, unsigned char byte)
{
    static const uint8_t next[][HEX_CLASS_COUNT] = {
        [JSON_HEX_1 - JSON_HEX_1] = {0, JSON_HEX_2, JSON_HEX_2, JSON_HEX_2, JSON_SURROGATE_2},
        [JSON_HEX_2 - JSON_HEX_1] = {0, JSON_HEX_3, JSON_HEX_3, JSON_HEX_3, JSON_HEX_3},
        [JSON_HEX_3 - JSON_HEX_1] = {0, JSON_HEX_4, JSON_HEX_4, JSON_HEX_4, JSON_HEX_4},
        [JSON_HEX_4 - JSON_HEX_1] = {0, JSON_STRING, JSON_STRING, JSON_STRING, JSON_STRING},
        [JSON_SURROGATE_2 -
            JSON_HEX_1] = {0, JSON_HEX_3, JSON_HIGH_3, JSON_BAD_SURROGATE, JSON_BAD_SURROGATE},
        [JSON_HIGH_3 - JSON_HEX_1] = {0, JSON_HIGH_4, JSON_HIGH_4, JSON_HIGH_4, JSON_HIGH_4},
        [JSON_HIGH_4 - JSON_HEX_1] = {0, JSON_LOW_BACKSLASH, JSON_LOW_BACKSLASH, JSON_LOW_BACKSLASH,
                                      JSON_LOW_BACKSLASH},
        [JSON_LOW_1 - JSON_HEX_1] = {0, 0, 0, 0, JSON_LOW_2},
        [JSON_LOW_2 - JSON_HEX_1] = {0, 0, 0, JSON_HEX_3, JSON_HEX_3},
    };
    return (enum json_state)next[state - JSON_HEX_1][hex_classes[byte]];
}

static enum json_state after_backslash(unsigned char byte)
{
    switch (byte) {
    case 'u':
        return JSON_HEX_1;
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return JSON_STRING;
    default:
        return JSON_NOWHERE;
    }
}

/* The state after a special byte between two characters. */
static enum json_state after_special(unsigned char byte)
{
    if (byte == '"')
        return JSON_STRING_END;
    if (byte == '\\')
        return JSON_ESCAPE;
    return byte < 0x20 ? JSON_BAD_CONTROL : after_lead(byte);
}

/* The state after the next byte of a string, which is no plain one. */
static enum json_state after_string_byte(enum json_state state, unsigned char byte)
{
    switch (state) {
    case JSON_STRING:
        return after_special(byte);
    case JSON_ESCAPE:
        return after_backslash(byte);
    case JSON_LOW_BACKSLASH:
        return byte == '\\' ? JSON_LOW_U : JSON_NOWHERE;
    case JSON_LOW_U:
        return byte == 'u' ? JSON_LOW_1 : JSON_NOWHERE;
    default:
        return state >= JSON_TAIL_1 ? after_tail(state, byte) : after_hex(state, byte);
    }
}

enum parse_outcome json_scan_string(uint8_t *state, uint64_t *tails, const unsigned char **at,
                                    const unsigned char *end)
{
    enum json_state now = (enum json_state) * state;
    enum json_state next = now;
    const unsigned char *p = *at;
    while (now != JSON_STRING_END) {
        if (now == JSON_STRING)
            p = skip_plain(p, end);
        if (p == end)
            break;
        next = after_string_byte(now, *p);
        if (next == JSON_NOWHERE || next >= JSON_BAD_CONTROL)
            break;
        if (now >= JSON_TAIL_1)
            (*tails)++;
        now = next;
        p++;
    }
    *at = p;
    *state = (uint8_t)(next >= JSON_BAD_CONTROL ? next : now);
    if (now == JSON_STRING_END)
        return PARSE_DONE;
    return p == end ? PARSE_MORE : PARSE_BAD;
}

/* -- Numbers -- */

enum number_class { NO_PART, DIGIT_0, DIGIT_1_TO_9, POINT, E, SIGN, NUMBER_CLASS_COUNT };

static const uint8_t number_classes[256] = {
    ['0'] = DIGIT_0,
    ['1'] = DIGIT_1_TO_9,
    ['2'] = DIGIT_1_TO_9,
    ['3'] = DIGIT_1_TO_9,
    ['4'] = DIGIT_1_TO_9,
    ['5'] = DIGIT_1_TO_9,
    ['6'] = DIGIT_1_TO_9,
    ['7'] = DIGIT_1_TO_9,
    ['8'] = DIGIT_1_TO_9,
    ['9'] = DIGIT_1_TO_9,
    ['.'] = POINT,
    ['e'] = E,
    ['E'] = E,
    ['+'] = SIGN,
    ['-'] = SIGN,
};

static enum json_state after_number_byte(enum json_state state, unsigned char byte)
{
    static const uint8_t next[][NUMBER_CLASS_COUNT] = {
        [JSON_MINUS - JSON_MINUS] = {0, JSON_ZERO, JSON_INTEGER},
        [JSON_ZERO - JSON_MINUS] = {0, 0, 0, JSON_POINT, JSON_E},
        [JSON_INTEGER - JSON_MINUS] = {0, JSON_INTEGER, JSON_INTEGER, JSON_POINT, JSON_E},
        [JSON_POINT - JSON_MINUS] = {0, JSON_FRACTION, JSON_FRACTION},
        [JSON_FRACTION - JSON_MINUS] = {0, JSON_FRACTION, JSON_FRACTION, 0, JSON_E},
        [JSON_E - JSON_MINUS] = {0, JSON_EXPONENT, JSON_EXPONENT, 0, 0, JSON_E_SIGN},
        [JSON_E_SIGN - JSON_MINUS] = {0, JSON_EXPONENT, JSON_EXPONENT},
        [JSON_EXPONENT - JSON_MINUS] = {0, JSON_EXPONENT, JSON_EXPONENT},
    };
    return (enum json_state)next[state - JSON_MINUS][number_classes[byte]];
}

bool json_scan_number_may_end(uint8_t state)
{
    return state == JSON_ZERO || state == JSON_INTEGER || state == JSON_FRACTION ||
           state == JSON_EXPONENT;
}

enum parse_outcome json_scan_number(uint8_t *state, const unsigned char **at,
                                    const unsigned char *end)
{
    enum json_state now = (enum json_state) * state;
    const unsigned char *p = *at;
    while (p < end) {
        enum json_state next = after_number_byte(now, *p);
        if (next == JSON_NOWHERE)
            break;
        now = next;
        p++;
    }
    *at = p;
    *state = (uint8_t)now;
    if (p == end)
        return PARSE_MORE;
    return json_scan_number_may_end(*state) ? PARSE_DONE : PARSE_BAD;
}
