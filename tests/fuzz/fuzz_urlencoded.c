/* The decoder of urlencoded forms: the same events for any split, and those that a second, simple
 * decoder finds.
 */
#include "http/octet.h"
#include "http/urlencoded.h"
#include "tests/fuzz/harness.h"

#include <stdlib.h>
#include <string.h>

/* Names and values, with marks that no decoded byte can be taken for: each byte of them comes with
 * a zero before it.
 */
struct result {
    enum parse_outcome outcome;
    size_t len;
    char *text;
};

#define MARK_END   1
#define MARK_VALUE 2

static void put_mark(struct result *result, char mark)
{
    result->text[result->len++] = mark;
}

static void put_octet(struct result *result, char octet)
{
    result->text[result->len++] = 0;
    result->text[result->len++] = octet;
}

static void take_event(struct result *result, const struct urlencoded_event *event, bool *in_value)
{
    if (event->kind == URLENCODED_NONE)
        return;
    if (event->kind == URLENCODED_VALUE && !*in_value)
        put_mark(result, MARK_VALUE);
    *in_value = event->kind == URLENCODED_VALUE;
    if (event->kind == URLENCODED_END) {
        put_mark(result, MARK_END);
        return;
    }
    HARNESS_EXPECT(event->data.len > 0 && event->data.len <= URLENCODED_PIECE_BYTES);
    for (size_t i = 0; i < event->data.len; i++)
        put_octet(result, event->data.data[i]);
}

static struct result decode(const char *data, size_t size, enum harness_split split)
{
    struct urlencoded urlencoded = {0};
    struct urlencoded_event event;
    struct harness_pieces pieces = harness_pieces_begin(split, data, size);
    struct result result = {.outcome = PARSE_MORE, .text = malloc(2 * size + 2)};
    bool in_value = false;
    HARNESS_EXPECT(result.text);
    for (size_t at = 0; at < size && result.outcome == PARSE_MORE;) {
        size_t len = harness_pieces_next(&pieces, size - at);
        char *copy = harness_copy(data + at, len);
        for (size_t done = 0; done < len && result.outcome == PARSE_MORE;) {
            size_t used = 0;
            event.kind = URLENCODED_NONE;
            result.outcome = urlencoded_decode(&urlencoded, copy + done, len - done, &used, &event);
            HARNESS_EXPECT(result.outcome == PARSE_BAD || used > 0);
            take_event(&result, &event, &in_value);
            done += used;
        }
        free(copy);
        at += len;
    }
    event.kind = URLENCODED_NONE;
    result.outcome = urlencoded_finish(&urlencoded, &event);
    take_event(&result, &event, &in_value);
    return result;
}

/* The second decoder; it trusts that the escapes are right. */
static struct result decode_simply(const char *data, size_t size)
{
    struct result result = {.outcome = PARSE_DONE, .text = malloc(2 * size + 2)};
    HARNESS_EXPECT(result.text);
    for (size_t at = 0; at < size;) {
        const char *found = memchr(data + at, '&', size - at);
        size_t end = found ? (size_t)(found - data) : size;
        bool is_field = end > at;
        bool in_value = false;
        for (; at < end; at++) {
            if (data[at] == '=' && !in_value) {
                in_value = true;
                if (at + 1 < end)
                    put_mark(&result, MARK_VALUE);
            } else if (data[at] == '%') {
                put_octet(&result, (char)(octet_hex(data[at + 1]) * 16 + octet_hex(data[at + 2])));
                at += 2;
            } else {
                put_octet(&result, data[at] == '+' ? ' ' : data[at]);
            }
        }
        if (is_field)
            put_mark(&result, MARK_END);
        at = end + 1;
    }
    return result;
}

static bool has_wrong_escape(const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (data[i] == '%' &&
            (size - i < 3 || octet_hex(data[i + 1]) < 0 || octet_hex(data[i + 2]) < 0))
            return true;
    return false;
}

static void expect_same(const struct result *a, const struct result *b)
{
    HARNESS_EXPECT(a->outcome == b->outcome && a->len == b->len);
    HARNESS_EXPECT(memcmp(a->text, b->text, a->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    struct result whole = decode(bytes, size, HARNESS_WHOLE);
    for (enum harness_split split = HARNESS_PIECES; split <= HARNESS_BYTES; split++) {
        struct result pieces = decode(bytes, size, split);
        expect_same(&whole, &pieces);
        free(pieces.text);
    }
    HARNESS_EXPECT((whole.outcome == PARSE_BAD) == has_wrong_escape(bytes, size));
    if (whole.outcome == PARSE_DONE) {
        struct result simple = decode_simply(bytes, size);
        expect_same(&whole, &simple);
        free(simple.text);
    }
    free(whole.text);
    return 0;
}
