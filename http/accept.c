#include "http/accept.h"

#include "http/octet.h"

/* How specific a range is; each parameter of one that names the type makes it more so. */
enum rank {
    RANK_NONE,    /* it does not match */
    RANK_ANY,     /* any type, any subtype */
    RANK_ANY_SUB, /* text, any subtype */
    RANK_BY_NAME, /* text/html */
};

struct media_type {
    struct slice type;
    struct slice subtype;
    struct slice parameters; /* from the first semicolon on, not parsed yet */
};

struct parameter {
    struct slice name;
    struct slice value; /* with its quotes */
};

/* What a range says of a type. */
struct judgement {
    unsigned rank;
    unsigned quality;
};

/* The takers take what they name off the text. */

static struct slice take(struct slice *text, size_t len)
{
    struct slice taken = {text->data, len};
    text->data += len;
    text->len -= len;
    return taken;
}

static bool take_char(struct slice *text, char c)
{
    if (text->len == 0 || text->data[0] != c)
        return false;
    (void)take(text, 1);
    return true;
}

static void take_blanks(struct slice *text)
{
    while (text->len > 0 && octet_is_blank(text->data[0]))
        (void)take(text, 1);
}

static bool take_token(struct slice *text, struct slice *out)
{
    *out = take(text, octet_span(text->data, text->len, OCTET_TOKEN));
    return out->len > 0;
}

static bool take_quoted(struct slice *text, struct slice *out)
{
    for (size_t i = 1; i < text->len; i++) {
        if (text->data[i] == '\\') {
            i++;
        } else if (text->data[i] == '"') {
            *out = take(text, i + 1);
            return true;
        }
    }
    return false;
}

/* `OWS ";" OWS [ parameter ]`, many times (RFC 9110 section 5.6.6). Returns 1 with the next
 * parameter, 0 at the end of the text, -1 for anything else.
 */
static int take_parameter(struct slice *text, struct parameter *out)
{
    do {
        take_blanks(text);
        if (text->len == 0)
            return 0;
        if (!take_char(text, ';'))
            return -1;
        take_blanks(text);
    } while (text->len == 0 || text->data[0] == ';');

    if (!take_token(text, &out->name) || !take_char(text, '='))
        return -1;
    bool quoted = text->len > 0 && text->data[0] == '"';
    return (quoted ? take_quoted(text, &out->value) : take_token(text, &out->value)) ? 1 : -1;
}

static bool read_type(struct slice text, struct media_type *out)
{
    if (!take_token(&text, &out->type) || !take_char(&text, '/') ||
        !take_token(&text, &out->subtype))
        return false;
    out->parameters = text;
    return true;
}

/* qvalue (RFC 9110 section 12.4.2): at most three decimal places, at most 1. */
static bool read_quality(struct slice text, unsigned *out)
{
    if (text.len > sizeof("0.000") - 1 || (text.data[0] != '0' && text.data[0] != '1'))
        return false;
    if (text.len > 1 && text.data[1] != '.')
        return false;
    unsigned quality = text.data[0] == '1' ? ACCEPT_QUALITY_MAX : 0;
    unsigned unit = ACCEPT_QUALITY_MAX / 10;
    for (size_t i = 2; i < text.len; i++, unit /= 10) {
        if (!octet_is_digit(text.data[i]))
            return false;
        quality += (unsigned)(text.data[i] - '0') * unit;
    }
    *out = quality;
    return quality <= ACCEPT_QUALITY_MAX;
}

static bool has_parameter(const struct media_type *type, const struct parameter *wanted)
{
    struct slice rest = type->parameters;
    struct parameter own;
    while (take_parameter(&rest, &own) > 0)
        if (slice_equal_nocase(own.name, wanted->name) &&
            slice_equal_nocase(slice_unquote(own.value), slice_unquote(wanted->value)))
            return true;
    return false;
}

/* By the names alone. */
static enum rank rank_of(const struct media_type *range, const struct media_type *type)
{
    if (slice_equal(range->type, SLICE("*")))
        return RANK_ANY;
    if (!slice_equal_nocase(range->type, type->type))
        return RANK_NONE;
    if (slice_equal(range->subtype, SLICE("*")))
        return RANK_ANY_SUB;
    return slice_equal_nocase(range->subtype, type->subtype) ? RANK_BY_NAME : RANK_NONE;
}

/* What a member of the list says of the type. A parameter `q` is the weight wherever it stands.
 * Returns whether the member is well-formed.
 */
static bool judge(struct slice member, const struct media_type *type, struct judgement *out)
{
    struct media_type range;
    struct parameter parameter;
    int more;
    if (!read_type(member, &range))
        return false;
    if (slice_equal(range.type, SLICE("*")) && !slice_equal(range.subtype, SLICE("*")))
        return false;

    *out = (struct judgement){rank_of(&range, type), ACCEPT_QUALITY_MAX};
    while ((more = take_parameter(&range.parameters, &parameter)) > 0) {
        if (slice_equal_nocase(parameter.name, SLICE("q"))) {
            if (!read_quality(parameter.value, &out->quality))
                return false;
        } else if (!has_parameter(type, &parameter)) {
            out->rank = RANK_NONE;
        } else if (out->rank >= RANK_BY_NAME) {
            out->rank++;
        }
    }
    return more == 0;
}

static bool is_better(struct judgement a, struct judgement b)
{
    return a.rank > b.rank || (a.rank == b.rank && a.quality > b.quality);
}

unsigned accept_quality(const struct head *head, struct slice type, bool *out_by_name)
{
    struct media_type wanted = {0};
    struct judgement best = {RANK_NONE, 0};
    struct slice list;
    unsigned cursor = 0;
    bool silent = true;

    (void)read_type(type, &wanted); /* from the code, not from the wire */
    while (head_next(head, SLICE("Accept"), &cursor, &list)) {
        struct slice member;
        while (slice_next_element(&list, &member)) {
            struct judgement judgement;
            if (!judge(member, &wanted, &judgement))
                continue;
            silent = false;
            if (judgement.rank != RANK_NONE && is_better(judgement, best))
                best = judgement;
        }
    }
    if (out_by_name)
        *out_by_name = best.rank >= RANK_BY_NAME;
    return silent ? ACCEPT_QUALITY_MAX : best.quality;
}
