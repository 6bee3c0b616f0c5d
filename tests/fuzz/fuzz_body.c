/* The decoder of a body: the same content for any split, and for a chunked body the content that a
 * second, simple decoder finds.
 */
#include "http/body.h"
#include "http/octet.h"
#include "tests/fuzz/harness.h"

#include <stdlib.h>
#include <string.h>

struct result {
    enum parse_outcome outcome;
    enum http_status status; /* of BAD */
    size_t consumed;
    size_t content_len;
    char *content; /* room for all of the input */
};

/* Decodes one piece, in as many calls as it takes. */
static void decode_piece(struct body *body, const char *bytes, size_t len, struct result *result)
{
    while (len > 0 && result->outcome == PARSE_MORE) {
        size_t used = 0;
        struct slice content = {0};
        result->outcome = body_decode(body, bytes, len, &used, &content);
        if (result->outcome == PARSE_BAD) {
            HARNESS_EXPECT(used == 0 && content.len == 0);
            return;
        }
        HARNESS_EXPECT(used <= len && (used > 0 || result->outcome == PARSE_DONE));
        HARNESS_EXPECT(content.len <= used && content.data >= bytes);
        HARNESS_EXPECT(content.data + content.len <= bytes + used);
        memcpy(result->content + result->content_len, content.data, content.len);
        result->content_len += content.len;
        result->consumed += used;
        bytes += used;
        len -= used;
    }
}

static struct result decode(const uint8_t *data, size_t size, const struct framing *framing,
                            uint64_t limit, enum harness_split split)
{
    struct body body;
    struct harness_pieces pieces = harness_pieces_begin(split, data, size);
    struct result result = {.outcome = PARSE_MORE, .content = malloc(size + 1)};
    HARNESS_EXPECT(result.content);
    if (body_init(&body, framing, limit) != HTTP_GO_ON)
        result.outcome = PARSE_BAD;
    for (size_t at = 0; at < size && result.outcome == PARSE_MORE;) {
        size_t len = harness_pieces_next(&pieces, size - at);
        char *copy = split == HARNESS_PIECES ? harness_copy(data + at, len) : NULL;
        decode_piece(&body, copy ? copy : (const char *)data + at, len, &result);
        at += len;
        free(copy);
    }
    result.status = body_status(&body);
    HARNESS_EXPECT(limit == 0 || result.content_len <= limit);
    return result;
}

static void expect_same(const struct result *whole, const struct result *split)
{
    HARNESS_EXPECT(whole->outcome == split->outcome && whole->status == split->status);
    HARNESS_EXPECT((whole->outcome == PARSE_BAD) == (whole->status != HTTP_GO_ON));
    HARNESS_EXPECT(whole->content_len == split->content_len);
    HARNESS_EXPECT(memcmp(whole->content, split->content, whole->content_len) == 0);
    HARNESS_EXPECT(whole->outcome == PARSE_BAD || whole->consumed == split->consumed);
}

/* Takes a line off the bytes, its CRLF too; it must be whole. */
static struct slice take_line(struct slice *bytes)
{
    const char *end = memmem(bytes->data, bytes->len, "\r\n", 2);
    HARNESS_EXPECT(end);
    struct slice line = {bytes->data, (size_t)(end - bytes->data)};
    bytes->data += line.len + 2;
    bytes->len -= line.len + 2;
    return line;
}

/* The second decoder. It trusts that the body is right, and sees whether it comes out the same. */
static void expect_chunks(struct slice bytes, const struct result *result)
{
    size_t content_len = 0;
    bytes.len = result->consumed;
    for (;;) {
        struct slice line = take_line(&bytes);
        size_t len = 0;
        for (size_t i = 0; i < line.len && octet_hex(line.data[i]) >= 0; i++)
            len = len * 16 + (size_t)octet_hex(line.data[i]);
        if (len == 0)
            break;
        HARNESS_EXPECT(len <= bytes.len && len <= result->content_len - content_len);
        HARNESS_EXPECT(memcmp(bytes.data, result->content + content_len, len) == 0);
        content_len += len;
        bytes.data += len;
        bytes.len -= len;
        HARNESS_EXPECT(take_line(&bytes).len == 0);
    }
    while (take_line(&bytes).len > 0)
        ;
    HARNESS_EXPECT(bytes.len == 0 && content_len == result->content_len);
}

static void run(const uint8_t *data, size_t size, const struct framing *framing, uint64_t limit)
{
    struct result whole = decode(data, size, framing, limit, HARNESS_WHOLE);
    struct result pieces = decode(data, size, framing, limit, HARNESS_PIECES);
    struct result bytes = decode(data, size, framing, limit, HARNESS_BYTES);
    expect_same(&whole, &pieces);
    expect_same(&whole, &bytes);
    if (framing->kind == FRAMING_CHUNKED && whole.outcome == PARSE_DONE)
        expect_chunks((struct slice){(const char *)data, size}, &whole);
    if (framing->kind == FRAMING_LENGTH && whole.outcome == PARSE_DONE)
        HARNESS_EXPECT(whole.content_len == framing->length);
    free(whole.content);
    free(pieces.content);
    free(bytes.content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct framing chunked = {.kind = FRAMING_CHUNKED};
    struct harness_pieces chance = harness_pieces_begin(HARNESS_PIECES, data, size);
    const struct framing length = {.kind = FRAMING_LENGTH,
                                   .length = harness_chance(&chance, 2 * size)};
    run(data, size, &chunked, 0);
    run(data, size, &chunked, 16);
    run(data, size, &length, 0);
    run(data, size, &length, 16);
    return 0;
}
