#include "http/precondition.h"

#include "http/date.h"
#include "http/entity_tag.h"

#define READING_METHODS (METHOD_GET | METHOD_HEAD)
#define WRITING_METHODS (METHOD_POST | METHOD_PUT | METHOD_DELETE | METHOD_PATCH)

/* What the lines of an If-Match or If-None-Match field hold, taken as one list. */
struct tag_list {
    bool any;       /* `*` */
    bool matches;   /* the current representation's tag */
    bool malformed; /* something that may not be there */
};

typedef bool compare_fn(struct entity_tag a, struct entity_tag b);

/* Returns whether there is such a field, and then fills *out. */
static bool read_tags(const struct head *head, struct slice name, compare_fn *is_equal,
                      const struct validators *validators, struct tag_list *out)
{
    if (head_find(head, name, NULL) == 0)
        return false; /* as in most requests */
    unsigned line_cursor = 0;
    unsigned member_count = 0;
    struct slice list;
    struct entity_tag current;
    bool has_tag = entity_tag_parse(validators->etag, &current) == 0;

    *out = (struct tag_list){0};
    while (head_next(head, name, &line_cursor, &list)) {
        struct entity_tag tag;
        enum entity_tag_member member;
        while ((member = entity_tag_next(&list, &tag)) != ENTITY_TAG_END) {
            member_count++;
            out->any |= member == ENTITY_TAG_ANY;
            out->malformed |= member == ENTITY_TAG_MALFORMED;
            out->matches |= member == ENTITY_TAG_ONE && has_tag && is_equal(tag, current);
        }
    }
    out->malformed |= out->any && member_count > 1;
    return true;
}

/* Returns whether there is such a field, once and with a valid date, and the representation has
 * one to compare with.
 */
static bool read_date(const struct head *head, struct slice name,
                      const struct validators *validators, time_t now, time_t *out)
{
    struct slice value;
    return validators->exists && validators->has_last_modified &&
           head_find(head, name, &value) == 1 && date_parse(value, now, out) == 0;
}

/* Steps 1 and 2: whether the representation is still the one that the client means. */
static bool is_unchanged(const struct head *head, const struct validators *validators, time_t now)
{
    struct tag_list tags;
    time_t since;
    if (read_tags(head, SLICE("If-Match"), entity_tag_equal_strong, validators, &tags))
        return validators->exists && !tags.malformed && (tags.any || tags.matches);
    if (read_date(head, SLICE("If-Unmodified-Since"), validators, now, &since))
        return validators->last_modified <= since;
    return true;
}

/* Steps 3 and 4: whether it is another than those that the client has. */
static bool is_new(const struct head *head, const struct validators *validators, time_t now)
{
    struct tag_list tags;
    time_t since;
    if (read_tags(head, SLICE("If-None-Match"), entity_tag_equal_weak, validators, &tags))
        return !(validators->exists && (tags.any || tags.matches));
    if ((head->method & READING_METHODS) != 0 &&
        read_date(head, SLICE("If-Modified-Since"), validators, now, &since))
        return validators->last_modified > since;
    return true;
}

enum http_status precondition_check(const struct head *head, const struct validators *validators,
                                    time_t now)
{
    if ((head->method & (READING_METHODS | WRITING_METHODS)) == 0)
        return HTTP_GO_ON;
    if (!is_unchanged(head, validators, now))
        return HTTP_PRECONDITION_FAILED;
    if (is_new(head, validators, now))
        return HTTP_GO_ON;
    return (head->method & READING_METHODS) != 0 ? HTTP_NOT_MODIFIED : HTTP_PRECONDITION_FAILED;
}
