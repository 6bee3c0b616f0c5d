/* The decoder of forms in parts: the same events and the same fault for any split, and for a form
 * that is right the contents that a second, simple decoder finds.
 *
 * The input's first line is the value of a Content-Type; where it has no boundary, it is "b" and
 * all of the input is the form.
 */
#include "http/multipart.h"
#include "http/octet.h"
#include "http/utf8.h"
#include "tests/fuzz/harness.h"

#include <stdlib.h>
#include <string.h>

struct result {
    enum parse_outcome outcome;
    const char *fault;
    char *events; /* kinds and strings of the parts */
    size_t events_len;
    char *content; /* of all parts together; room for all of the input */
    size_t content_len;
    unsigned parts;
    size_t ends[MULTIPART_PARTS_MAX]; /* of each part's content in it */
};

static void append_string(struct result *result, struct slice string)
{
    memcpy(result->events + result->events_len, &string.len, sizeof(string.len));
    result->events_len += sizeof(string.len);
    if (string.len > 0)
        memcpy(result->events + result->events_len, string.data, string.len);
    result->events_len += string.len;
}

static void take_part(struct result *result, const struct multipart_part *part)
{
    HARNESS_EXPECT(result->parts < MULTIPART_PARTS_MAX);
    HARNESS_EXPECT(part->name.len > 0 && part->name.len <= MULTIPART_NAME_BYTES_MAX);
    HARNESS_EXPECT(utf8_is_valid(part->name) && utf8_is_valid(part->filename));
    HARNESS_EXPECT(octet_span(part->name.data, part->name.len, OCTET_FIELD) == part->name.len);
    HARNESS_EXPECT(part->is_file || part->filename.len == 0);
    append_string(result, part->name);
    append_string(result, part->filename);
    append_string(result, part->media_type);
}

static void take_event(struct result *result, const struct multipart_event *event)
{
    if (event->kind == MULTIPART_PART)
        take_part(result, &event->part);
    if (event->kind == MULTIPART_DATA) {
        HARNESS_EXPECT(event->data.len > 0);
        memcpy(result->content + result->content_len, event->data.data, event->data.len);
        result->content_len += event->data.len;
    }
    if (event->kind == MULTIPART_END)
        result->ends[result->parts++] = result->content_len;
}

static void decode_piece(struct multipart *multipart, const char *bytes, size_t len,
                         struct result *result)
{
    while (len > 0 && result->outcome == PARSE_MORE) {
        struct multipart_event event = {.kind = MULTIPART_NONE};
        size_t used = 0;
        result->outcome = multipart_decode(multipart, bytes, len, &used, &event);
        HARNESS_EXPECT(result->outcome != PARSE_DONE && used <= len);
        HARNESS_EXPECT(result->outcome == PARSE_BAD || used > 0 || event.kind != MULTIPART_NONE);
        take_event(result, &event);
        bytes += used;
        len -= used;
    }
}

static struct result decode(struct slice form, struct slice boundary, enum harness_split split)
{
    struct multipart *multipart = malloc(sizeof(*multipart)); /* so that overruns are seen */
    struct harness_pieces pieces = harness_pieces_begin(split, form.data, form.len);
    struct result result = {.outcome = PARSE_MORE};
    size_t strings = MULTIPART_PARTS_MAX * 3 * sizeof(size_t);
    result.content = malloc(form.len + 1);
    result.events = malloc(form.len + strings);
    HARNESS_EXPECT(multipart && result.content && result.events);
    multipart_init(multipart, boundary);
    for (size_t at = 0; at < form.len && result.outcome == PARSE_MORE;) {
        size_t len = harness_pieces_next(&pieces, form.len - at);
        char *copy = split == HARNESS_PIECES ? harness_copy(form.data + at, len) : NULL;
        decode_piece(multipart, copy ? copy : form.data + at, len, &result);
        at += len;
        free(copy);
    }
    result.outcome = multipart_finish(multipart);
    result.fault = multipart_fault(multipart);
    HARNESS_EXPECT((result.outcome == PARSE_BAD) == (result.fault != NULL));
    free(multipart);
    return result;
}

static void expect_same(const struct result *whole, const struct result *split)
{
    HARNESS_EXPECT(whole->outcome == split->outcome && whole->fault == split->fault);
    HARNESS_EXPECT(whole->parts == split->parts && whole->events_len == split->events_len);
    HARNESS_EXPECT(memcmp(whole->events, split->events, whole->events_len) == 0);
    HARNESS_EXPECT(whole->content_len == split->content_len);
    HARNESS_EXPECT(memcmp(whole->content, split->content, whole->content_len) == 0);
    HARNESS_EXPECT(memcmp(whole->ends, split->ends, whole->parts * sizeof(whole->ends[0])) == 0);
}

/* Where `needle` stands; it must be there. */
static const char *find(struct slice text, struct slice needle)
{
    const char *found = memmem(text.data, text.len, needle.data, needle.len);
    HARNESS_EXPECT(found);
    return found;
}

static void skip_to(struct slice *text, const char *to)
{
    text->len -= (size_t)(to - text->data);
    text->data = to;
}

/* The second decoder. It trusts that the form is right, and has a line end before it. */
static void expect_contents(struct slice form, struct slice boundary, const struct result *result)
{
    char delimiter[MULTIPART_DELIMITER_SIZE] = "\r\n--";
    struct slice whole = {delimiter, 4 + boundary.len};
    size_t start = 0;
    memcpy(delimiter + 4, boundary.data, boundary.len);
    skip_to(&form, find(form, whole) + whole.len);
    for (unsigned i = 0; i < result->parts; i++) {
        skip_to(&form, find(form, SLICE("\r\n\r\n")) + 4);
        const char *content = form.data;
        /* The empty line may be the delimiter's. */
        skip_to(&form, find((struct slice){content - 2, form.len + 2}, whole));
        size_t len = form.data > content ? (size_t)(form.data - content) : 0;
        HARNESS_EXPECT(len == result->ends[i] - start);
        HARNESS_EXPECT(memcmp(content, result->content + start, len) == 0);
        start = result->ends[i];
        skip_to(&form, form.data + whole.len);
    }
    HARNESS_EXPECT(start == result->content_len && slice_starts_with(form, SLICE("--")));
}

static void run(struct slice form, struct slice boundary)
{
    struct result whole = decode(form, boundary, HARNESS_WHOLE);
    struct result pieces = decode(form, boundary, HARNESS_PIECES);
    struct result bytes = decode(form, boundary, HARNESS_BYTES);
    expect_same(&whole, &pieces);
    expect_same(&whole, &bytes);
    if (whole.outcome == PARSE_DONE) {
        char *copy = malloc(form.len + 2);
        HARNESS_EXPECT(copy);
        memcpy(copy, "\r\n", 2);
        memcpy(copy + 2, form.data, form.len);
        expect_contents((struct slice){copy, form.len + 2}, boundary, &whole);
        free(copy);
    }
    free(whole.content);
    free(whole.events);
    free(pieces.content);
    free(pieces.events);
    free(bytes.content);
    free(bytes.events);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice form = {(const char *)data, size};
    struct slice boundary = SLICE("b");
    const char *end = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t line_len = end ? (size_t)(end - form.data) : 0;
    char *line = harness_copy(data, line_len);
    if (multipart_head_boundary((struct slice){line, line_len}, &boundary)) {
        HARNESS_EXPECT(boundary.len > 0 && boundary.len <= MULTIPART_BOUNDARY_MAX);
        skip_to(&form, end + 1);
    }
    run(form, boundary);
    free(line);
    return 0;
}
