#include "http/target.h"

#include "http/octet.h"
#include "http/utf8.h"

#include <string.h>

#define SCHEME "http://"

/* Splits "/path?query" and checks its bytes. */
static enum http_status split_path(struct slice text, struct target *target)
{
    const char *mark = memchr(text.data, '?', text.len);
    target->path = text;
    if (mark) {
        target->path.len = (size_t)(mark - text.data);
        target->query = (struct slice){mark + 1, text.len - target->path.len - 1};
        target->has_query = true;
    }
    struct slice path = target->path;
    struct slice query = target->query;
    if (octet_span(path.data, path.len, OCTET_PATH) != path.len ||
        octet_span(query.data, query.len, OCTET_QUERY) != query.len)
        return HTTP_BAD_REQUEST;
    return HTTP_GO_ON;
}

/* RFC 9112 section 3.2.2. What stands between the scheme and the path is the authority. */
static enum http_status split_absolute(struct slice raw, struct target *target)
{
    size_t scheme_len = sizeof(SCHEME) - 1;
    if (raw.len < scheme_len ||
        !slice_equal_nocase((struct slice){raw.data, scheme_len}, SLICE(SCHEME)))
        return HTTP_BAD_REQUEST;

    struct slice rest = {raw.data + scheme_len, raw.len - scheme_len};
    size_t len = 0;
    while (len < rest.len && rest.data[len] != '/' && rest.data[len] != '?')
        len++;
    if (len == 0)
        return HTTP_BAD_REQUEST;
    target->form = TARGET_ABSOLUTE;
    target->authority = (struct slice){rest.data, len};
    enum http_status status = split_path((struct slice){rest.data + len, rest.len - len}, target);
    if (target->path.len == 0)
        target->path = SLICE("/");
    return status;
}

static enum http_status split(struct slice raw, enum method method, struct target *target)
{
    if (raw.len == 0)
        return HTTP_BAD_REQUEST;
    if (method == METHOD_CONNECT) {
        target->form = TARGET_AUTHORITY;
        target->authority = raw;
        return raw.data[0] == '/' || raw.data[0] == '*' ? HTTP_BAD_REQUEST : HTTP_GO_ON;
    }
    if (slice_equal(raw, SLICE("*"))) {
        target->form = TARGET_ASTERISK;
        return method == METHOD_OPTIONS ? HTTP_GO_ON : HTTP_BAD_REQUEST;
    }
    if (raw.data[0] == '/') {
        target->form = TARGET_ORIGIN;
        return split_path(raw, target);
    }
    return split_absolute(raw, target);
}

enum http_status target_split(struct slice raw, enum method method, struct target *out)
{
    struct target target = {0};
    enum http_status status = split(raw, method, &target);
    if (status == HTTP_GO_ON)
        *out = target;
    return status;
}

/* The octet that a percent escape at the beginning of `text` stands for, or -1. */
static int read_escape(struct slice text)
{
    int high = text.len >= 3 ? octet_hex(text.data[1]) : -1;
    int low = text.len >= 3 ? octet_hex(text.data[2]) : -1;
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Decodes the percent escapes of the whole path, once. *out_forbidden tells whether it held a
 * backslash or an encoded slash.
 */
static enum http_status decode(struct slice raw, char *out, size_t size, size_t *out_len,
                               bool *out_forbidden)
{
    size_t len = 0;
    while (raw.len > 0) {
        size_t taken = 1;
        char octet = raw.data[0];
        if (octet == '%') {
            int value = read_escape(raw);
            if (value < 0)
                return HTTP_BAD_REQUEST;
            octet = (char)value;
            taken = 3;
            *out_forbidden |= octet == '/';
        }
        if (octet_is(octet, OCTET_CONTROL))
            return HTTP_BAD_REQUEST;
        *out_forbidden |= octet == '\\';
        if (len + 1 >= size)
            return HTTP_URI_TOO_LONG;
        out[len++] = octet;
        raw.data += taken;
        raw.len -= taken;
    }
    *out_len = len;
    return HTTP_GO_ON;
}

static bool is_dot_segment(struct slice segment)
{
    return slice_equal(segment, SLICE(".")) || slice_equal(segment, SLICE(".."));
}

/* Drops the empty segments of a decoded path, in place. Returns false if there is a dot segment. */
static bool collapse(char *path, size_t *len)
{
    size_t kept = 0;
    for (size_t start = 0; start < *len;) {
        /* path[start] is a slash; its segment ends before the next one. */
        const char *next = memchr(path + start + 1, '/', *len - start - 1);
        size_t end = next ? (size_t)(next - path) : *len;
        size_t segment_len = end - start - 1;
        if (is_dot_segment((struct slice){path + start + 1, segment_len}))
            return false;
        if (segment_len > 0 || end == *len) {
            memmove(path + kept, path + start, end - start);
            kept += end - start;
        }
        start = end;
    }
    *len = kept;
    return true;
}

enum http_status target_canonicalize(struct slice raw_path, char *out, size_t size, size_t *out_len)
{
    size_t len = 0;
    bool forbidden = false;
    if (raw_path.len == 0 || raw_path.data[0] != '/')
        return HTTP_BAD_REQUEST;
    enum http_status status = decode(raw_path, out, size, &len, &forbidden);
    if (status != HTTP_GO_ON)
        return status;
    if (!utf8_is_valid((struct slice){out, len}))
        return HTTP_BAD_REQUEST;
    if (forbidden || !collapse(out, &len))
        return HTTP_FORBIDDEN;
    out[len] = '\0';
    *out_len = len;
    return HTTP_GO_ON;
}

bool target_is_hidden(struct slice canonical_path)
{
    struct slice rest = canonical_path;
    if (slice_equal(rest, SLICE("/.well-known")) ||
        slice_starts_with(rest, SLICE("/.well-known/"))) {
        size_t skipped = sizeof("/.well-known") - 1;
        rest = (struct slice){rest.data + skipped, rest.len - skipped};
    }
    return rest.len > 0 && memmem(rest.data, rest.len, "/.", 2) != NULL;
}
