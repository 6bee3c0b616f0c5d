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

/* How many bytes stand before the first comma outside of a quoted string. */
static size_t element_len(struct slice list)
{
    bool quoted = false;
    for (size_t i = 0; i < list.len; i++) {
        char c = list.data[i];
        if (c == '"')
            quoted = !quoted;
        else if (c == '\\' && quoted)
            i++;
        else if (c == ',' && !quoted)
            return i;
    }
    return list.len;
}

bool slice_next_element(struct slice *list, struct slice *out_element)
{
    while (list->len > 0) {
        size_t len = element_len(*list);
        struct slice element = slice_trim((struct slice){list->data, len});
        size_t taken = len < list->len ? len + 1 : len;
        list->data += taken;
        list->len -= taken;
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
