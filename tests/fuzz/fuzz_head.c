/* The parser of a head and the framing: the same answer for any split, and no byte of a head that
 * HTTP does not allow there.
 */
#include "http/framing.h"
#include "http/octet.h"
#include "http/parser.h"
#include "tests/fuzz/harness.h"

#include <stdlib.h>
#include <string.h>

struct result {
    enum parse_outcome outcome;
    enum http_status status; /* of BAD */
    struct head head;        /* of DONE */
};

/* Gives the parser longer and longer beginnings, each in a place of its own. */
static void parse(const uint8_t *data, size_t size, const struct parser_limits *limits,
                  enum harness_split split, struct result *out)
{
    struct parser parser;
    struct harness_pieces pieces = harness_pieces_begin(split, data, size);
    parser_init(&parser, &out->head);
    out->outcome = PARSE_MORE;
    for (size_t len = 0; len < size && out->outcome == PARSE_MORE;) {
        len += harness_pieces_next(&pieces, size - len);
        char *copy = split == HARNESS_PIECES ? harness_copy(data, len) : NULL;
        out->outcome =
            parser_run(&parser, &out->head, limits, copy ? copy : (const char *)data, len);
        HARNESS_EXPECT(out->outcome != PARSE_DONE || out->head.len <= len);
        HARNESS_EXPECT(split != HARNESS_BYTES || out->outcome != PARSE_DONE ||
                       out->head.len == len);
        out->head.bytes = (const char *)data;
        free(copy);
    }
    out->status = parser_status(&parser);
}

static bool is_same_span(struct span a, struct span b)
{
    return a.offset == b.offset && a.len == b.len;
}

static void expect_same_heads(const struct head *a, const struct head *b)
{
    HARNESS_EXPECT(a->len == b->len && a->method == b->method);
    HARNESS_EXPECT(a->minor_version == b->minor_version);
    HARNESS_EXPECT(is_same_span(a->request_line, b->request_line));
    HARNESS_EXPECT(is_same_span(a->method_name, b->method_name));
    HARNESS_EXPECT(is_same_span(a->target, b->target));
    HARNESS_EXPECT(a->field_count == b->field_count);
    for (unsigned i = 0; i < a->field_count; i++) {
        HARNESS_EXPECT(is_same_span(a->fields[i].name, b->fields[i].name));
        HARNESS_EXPECT(is_same_span(a->fields[i].value, b->fields[i].value));
    }
}

static void expect_same(const struct result *a, const struct result *b)
{
    HARNESS_EXPECT(a->outcome == b->outcome && a->status == b->status);
    if (a->outcome == PARSE_DONE)
        expect_same_heads(&a->head, &b->head);
}

/* A part of the head, all of these octets. */
static struct slice expect_octets(const struct head *head, struct span span, enum octet_class class)
{
    struct slice slice = head_slice(head, span);
    HARNESS_EXPECT((size_t)span.offset + span.len <= head->len);
    HARNESS_EXPECT(octet_span(slice.data, slice.len, class) == slice.len);
    return slice;
}

static void expect_strict(const struct head *head, const struct parser_limits *limits)
{
    HARNESS_EXPECT(head->len <= limits->head_bytes && head->field_count <= limits->head_fields);
    HARNESS_EXPECT(memcmp(head->bytes + head->len - 4, "\r\n\r\n", 4) == 0);
    HARNESS_EXPECT(expect_octets(head, head->method_name, OCTET_TOKEN).len > 0);
    HARNESS_EXPECT(expect_octets(head, head->target, OCTET_VISIBLE).len > 0);
    (void)expect_octets(head, head->request_line, OCTET_FIELD);
    for (unsigned i = 0; i < head->field_count; i++) {
        struct slice value = expect_octets(head, head->fields[i].value, OCTET_FIELD);
        HARNESS_EXPECT(expect_octets(head, head->fields[i].name, OCTET_TOKEN).len > 0);
        HARNESS_EXPECT(slice_trim(value).len == value.len);
    }
}

static bool asks_to_close(const struct head *head)
{
    unsigned cursor = 0;
    struct slice list, option;
    while (head_next(head, SLICE("Connection"), &cursor, &list))
        while (slice_next_element(&list, &option))
            if (slice_equal_nocase(option, SLICE("close")))
                return true;
    return false;
}

/* No request with two ideas of its length gets through. */
static void expect_one_length(const struct head *head)
{
    struct framing framing = {.kind = FRAMING_NONE};
    struct slice value = {0};
    unsigned lengths = head_find(head, SLICE("Content-Length"), &value);
    unsigned codings = head_find(head, SLICE("Transfer-Encoding"), NULL);
    if (framing_read(head, &framing) != HTTP_GO_ON)
        return;
    HARNESS_EXPECT(lengths + codings <= 1);
    HARNESS_EXPECT(framing.kind == (lengths   ? FRAMING_LENGTH
                                    : codings ? FRAMING_CHUNKED
                                              : FRAMING_NONE));
    HARNESS_EXPECT(framing.length <= INT64_MAX && (lengths || framing.length == 0));
    HARNESS_EXPECT(!framing.persistent || !asks_to_close(head));
}

static void run(const uint8_t *data, size_t size, const struct parser_limits *limits)
{
    static struct result whole;
    static struct result split;
    parse(data, size, limits, HARNESS_WHOLE, &whole);
    parse(data, size, limits, HARNESS_PIECES, &split);
    expect_same(&whole, &split);
    parse(data, size, limits, HARNESS_BYTES, &split);
    expect_same(&whole, &split);
    HARNESS_EXPECT((whole.outcome == PARSE_BAD) == (whole.status != HTTP_GO_ON));
    if (whole.outcome == PARSE_DONE) {
        expect_strict(&whole.head, limits);
        expect_one_length(&whole.head);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct parser_limits usual = {8192, 100};
    static const struct parser_limits narrow = {96, 3};
    run(data, size, &usual);
    run(data, size, &narrow);
    return 0;
}
