/* The request target: a path that is let through is in canonical form, and stays what it is when a
 * client gets it back in a Location and asks again.
 */
#include "http/octet.h"
#include "http/target.h"
#include "http/text.h"
#include "http/utf8.h"
#include "tests/fuzz/harness.h"

#include <stdlib.h>
#include <string.h>

/* A path of so many bytes fits, each escaped, into the buffers here. */
#define PATH_BYTES_MAX 16384

static bool is_within(struct slice part, struct slice whole)
{
    return part.len == 0 ||
           (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

/* Calls are cheap here, so the check is as plain as can be. */
static void expect_segments(struct slice path)
{
    bool hidden = false;
    for (size_t start = 0; start < path.len;) {
        size_t end = start + 1;
        while (end < path.len && path.data[end] != '/')
            end++;
        struct slice segment = {path.data + start + 1, end - start - 1};
        HARNESS_EXPECT(segment.len > 0 || end == path.len);
        HARNESS_EXPECT(!slice_equal(segment, SLICE(".")) && !slice_equal(segment, SLICE("..")));
        hidden |= slice_starts_with(segment, SLICE(".")) &&
                  !(start == 0 && slice_equal(segment, SLICE(".well-known")));
        start = end;
    }
    HARNESS_EXPECT(target_is_hidden(path) == hidden);
}

static void expect_canonical(struct slice path)
{
    HARNESS_EXPECT(path.len > 0 && path.data[0] == '/' && path.data[path.len] == '\0');
    for (size_t i = 0; i < path.len; i++)
        HARNESS_EXPECT(!octet_is(path.data[i], OCTET_CONTROL) && path.data[i] != '\\');
    HARNESS_EXPECT(utf8_is_valid(path));
    expect_segments(path);
}

/* What is sent in Location and Content-Disposition is one clean line, and the location leads to the
 * same path again.
 */
static void expect_round_trip(struct slice path)
{
    static char escaped[3 * PATH_BYTES_MAX];
    static char disposition[5 * PATH_BYTES_MAX];
    static char again[PATH_BYTES_MAX + 1];
    size_t again_len;
    struct text location = text_over(escaped, sizeof(escaped));
    text_append_percent(&location, path);
    HARNESS_EXPECT(!location.truncated && !slice_starts_with(text_slice(&location), SLICE("//")));
    HARNESS_EXPECT(octet_span(escaped, location.len, OCTET_VISIBLE) == location.len);
    HARNESS_EXPECT(target_canonicalize(text_slice(&location), again, sizeof(again), &again_len) ==
                   HTTP_GO_ON);
    HARNESS_EXPECT(slice_equal(path, (struct slice){again, again_len}));

    struct text field = text_over(disposition, sizeof(disposition));
    text_append_attachment(&field, path);
    HARNESS_EXPECT(!field.truncated);
    for (size_t i = 0; i < field.len; i++)
        HARNESS_EXPECT(field.data[i] >= 0x20 && field.data[i] < 0x7f);
}

static void canonicalize(struct slice raw)
{
    size_t len = 0;
    size_t short_len = 0;
    if (raw.len > PATH_BYTES_MAX)
        return;
    char *out = malloc(raw.len + 1);
    HARNESS_EXPECT(out);
    enum http_status status = target_canonicalize(raw, out, raw.len + 1, &len);
    HARNESS_EXPECT(status == HTTP_GO_ON || status == HTTP_BAD_REQUEST || status == HTTP_FORBIDDEN);
    if (status == HTTP_GO_ON) {
        struct slice path = {out, len};
        expect_canonical(path);
        expect_round_trip(path);
    }
    /* A buffer that is too small is a 414, or does not matter. */
    char *small = malloc(raw.len / 2);
    HARNESS_EXPECT(small || raw.len < 2);
    enum http_status small_status = target_canonicalize(raw, small, raw.len / 2, &short_len);
    HARNESS_EXPECT(small_status == status || small_status == HTTP_URI_TOO_LONG);
    HARNESS_EXPECT(small_status != HTTP_GO_ON || short_len == len);
    free(small);
    free(out);
}

static void split(struct slice raw, enum method method)
{
    struct target target = {.form = TARGET_ORIGIN};
    if (target_split(raw, method, &target) != HTTP_GO_ON) {
        HARNESS_EXPECT(!target.path.data && !target.authority.data && !target.query.data);
        return;
    }
    HARNESS_EXPECT(is_within(target.authority, raw) && is_within(target.query, raw));
    HARNESS_EXPECT(target.has_query || target.query.len == 0);
    if (target.form == TARGET_ORIGIN || target.form == TARGET_ABSOLUTE) {
        HARNESS_EXPECT(target.path.len > 0 && target.path.data[0] == '/');
        HARNESS_EXPECT(is_within(target.path, raw) || slice_equal(target.path, SLICE("/")));
        HARNESS_EXPECT(!memchr(target.path.data, '?', target.path.len));
        canonicalize(target.path);
    }
    HARNESS_EXPECT((target.form == TARGET_AUTHORITY) == (method == METHOD_CONNECT));
    HARNESS_EXPECT(target.form != TARGET_ASTERISK || method == METHOD_OPTIONS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice raw = {(const char *)data, size};
    split(raw, METHOD_GET);
    split(raw, METHOD_OPTIONS);
    split(raw, METHOD_CONNECT);
    canonicalize(raw); /* also with octets that a request line cannot hold */
    return 0;
}
