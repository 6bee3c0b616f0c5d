#include "http/text.h"

#include "http/octet.h"
#include "http/utf8.h"

#include <string.h>

struct text text_over(char *buffer, size_t size)
{
    return (struct text){buffer, size, 0, false};
}

struct slice text_slice(const struct text *text)
{
    return (struct slice){text->data, text->len};
}

void text_append_cut(struct text *text, struct slice bytes)
{
    size_t room = text->size - text->len;
    text->truncated |= bytes.len > room;
    text_append(text, (struct slice){bytes.data, bytes.len < room ? bytes.len : room});
}

void text_append_u64(struct text *text, uint64_t number)
{
    char digits[20]; /* UINT64_MAX has 20 */
    size_t start = sizeof(digits);
    do {
        digits[--start] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    text_append(text, (struct slice){digits + start, sizeof(digits) - start});
}

/* The prefix and two hexadecimal digits, from a string of all sixteen. */
static void append_hex(struct text *text, struct slice prefix, char octet, const char *digits)
{
    unsigned value = (unsigned char)octet;
    text_append(text, prefix);
    text_append_char(text, digits[value >> 4]);
    text_append_char(text, digits[value & 0xf]);
}

static struct slice entity_of(const char *octet)
{
    switch (*octet) {
    case '<':
        return SLICE("&lt;");
    case '>':
        return SLICE("&gt;");
    case '&':
        return SLICE("&amp;");
    case '"':
        return SLICE("&quot;");
    case '\'':
        return SLICE("&#39;");
    default:
        return (struct slice){octet, 1};
    }
}

void text_append_html(struct text *text, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        text_append(text, entity_of(bytes.data + i));
}

static void append_percent(struct text *text, char octet)
{
    if (octet_is(octet, OCTET_UNRESERVED))
        text_append_char(text, octet);
    else
        append_hex(text, SLICE("%"), octet, "0123456789ABCDEF");
}

void text_append_percent(struct text *text, struct slice path)
{
    for (size_t i = 0; i < path.len; i++) {
        if (path.data[i] == '/')
            text_append_char(text, '/');
        else
            append_percent(text, path.data[i]);
    }
}

/* Whether a character may stand in the quoted file name as it is. A backslash or a quote would
 * have to be escaped, and some browsers decode a percent escape there (RFC 6266 appendix D).
 */
static bool is_plain(char octet)
{
    return octet >= 0x20 && octet < 0x7f && octet != '"' && octet != '\\' && octet != '%';
}

/* Appends the name with '_' for each character that is not plain. Returns whether all were. */
static bool append_plain_name(struct text *text, struct slice name)
{
    bool plain = true;
    for (size_t i = 0; i < name.len;) {
        size_t len = utf8_character_len((struct slice){name.data + i, name.len - i});
        bool fits = is_plain(name.data[i]);
        text_append_char(text, fits ? name.data[i] : '_');
        plain &= fits;
        i += len > 0 ? len : 1;
    }
    return plain;
}

void text_append_attachment(struct text *text, struct slice name)
{
    text_append(text, SLICE("attachment; filename=\""));
    bool plain = append_plain_name(text, name);
    text_append_char(text, '"');
    if (plain)
        return;
    text_append(text, SLICE("; filename*=UTF-8''"));
    for (size_t i = 0; i < name.len; i++)
        append_percent(text, name.data[i]);
}

static bool is_loggable(char octet)
{
    return octet >= 0x20 && octet < 0x7f && octet != '"' && octet != '\\';
}

/* As octet_all_in_field(): made for the compiler to take 16 at a time. */
static bool all_loggable(struct slice bytes)
{
    uint8_t wrong = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t octet = (uint8_t)bytes.data[i];
        wrong |= (uint8_t)((octet < 0x20) | (octet >= 0x7f) | (octet == '"') | (octet == '\\'));
    }
    return wrong == 0;
}

void text_append_log(struct text *text, struct slice bytes)
{
    if (all_loggable(bytes)) {
        text_append(text, bytes); /* as nearly all are */
        return;
    }
    size_t i = 0;
    while (i < bytes.len) {
        size_t start = i;
        while (i < bytes.len && is_loggable(bytes.data[i]))
            i++;
        text_append(text, (struct slice){bytes.data + start, i - start});
        if (i < bytes.len)
            append_hex(text, SLICE("\\x"), bytes.data[i++], "0123456789abcdef");
    }
}
