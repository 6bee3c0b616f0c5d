#include "http/slice.h"

#include "http/octet.h"

#include <string.h>

struct slice slice_from_string(const char *string)
{
    return (struct slice){string, string ? strlen(string) : 0};
}

bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool slice_equal_nocase(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    if (slice_equal(a, b))
        return true; /* nearly everybody writes the names of fields in the same way */
    for (size_t i = 0; i < a.len; i++)
        if (octet_lower(a.data[i]) != octet_lower(b.data[i]))
            return false;
    return true;
}

bool slice_starts_with(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && slice_equal((struct slice){s.data, prefix.len}, prefix);
}

struct slice slice_trim(struct slice s)
{
    while (s.len > 0 && octet_is_blank(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && octet_is_blank(s.data[s.len - 1]))
        s.len--;
    return s;
}

struct slice slice_unquote(struct slice s)
{
    if (s.len >= 2 && s.data[0] == '"' && s.data[s.len - 1] == '"')
        return (struct slice){s.data + 1, s.len - 2};
    return s;
}

/* How many bytes stand before the first separator outside of a quoted string. */
static size_t part_len(struct slice text, char separator)
{
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '"')
            quoted = !quoted;
        else if (c == '\\' && quoted)
            i++;
        else if (c == separator && !quoted)
            return i;
    }
    return text.len;
}

/* Takes the first bytes off, and the separator if there is one behind them. */
static struct slice take(struct slice *text, size_t len)
{
    struct slice part = {text->data, len};
    size_t taken = len < text->len ? len + 1 : len;
    if (taken == 0) /* an empty slice may have no memory at all */
        return part;
    *text = (struct slice){text->data + taken, text->len - taken};
    return part;
}

struct slice slice_take_until(struct slice *text, char separator)
{
    const char *found = text->len > 0 ? memchr(text->data, separator, text->len) : NULL;
    return take(text, found ? (size_t)(found - text->data) : text->len);
}

struct slice slice_take_part(struct slice *text, char separator)
{
    return slice_trim(take(text, part_len(*text, separator)));
}

bool slice_next_element(struct slice *list, struct slice *out_element)
{
    while (list->len > 0) {
        struct slice element = slice_take_part(list, ',');
        if (element.len > 0) {
            *out_element = element;
            return true;
        }
    }
    return false;
}

int slice_to_u64(struct slice digits, uint64_t *out_number)
{
    uint64_t number = 0;
    if (digits.len == 0)
        return -1;
    for (size_t i = 0; i < digits.len; i++) {
        if (!octet_is_digit(digits.data[i]))
            return -1;
        unsigned digit = (unsigned)(digits.data[i] - '0');
        if (number > (UINT64_MAX - digit) / 10)
            return -1;
        number = number * 10 + digit;
    }
    *out_number = number;
    return 0;
}
