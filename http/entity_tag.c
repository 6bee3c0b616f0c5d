#include "http/entity_tag.h"

#include "http/octet.h"
#include "http/text.h"

/* etagc: visible or obs-text, but no quote. A backslash is a character like any other. */
static bool is_tag_character(char octet)
{
    return octet != '"' && (octet_is(octet, OCTET_VISIBLE) || (unsigned char)octet >= 0x80);
}

int entity_tag_parse(struct slice text, struct entity_tag *out)
{
    bool weak = slice_starts_with(text, SLICE("W/"));
    struct slice opaque = text;
    if (weak)
        opaque = (struct slice){text.data + 2, text.len - 2};
    if (opaque.len < 2 || opaque.data[0] != '"' || opaque.data[opaque.len - 1] != '"')
        return -1;
    for (size_t i = 1; i < opaque.len - 1; i++)
        if (!is_tag_character(opaque.data[i]))
            return -1;
    *out = (struct entity_tag){opaque, weak};
    return 0;
}

/* How many bytes stand before the first comma outside of quotes. slice_next_element() is of no
 * use here: it takes a backslash before a quote for an escape, as in a quoted string.
 */
static size_t member_len(struct slice list)
{
    bool quoted = false;
    for (size_t i = 0; i < list.len; i++) {
        if (list.data[i] == '"')
            quoted = !quoted;
        else if (list.data[i] == ',' && !quoted)
            return i;
    }
    return list.len;
}

enum entity_tag_member entity_tag_next(struct slice *list, struct entity_tag *out_tag)
{
    while (list->len > 0) {
        size_t len = member_len(*list);
        struct slice member = slice_trim((struct slice){list->data, len});
        size_t taken = len < list->len ? len + 1 : len;
        list->data += taken;
        list->len -= taken;
        if (member.len == 0)
            continue;
        if (slice_equal(member, SLICE("*")))
            return ENTITY_TAG_ANY;
        return entity_tag_parse(member, out_tag) == 0 ? ENTITY_TAG_ONE : ENTITY_TAG_MALFORMED;
    }
    return ENTITY_TAG_END;
}

bool entity_tag_equal_strong(struct entity_tag a, struct entity_tag b)
{
    return !a.weak && !b.weak && slice_equal(a.opaque, b.opaque);
}

bool entity_tag_equal_weak(struct entity_tag a, struct entity_tag b)
{
    return slice_equal(a.opaque, b.opaque);
}

static void append_hex(struct text *text, uint64_t number)
{
    char digits[16];
    size_t start = sizeof(digits);
    do {
        digits[--start] = "0123456789abcdef"[number & 0xf];
        number >>= 4;
    } while (number > 0);
    text_append(text, (struct slice){digits + start, sizeof(digits) - start});
}

struct slice entity_tag_format(const struct entity_tag_source *source,
                               char buffer[ENTITY_TAG_LEN_MAX])
{
    struct text text = text_over(buffer, ENTITY_TAG_LEN_MAX);
    text_append_char(&text, '"');
    append_hex(&text, source->inode);
    text_append_char(&text, '-');
    append_hex(&text, source->size_bytes);
    text_append_char(&text, '-');
    append_hex(&text, source->mtime_ns);
    text_append_char(&text, '-');
    append_hex(&text, source->ctime_ns);
    text_append_char(&text, '"');
    return text_slice(&text);
}
