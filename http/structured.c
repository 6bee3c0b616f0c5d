#include "http/structured.h"

#include "http/octet.h"

/* Section 3.1.2: a lower-case letter or '*', then these, digits, '_', '-' and '.'. */
static bool is_key(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool begins = (c >= 'a' && c <= 'z') || c == '*';
        bool goes_on = octet_is_digit(c) || c == '_' || c == '-' || c == '.';
        if (!begins && (i == 0 || !goes_on))
            return false;
    }
    return text.len > 0;
}

enum parse_outcome structured_next_member(struct slice *list, struct structured_member *out_member)
{
    struct slice text;
    if (!slice_next_element(list, &text))
        return PARSE_DONE;
    struct slice item = slice_take_part(&text, ';'); /* parameters mean nothing to us */
    struct slice key = item;
    size_t len = 0;
    while (len < item.len && item.data[len] != '=')
        len++;
    bool has_item = len < item.len;
    key.len = len;
    item.data += has_item ? len + 1 : len;
    item.len -= has_item ? len + 1 : len;
    if (!is_key(key) || (has_item && item.len == 0))
        return PARSE_BAD;
    *out_member = (struct structured_member){key, item};
    return PARSE_MORE;
}

bool structured_byte_sequence(struct slice item, struct slice *out_base64)
{
    if (item.len < 2 || item.data[0] != ':' || item.data[item.len - 1] != ':')
        return false;
    *out_base64 = (struct slice){item.data + 1, item.len - 2};
    return true;
}

bool structured_string(struct slice item, char *out, size_t size, size_t *out_len)
{
    size_t len = 0;
    if (item.len < 2 || item.data[0] != '"' || item.data[item.len - 1] != '"')
        return false;
    for (size_t i = 1; i < item.len - 1; i++) {
        char c = item.data[i];
        if (c == '"' || (c != ' ' && !octet_is(c, OCTET_VISIBLE)))
            return false;
        if (c == '\\') {
            c = item.data[++i];
            if (i == item.len - 1 || (c != '"' && c != '\\'))
                return false;
        }
        if (len == size)
            return false;
        out[len++] = c;
    }
    *out_len = len;
    return true;
}
