#include "http/utf8.h"

/* By the first byte: the sequence's length and what the second byte may be. Only the second
 * byte's range tells overlong sequences, surrogates and too large numbers (RFC 3629 section 4).
 */
static size_t classify(unsigned char first, unsigned char *low, unsigned char *high)
{
    *low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (first >= 0xe0 && first <= 0xef)
        return 3;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

size_t utf8_character_len(struct slice text)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    if (text.len == 0)
        return 0;
    unsigned char low;
    unsigned char high;
    size_t len = classify(bytes[0], &low, &high);
    if (len > text.len)
        return 0;
    if (len > 1 && (bytes[1] < low || bytes[1] > high))
        return 0;
    for (size_t i = 2; i < len; i++)
        if (bytes[i] < 0x80 || bytes[i] > 0xbf)
            return 0;
    return len;
}

bool utf8_is_valid(struct slice text)
{
    size_t at = 0;
    while (at < text.len) {
        /* Most text is ASCII. */
        if ((unsigned char)text.data[at] < 0x80) {
            at++;
            continue;
        }
        size_t len = utf8_character_len((struct slice){text.data + at, text.len - at});
        if (len == 0)
            return false;
        at += len;
    }
    return true;
}
