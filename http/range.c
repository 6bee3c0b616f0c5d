#include "http/range.h"

#include "http/date.h"
#include "http/entity_tag.h"
#include "http/octet.h"

#include <string.h>

enum spec_outcome {
    SPEC_INVALID,
    SPEC_UNSATISFIABLE,
    SPEC_SATISFIABLE,
};

/* Digits to a number. One above UINT64_MAX is beyond the end of everything, as UINT64_MAX is.
 * Returns false if there is another byte, or none.
 */
static bool read_number(struct slice digits, uint64_t *out)
{
    for (size_t i = 0; i < digits.len; i++)
        if (!octet_is_digit(digits.data[i]))
            return false;
    if (slice_to_u64(digits, out) != 0)
        *out = UINT64_MAX;
    return digits.len > 0;
}

/* `first-`, or `first-last`. */
static enum spec_outcome read_positions(struct slice first_digits, struct slice last_digits,
                                        uint64_t length, struct range *out)
{
    uint64_t first;
    uint64_t last = UINT64_MAX;
    if (!read_number(first_digits, &first))
        return SPEC_INVALID;
    if (last_digits.len > 0 && !read_number(last_digits, &last))
        return SPEC_INVALID;
    if (last < first)
        return SPEC_INVALID;
    if (first >= length)
        return SPEC_UNSATISFIABLE;
    *out = (struct range){first, last < length ? last : length - 1};
    return SPEC_SATISFIABLE;
}

/* `-count`: that many bytes at the end, or all if there are fewer. */
static enum spec_outcome read_suffix(struct slice digits, uint64_t length, struct range *out)
{
    uint64_t count;
    if (!read_number(digits, &count))
        return SPEC_INVALID;
    if (count == 0 || length == 0)
        return SPEC_UNSATISFIABLE;
    *out = (struct range){count < length ? length - count : 0, length - 1};
    return SPEC_SATISFIABLE;
}

static enum spec_outcome read_spec(struct slice spec, uint64_t length, struct range *out)
{
    const char *hyphen = memchr(spec.data, '-', spec.len);
    if (!hyphen)
        return SPEC_INVALID;
    struct slice before = {spec.data, (size_t)(hyphen - spec.data)};
    struct slice after = {hyphen + 1, spec.len - before.len - 1};
    return before.len == 0 ? read_suffix(after, length, out)
                           : read_positions(before, after, length, out);
}

/* Takes `bytes=` off the field's value; the set follows at once. */
static bool take_unit(struct slice *value)
{
    const struct slice unit = SLICE("bytes=");
    if (value->len <= unit.len || !slice_equal_nocase((struct slice){value->data, unit.len}, unit))
        return false;
    value->data += unit.len;
    value->len -= unit.len;
    return !octet_is_blank(value->data[0]);
}

static enum range_outcome read_set(struct slice specs, uint64_t length, struct range_set *out)
{
    struct range_set set = {0};
    struct slice spec;
    unsigned spec_count = 0;
    while (slice_next_element(&specs, &spec)) {
        struct range range = {0};
        enum spec_outcome outcome = read_spec(spec, length, &range);
        if (outcome == SPEC_INVALID || ++spec_count > RANGE_PARTS_MAX)
            return RANGE_WHOLE;
        if (outcome == SPEC_UNSATISFIABLE)
            continue;
        if (set.count > 0 && range.first <= set.parts[set.count - 1].last)
            return RANGE_WHOLE;
        set.parts[set.count++] = range;
    }
    if (spec_count == 0)
        return RANGE_WHOLE;
    if (set.count == 0)
        return RANGE_UNSATISFIABLE;
    *out = set;
    return RANGE_PARTS;
}

/* Whether If-Range, if there is one, means the current representation. A Last-Modified is a strong
 * validator when its second is over: nothing can change within it any more (section 8.8.2.2).
 */
static bool is_still_valid(const struct head *head, const struct validators *validators, time_t now)
{
    struct slice value;
    struct entity_tag tag;
    struct entity_tag current;
    time_t date;
    unsigned count = head_find(head, SLICE("If-Range"), &value);
    if (count != 1)
        return count == 0;
    if (entity_tag_parse(value, &tag) == 0)
        return entity_tag_parse(validators->etag, &current) == 0 &&
               entity_tag_equal_strong(tag, current);
    return validators->has_last_modified && validators->last_modified < now &&
           date_parse(value, now, &date) == 0 && date == validators->last_modified;
}

enum range_outcome range_select(const struct head *head, uint64_t length,
                                const struct validators *validators, time_t now,
                                struct range_set *out)
{
    struct slice value;
    if (head->method != METHOD_GET || head_find(head, SLICE("Range"), &value) != 1)
        return RANGE_WHOLE;
    if (!take_unit(&value) || !is_still_valid(head, validators, now))
        return RANGE_WHOLE;
    return read_set(value, length, out);
}

void range_append_part(struct text *text, struct range range, uint64_t length)
{
    text_append(text, SLICE("bytes "));
    text_append_u64(text, range.first);
    text_append_char(text, '-');
    text_append_u64(text, range.last);
    text_append_char(text, '/');
    text_append_u64(text, length);
}

void range_append_unsatisfied(struct text *text, uint64_t length)
{
    text_append(text, SLICE("bytes */"));
    text_append_u64(text, length);
}
