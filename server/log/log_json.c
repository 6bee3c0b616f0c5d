#include "server/log/log_json.h"

#include "http/utf8.h"

static bool is_plain(char octet)
{
    return octet >= 0x20 && octet < 0x7f && octet != '"' && octet != '\\';
}

static void append_escape(struct text *text, unsigned character)
{
    static const char digits[] = "0123456789abcdef";
    const char escape[6] = {
        '\\',
        'u',
        digits[character >> 12 & 0xf],
        digits[character >> 8 & 0xf],
        digits[character >> 4 & 0xf],
        digits[character & 0xf],
    };
    text_append(text, (struct slice){escape, sizeof(escape)});
}

/* The character that stands at the beginning, if it is one that must not come through as it is: a
 * terminal takes C1 controls for commands, and some readers U+2028 and U+2029 for the end of a
 * line. 0 for all others.
 */
static unsigned unwanted_character(const char *octets, size_t len)
{
    unsigned second = (unsigned char)octets[1];
    if (len == 2 && octets[0] == '\xc2' && second < 0xa0)
        return second;
    unsigned last = (unsigned char)octets[len - 1];
    if (len == 3 && octets[0] == '\xe2' && second == 0x80 && (last == 0xa8 || last == 0xa9))
        return 0x2000 + last - 0x80;
    return 0;
}

/* Appends a character that is not plain. Returns how many bytes it had. */
static size_t append_character(struct text *text, struct slice rest)
{
    size_t len = utf8_character_len(rest);
    if (len < 2) {
        if (*rest.data == '"' || *rest.data == '\\')
            text_append(text, *rest.data == '"' ? SLICE("\\\"") : SLICE("\\\\"));
        else
            append_escape(text, (unsigned char)*rest.data);
        return 1;
    }
    unsigned unwanted = unwanted_character(rest.data, len);
    if (unwanted)
        append_escape(text, unwanted);
    else
        text_append(text, (struct slice){rest.data, len});
    return len;
}

void log_json_append_string(struct text *text, struct slice bytes)
{
    size_t i = 0;
    text_append_char(text, '"');
    while (i < bytes.len) {
        size_t start = i;
        while (i < bytes.len && is_plain(bytes.data[i]))
            i++;
        text_append(text, (struct slice){bytes.data + start, i - start});
        if (i < bytes.len)
            i += append_character(text, (struct slice){bytes.data + i, bytes.len - i});
    }
    text_append_char(text, '"');
}
