#include "http/multipart_head.h"

#include "http/octet.h"
#include "http/utf8.h"

#include <string.h>

/* --- parameters ---------------------------------------------------------------------------- */

struct parameter {
    struct slice name;
    struct slice value; /* without its quotes; quoted pairs are still in it */
};

static bool is_token(struct slice text)
{
    return text.len > 0 && octet_span(text.data, text.len, OCTET_TOKEN) == text.len;
}

/* Whether the text is one quoted string, and nothing else. */
static bool is_quoted(struct slice text)
{
    size_t at = 1;
    if (text.len < 2 || text.data[0] != '"')
        return false;
    while (at < text.len && text.data[at] != '"')
        at += text.data[at] == '\\' ? 2 : 1;
    return at == text.len - 1;
}

/* Takes the next parameter (RFC 9110 section 5.6.6) off *rest. Returns false at the end, and, with
 * *out_wrong, where there is something else.
 */
static bool take_parameter(struct slice *rest, struct parameter *out, bool *out_wrong)
{
    struct slice text = {0};
    while (text.len == 0 && rest->len > 0)
        text = slice_take_part(rest, ';');
    if (text.len == 0)
        return false;
    const char *equals = memchr(text.data, '=', text.len);
    if (equals) {
        out->name = (struct slice){text.data, (size_t)(equals - text.data)};
        out->value = (struct slice){equals + 1, text.len - out->name.len - 1};
    }
    *out_wrong =
        !equals || !is_token(out->name) || !(is_token(out->value) || is_quoted(out->value));
    out->value = slice_unquote(out->value);
    return !*out_wrong;
}

/* --- the boundary -------------------------------------------------------------------------- */

/* bcharsnospace and the space, RFC 2046 section 5.1.1. */
static bool is_boundary(struct slice text)
{
    if (text.len == 0 || text.len > MULTIPART_BOUNDARY_MAX || text.data[text.len - 1] == ' ')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char lower = octet_lower(text.data[i]);
        bool is_letter = lower >= 'a' && lower <= 'z';
        if (!is_letter && !octet_is_digit(lower) &&
            (lower == '\0' || !strchr("'()+_,-./:=? ", lower)))
            return false;
    }
    return true;
}

bool multipart_head_boundary(struct slice content_type, struct slice *out_boundary)
{
    struct parameter parameter = {0};
    struct slice boundary = {0};
    unsigned count = 0;
    bool wrong = false;
    (void)slice_take_part(&content_type, ';'); /* the media type */
    while (take_parameter(&content_type, &parameter, &wrong)) {
        if (slice_equal_nocase(parameter.name, SLICE("boundary"))) {
            boundary = parameter.value;
            count++;
        }
    }
    if (wrong || count != 1 || !is_boundary(boundary))
        return false;
    *out_boundary = boundary;
    return true;
}

/* --- a part's header ----------------------------------------------------------------------- */

/* The lines that count, and how often they were there. */
struct lines {
    struct slice disposition;
    struct slice media_type;
    struct slice coding;
    unsigned dispositions;
    unsigned media_types;
};

/* Sorts one line in, given without its CRLF. Others than the three are ignored (RFC 7578 section
 * 4.8).
 */
static bool read_line(struct slice line, struct lines *lines)
{
    const char *colon = memchr(line.data, ':', line.len);
    if (!colon)
        return false;
    struct slice name = {line.data, (size_t)(colon - line.data)};
    struct slice value = slice_trim((struct slice){colon + 1, line.len - name.len - 1});
    if (slice_equal_nocase(name, SLICE("Content-Disposition"))) {
        lines->disposition = value;
        lines->dispositions++;
    } else if (slice_equal_nocase(name, SLICE("Content-Type"))) {
        lines->media_type = value;
        lines->media_types++;
    } else if (slice_equal_nocase(name, SLICE("Content-Transfer-Encoding"))) {
        lines->coding = value;
    }
    return is_token(name);
}

static bool read_lines(const char *bytes, size_t len, struct lines *lines)
{
    while (len > 0) {
        const char *end = memchr(bytes, '\r', len);
        struct slice line = {bytes, (size_t)(end - bytes)};
        if (!read_line(line, lines))
            return false;
        bytes += line.len + 2;
        len -= line.len + 2;
    }
    return true;
}

/* Resolves quoted pairs in place; `value` is a part of `lines`. */
static struct slice resolve_pairs(char *lines, struct slice value)
{
    char *out = lines + (value.data - lines);
    size_t len = 0;
    for (size_t i = 0; i < value.len; i++) {
        bool is_pair = value.data[i] == '\\' && i + 1 < value.len &&
                       (value.data[i + 1] == '"' || value.data[i + 1] == '\\');
        if (is_pair)
            i++;
        out[len++] = value.data[i];
    }
    return (struct slice){out, len};
}

static bool read_disposition(char *lines, struct slice value, struct multipart_part *part)
{
    struct parameter parameter = {0};
    unsigned names = 0;
    unsigned filenames = 0;
    bool wrong = false;
    if (!slice_equal_nocase(slice_take_part(&value, ';'), SLICE("form-data")))
        return false;
    while (take_parameter(&value, &parameter, &wrong)) {
        struct slice resolved = resolve_pairs(lines, parameter.value);
        if (slice_equal_nocase(parameter.name, SLICE("name"))) {
            part->name = resolved;
            names++;
        } else if (slice_equal_nocase(parameter.name, SLICE("filename"))) {
            part->filename = resolved;
            filenames++;
            part->is_file = true;
        } else if (slice_equal_nocase(parameter.name, SLICE("filename*"))) {
            part->is_file = true;
        }
    }
    return !wrong && names <= 1 && filenames <= 1;
}

/* Whether a text of this type is UTF-8 as far as it says. */
static bool is_unicode(struct slice media_type)
{
    struct parameter parameter = {0};
    bool wrong = false;
    (void)slice_take_part(&media_type, ';'); /* the type itself */
    while (take_parameter(&media_type, &parameter, &wrong))
        if (slice_equal_nocase(parameter.name, SLICE("charset")) &&
            !slice_equal_nocase(parameter.value, SLICE("utf-8")) &&
            !slice_equal_nocase(parameter.value, SLICE("us-ascii")))
            return false;
    return !wrong;
}

/* RFC 7578 section 4.7: the field is of the past; what says nothing is harmless. */
static bool is_plain_coding(struct slice coding)
{
    return coding.len == 0 || slice_equal_nocase(coding, SLICE("binary")) ||
           slice_equal_nocase(coding, SLICE("8bit")) || slice_equal_nocase(coding, SLICE("7bit"));
}

static bool is_multipart(struct slice media_type)
{
    struct slice begin = SLICE("multipart/");
    return media_type.len >= begin.len &&
           slice_equal_nocase((struct slice){media_type.data, begin.len}, begin);
}

const char *multipart_head_read(char *lines, size_t len, struct multipart_part *out_part)
{
    struct lines found = {0};
    struct multipart_part part = {0};
    if (!read_lines(lines, len, &found) || found.media_types > 1)
        return "A part has a malformed header line.";
    if (found.dispositions != 1 || !read_disposition(lines, found.disposition, &part))
        return "A part has no Content-Disposition of form-data, or a malformed one.";
    if (part.name.len == 0)
        return "A part has no name.";
    if (part.name.len > MULTIPART_NAME_BYTES_MAX)
        return "The name of a part is longer than this server takes.";
    if (!utf8_is_valid(part.name) || !utf8_is_valid(part.filename))
        return "The name of a part, or of its file, is not UTF-8.";
    if (is_multipart(found.media_type))
        return "A part is a multipart itself.";
    if (!is_plain_coding(found.coding))
        return "A part is encoded; form-data is sent as it is.";
    if (!part.is_file && found.media_types > 0 && !is_unicode(found.media_type))
        return "The text of a field is declared to be something else than UTF-8.";
    part.media_type = found.media_type;
    *out_part = part;
    return NULL;
}
