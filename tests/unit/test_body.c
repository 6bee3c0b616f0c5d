/* Every case runs whole, byte by byte and split in two at each place, from a buffer that ends at a
 * protected page. Outcome, status, content and the place where the body ends must be the same.
 */
#include "http/body.h"
#include "tests/unit/assert_slice.h"
#include "tests/unit/fill.h"
#include "tests/unit/guard.h"

#include <stdio.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define ROW(label, literal)                                                                        \
    label,                                                                                         \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
#define ROOM (2 * 1024 * 1024)

static struct guard guard;

static int create_guard(void **state)
{
    (void)state;
    guard = guard_create(ROOM);
    return 0;
}

static int destroy_guard(void **state)
{
    (void)state;
    guard_destroy(&guard);
    return 0;
}

/* One decoding, and what it has come to. */
struct attempt {
    struct body body;
    enum parse_outcome outcome;
    size_t consumed;
    size_t content_len;
    char content[512]; /* the beginning of what was handed out */
};

static const struct framing chunked = {.kind = FRAMING_CHUNKED};

static struct attempt begin(const struct framing *framing, uint64_t limit)
{
    struct attempt attempt = {.outcome = PARSE_MORE};
    assert_int_equal(body_init(&attempt.body, framing, limit), HTTP_GO_ON);
    return attempt;
}

static void keep(struct attempt *attempt, struct slice content)
{
    for (size_t i = 0; i < content.len; i++, attempt->content_len++)
        if (attempt->content_len < sizeof(attempt->content))
            attempt->content[attempt->content_len] = content.data[i];
}

/* Gives the decoder the next bytes, until it has used them or the body has ended. */
static void feed(struct attempt *attempt, const char *bytes, size_t len)
{
    const char *copy = guard_place(&guard, bytes, len);
    size_t at = 0;
    while (attempt->outcome == PARSE_MORE && at < len) {
        size_t consumed = 0;
        struct slice content = {NULL, 0};
        attempt->outcome = body_decode(&attempt->body, copy + at, len - at, &consumed, &content);
        if (attempt->outcome == PARSE_BAD)
            return;
        assert_true(consumed > 0 || attempt->outcome == PARSE_DONE);
        assert_true(content.len == 0 || (content.data >= copy + at &&
                                         content.data + content.len <= copy + at + consumed));
        keep(attempt, content);
        at += consumed;
        attempt->consumed += consumed;
    }
}

static void assert_same(const char *label, size_t at, const struct attempt *a,
                        const struct attempt *b)
{
    if (a->outcome != b->outcome || body_status(&a->body) != body_status(&b->body))
        fail_msg("%s: another answer, split at %zu", label, at);
    if (a->content_len != b->content_len || memcmp(a->content, b->content, sizeof(a->content)) != 0)
        fail_msg("%s: another content, split at %zu", label, at);
    if (a->outcome != PARSE_BAD && a->consumed != b->consumed)
        fail_msg("%s: another end, split at %zu", label, at);
}

static struct attempt decode(const char *label, struct slice input, const struct framing *framing,
                             uint64_t limit)
{
    struct attempt whole = begin(framing, limit);
    feed(&whole, input.data, input.len);

    struct attempt bytewise = begin(framing, limit);
    for (size_t i = 0; i < input.len; i++)
        feed(&bytewise, input.data + i, 1);
    assert_same(label, 0, &whole, &bytewise);

    for (size_t len = 1; len < input.len; len++) {
        struct attempt split = begin(framing, limit);
        feed(&split, input.data, len);
        feed(&split, input.data + len, input.len - len);
        assert_same(label, len, &whole, &split);
    }
    return whole;
}

static void assert_status(const char *label, const struct attempt *attempt,
                          enum http_status expected)
{
    enum parse_outcome outcome = expected == HTTP_GO_ON ? PARSE_DONE : PARSE_BAD;
    enum http_status status = body_status(&attempt->body);
    if (attempt->outcome != outcome || status != expected)
        fail_msg("%s: outcome %d, status %d, expected %d", label, (int)attempt->outcome,
                 (int)status, (int)expected);
}

static void assert_content(const struct attempt *attempt, const char *expected)
{
    struct slice content = {attempt->content, attempt->content_len};
    assert_slice_is(content, expected);
}

static void body_without_content_is_done_at_once(void **state)
{
    static const struct framing framings[] = {{.kind = FRAMING_NONE}, {.kind = FRAMING_LENGTH}};
    (void)state;
    for (size_t i = 0; i < ROWS(framings); i++) {
        struct body body;
        struct slice content = SLICE("untouched");
        size_t consumed = 42;
        assert_int_equal(body_init(&body, &framings[i], 0), HTTP_GO_ON);
        assert_int_equal(body_decode(&body, "GET", 3, &consumed, &content), PARSE_DONE);
        assert_int_equal(consumed, 0);
        assert_int_equal(content.len, 0);
        assert_int_equal(body_decode(&body, NULL, 0, &consumed, &content), PARSE_DONE);
    }
}

static void body_of_a_length_ends_after_it(void **state)
{
    const struct framing five = {.kind = FRAMING_LENGTH, .length = 5};
    (void)state;
    struct attempt attempt = decode("length", SLICE("HELLOGET / "), &five, 0);
    assert_status("length", &attempt, HTTP_GO_ON);
    assert_content(&attempt, "HELLO");
    assert_int_equal(attempt.consumed, 5);
    assert_int_equal(attempt.body.content_bytes, 5);
}

static void body_of_a_length_comes_in_one_slice(void **state)
{
    const struct framing five = {.kind = FRAMING_LENGTH, .length = 5};
    const char input[] = "HELLO+";
    struct body body;
    size_t consumed = 0;
    struct slice content;
    (void)state;
    assert_int_equal(body_init(&body, &five, 5), HTTP_GO_ON);
    assert_int_equal(body_decode(&body, input, 6, &consumed, &content), PARSE_DONE);
    assert_ptr_equal(content.data, input);
    assert_int_equal(content.len, 5);
}

static void body_that_is_short_wants_more(void **state)
{
    const struct framing five = {.kind = FRAMING_LENGTH, .length = 5};
    (void)state;
    struct attempt attempt = decode("short", SLICE("HELL"), &five, 0);
    assert_int_equal(attempt.outcome, PARSE_MORE);
    assert_content(&attempt, "HELL");
}

static void body_length_over_the_limit_is_413_before_a_byte(void **state)
{
    (void)state;
    for (uint64_t length = 9; length <= 11; length++) {
        const struct framing framing = {.kind = FRAMING_LENGTH, .length = length};
        struct body body;
        enum http_status expected = length <= 10 ? HTTP_GO_ON : HTTP_CONTENT_TOO_LARGE;
        assert_int_equal(body_init(&body, &framing, 10), expected);
        assert_int_equal(body_status(&body), expected);
    }
    const struct framing huge = {.kind = FRAMING_LENGTH, .length = INT64_MAX};
    struct body body;
    assert_int_equal(body_init(&body, &huge, 0), HTTP_GO_ON);
}

static void body_refused_by_its_length_stays_refused(void **state)
{
    const struct framing framing = {.kind = FRAMING_LENGTH, .length = 11};
    struct body body;
    size_t consumed;
    struct slice content;
    (void)state;
    assert_int_equal(body_init(&body, &framing, 10), HTTP_CONTENT_TOO_LARGE);
    assert_int_equal(body_decode(&body, "HELLO", 5, &consumed, &content), PARSE_BAD);
}

static void body_chunked_is_decoded(void **state)
{
    static const struct {
        const char *label;
        struct slice input;
        const char *content;
    } rows[] = {
        {ROW("empty", "0\r\n\r\n"), ""},
        {ROW("one chunk", "5\r\nHELLO\r\n0\r\n\r\n"), "HELLO"},
        {ROW("two chunks", "5\r\nHELLO\r\n1\r\n!\r\n0\r\n\r\n"), "HELLO!"},
        {ROW("upper and lower case", "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"),
         "01234567890123456789"},
        {ROW("two digits", "10\r\n0123456789abcdef\r\n0\r\n\r\n"), "0123456789abcdef"},
        {ROW("some leading zeros", "0000000000000005\r\nHELLO\r\n0000000000000000\r\n\r\n"),
         "HELLO"},
        {ROW("line ends in the content", "4\r\n\r\n\r\n\r\n0\r\n\r\n"), "\r\n\r\n"},
        {ROW("last chunk in the content", "5\r\n0\r\n\r\n\r\n0\r\n\r\n"), "0\r\n\r\n"},
        {ROW("extension without value", "5;a\r\nHELLO\r\n0\r\n\r\n"), "HELLO"},
        {ROW("extension with a token", "5;a=b\r\nHELLO\r\n0;c=d\r\n\r\n"), "HELLO"},
        {ROW("extension with a quoted value", "5;a=\"b\"\r\nHELLO\r\n0\r\n\r\n"), "HELLO"},
        {ROW("quoted value with an escape", "5;a=\"b;\\\" \t\\\\\x80\"\r\nHELLO\r\n0\r\n\r\n"),
         "HELLO"},
        {ROW("empty quoted value", "5;a=\"\"\r\nHELLO\r\n0\r\n\r\n"), "HELLO"},
        {ROW("several extensions", "5;a;b=c;d=\"e\";f\r\nHELLO\r\n0\r\n\r\n"), "HELLO"},
        {ROW("extension with long words", "5;abc=def\r\nHELLO\r\n0\r\n\r\n"), "HELLO"},
        {ROW("white space around extensions", "5 ; a\t= b ;c = \"d\" ; e\r\nHELLO\r\n0\r\n\r\n"),
         "HELLO"},
        {ROW("much white space", "5 \t ; \ta  =\t b\t\t;c\r\nHELLO\r\n0\r\n\r\n"), "HELLO"},
        {ROW("trailers", "5\r\nHELLO\r\n0\r\nA: b\r\nHost: evil\r\nC:\r\n\r\n"), "HELLO"},
        {ROW("length as a trailer", "0\r\nContent-Length: 5\r\n\r\n"), ""},
        {ROW("obs-text in a trailer", "0\r\nA: \x80\t\xff\r\n\r\n"), ""},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct attempt attempt = decode(rows[i].label, rows[i].input, &chunked, 0);
        assert_status(rows[i].label, &attempt, HTTP_GO_ON);
        assert_content(&attempt, rows[i].content);
        assert_int_equal(attempt.consumed, rows[i].input.len);
        assert_int_equal(attempt.body.content_bytes, strlen(rows[i].content));
    }
}

static void body_chunked_leaves_what_follows(void **state)
{
    (void)state;
    struct attempt attempt =
        decode("pipelined", SLICE("1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\n"), &chunked, 0);
    assert_status("pipelined", &attempt, HTTP_GO_ON);
    assert_int_equal(attempt.consumed, 11);
    attempt = decode("NUL behind", SLICE("0\r\n\r\n\x00"), &chunked, 0);
    assert_status("NUL behind", &attempt, HTTP_GO_ON);
    assert_int_equal(attempt.consumed, 5);
}

static void body_chunked_incomplete_wants_more(void **state)
{
    static const char input[] = "5;a=\"b\\c\" ;d\r\nHELLO\r\n0\r\nA: b\r\n\r\n";
    (void)state;
    for (size_t len = 0; len < sizeof(input) - 1; len++) {
        struct attempt attempt = begin(&chunked, 0);
        feed(&attempt, input, len);
        assert_int_equal(attempt.outcome, PARSE_MORE);
        assert_int_equal(body_status(&attempt.body), HTTP_GO_ON);
    }
}

static void body_wrong_chunked_coding_is_400(void **state)
{
    static const struct {
        const char *label;
        struct slice input;
    } rows[] = {
        {ROW("SP before the size", " 5\r\nHELLO\r\n0\r\n\r\n")},
        {ROW("SP after the size", "5 \r\nHELLO\r\n0\r\n\r\n")},
        {ROW("HTAB after the size", "5\t\r\nHELLO\r\n0\r\n\r\n")},
        {ROW("plus", "+5\r\nHELLO\r\n0\r\n\r\n")},
        {ROW("minus", "-5\r\nHELLO\r\n0\r\n\r\n")},
        {ROW("0x", "0x5\r\nHELLO\r\n0\r\n\r\n")},
        {ROW("underscore", "5_\r\nHELLO\r\n0\r\n\r\n")},
        {ROW("no hexadecimal digit", "g\r\n")},
        {ROW("empty line", "\r\nHELLO\r\n0\r\n\r\n")},
        {ROW("extension without size", ";a\r\n")},
        {ROW("CR and no LF", "5\rXHELLO\r\n0\r\n\r\n")},
        {ROW("bare LF", "5\nHELLO\r\n0\r\n\r\n")},
        {ROW("NUL in the size", "5\x00\r\n")},
        {ROW("8-bit in the size", "\xb5\r\n")},
        {ROW("17 digits", "00000000000000005\r\nHELLO\r\n0\r\n\r\n")},
        {ROW("17 digits, overflow", "FFFFFFFFFFFFFFFFF\r\n")},
        {ROW("2^64 - 1", "FFFFFFFFFFFFFFFF\r\n")},
        {ROW("2^63", "8000000000000000\r\n")},
        {ROW("minus one, as 32 bits sign-extended", "FFFFFFFFFFFFFFFE\r\n")},
        {ROW("wrong end of a chunk", "5\r\nHELLOXX0\r\n\r\n")},
        {ROW("content longer than its size", "5\r\nHELLO!\r\n0\r\n\r\n")},
        {ROW("content shorter than its size", "5\r\nHELL\r\n0\r\n\r\n")},
        {ROW("wrong CR after a chunk", "5\r\nHELLOX\n0\r\n\r\n")},
        {ROW("bare LF after a chunk", "5\r\nHELLO\n0\r\n\r\n")},
        {ROW("bare CR after a chunk", "5\r\nHELLO\r0\r\n\r\n")},
        {ROW("no line end after a chunk", "5\r\nHELLO0\r\n\r\n")},
        {ROW("extension, bare LF", "5;a\nHELLO\r\n0\r\n\r\n")},
        {ROW("extension, CR and no LF", "5;a\rXHELLO\r\n0\r\n\r\n")},
        {ROW("extension with NUL", "5;\x00\r\nHELLO\r\n0\r\n\r\n")},
        {ROW("extension without name", "5;\r\nHELLO\r\n0\r\n\r\n")},
        {ROW("extension with white space only", "5; \r\nHELLO\r\n0\r\n\r\n")},
        {ROW("two semicolons", "5;;a\r\nHELLO\r\n0\r\n\r\n")},
        {ROW("extension begins with =", "5;=a\r\nHELLO\r\n0\r\n\r\n")},
        {ROW("extension without value", "5;a=\r\nHELLO\r\n0\r\n\r\n")},
        {ROW("extension with two =", "5;a==b\r\nHELLO\r\n0\r\n\r\n")},
        {ROW("value then =", "5;a=b=c\r\nHELLO\r\n0\r\n\r\n")},
        {ROW("two words", "5;a b\r\nHELLO\r\n0\r\n\r\n")},
        {ROW("two values", "5;a=b c\r\nHELLO\r\n0\r\n\r\n")},
        {ROW("SP at the end", "5;a=b \r\nHELLO\r\n0\r\n\r\n")},
        {ROW("SP after the name at the end", "5;a \r\nHELLO\r\n0\r\n\r\n")},
        {ROW("word after a quoted value", "5;a=\"b\"c\r\nHELLO\r\n0\r\n\r\n")},
        {ROW("line end in a quoted value", "5;a=\"\r\n\"\r\nHELLO\r\n0\r\n\r\n")},
        {ROW("escaped CR", "5;a=\"\\\r\n")},
        {ROW("control byte in a quoted value", "5;a=\"\x01\"\r\n")},
        {ROW("control byte in a name", "5;a\x01\r\n")},
        {ROW("8-bit name", "5;\xc3\xa9\r\n")},
        {ROW("bare LF after the last chunk", "0\n\r\n")},
        {ROW("bare LF at the end", "0\r\n\n")},
        {ROW("CR and no LF at the end", "0\r\n\rX")},
        {ROW("trailer without colon", "0\r\nabc\r\n\r\n")},
        {ROW("trailer without name", "0\r\n: b\r\n\r\n")},
        {ROW("SP before the colon", "0\r\nA : b\r\n\r\n")},
        {ROW("folded trailer", "0\r\nA: b\r\n c\r\n\r\n")},
        {ROW("bare LF in a trailer", "0\r\nA: b\n\r\n")},
        {ROW("bare CR in a trailer", "0\r\nA: b\rc\r\n\r\n")},
        {ROW("NUL in a trailer", "0\r\nA: \x00\r\n\r\n")},
        {ROW("DEL in a trailer", "0\r\nA: \x7f\r\n\r\n")},
        {ROW("8-bit name of a trailer", "0\r\n\xc3: b\r\n\r\n")},
        {ROW("another chunk after the last", "0\r\n5\r\nHELLO\r\n0\r\n\r\n")},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct attempt attempt = decode(rows[i].label, rows[i].input, &chunked, 0);
        assert_status(rows[i].label, &attempt, HTTP_BAD_REQUEST);
    }
}

static void body_largest_chunk_size_is_accepted(void **state)
{
    (void)state;
    struct attempt attempt = decode("2^63 - 1", SLICE("7FFFFFFFFFFFFFFF\r\nx"), &chunked, 0);
    assert_int_equal(attempt.outcome, PARSE_MORE);
    assert_true(attempt.body.remaining == INT64_MAX - 1);
}

static void body_chunked_content_limit_counts_all_chunks(void **state)
{
    static const struct {
        const char *label;
        struct slice input;
        enum http_status status;
    } rows[] = {
        {ROW("one chunk, below", "9\r\n123456789\r\n0\r\n\r\n"), HTTP_GO_ON},
        {ROW("one chunk, equal", "a\r\n1234567890\r\n0\r\n\r\n"), HTTP_GO_ON},
        {ROW("one chunk, above", "b\r\n12345678901\r\n0\r\n\r\n"), HTTP_CONTENT_TOO_LARGE},
        {ROW("two chunks, equal", "5\r\n12345\r\n5\r\n12345\r\n0\r\n\r\n"), HTTP_GO_ON},
        {ROW("two chunks, above", "5\r\n12345\r\n6\r\n123456\r\n0\r\n\r\n"),
         HTTP_CONTENT_TOO_LARGE},
        {ROW("a chunk above after an equal one", "a\r\n1234567890\r\n1\r\nx\r\n0\r\n\r\n"),
         HTTP_CONTENT_TOO_LARGE},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct attempt attempt = decode(rows[i].label, rows[i].input, &chunked, 10);
        assert_status(rows[i].label, &attempt, rows[i].status);
    }
}

static void body_chunked_is_413_at_the_byte_that_crosses(void **state)
{
    (void)state;
    struct attempt attempt = decode("before", SLICE("b\r\n1234567890"), &chunked, 10);
    assert_int_equal(attempt.outcome, PARSE_MORE);
    assert_content(&attempt, "1234567890");
    attempt = decode("after", SLICE("b\r\n1234567890x"), &chunked, 10);
    assert_status("after", &attempt, HTTP_CONTENT_TOO_LARGE);
}

/* Repeats one piece of input until the decoder refuses it, at most `count` times. Returns how
 * many times it was taken.
 */
static size_t repeat(struct attempt *attempt, const char *piece, size_t count)
{
    size_t taken = 0;
    while (taken < count) {
        feed(attempt, piece, strlen(piece));
        if (attempt->outcome != PARSE_MORE)
            break;
        taken++;
    }
    return taken;
}

static void body_extension_bytes_are_limited(void **state)
{
    (void)state;
    struct attempt attempt = begin(&chunked, 0);
    feed(&attempt, "5", 1);
    assert_int_equal(repeat(&attempt, ";a", 5000), BODY_EXTENSION_BYTES_MAX / 2);
    assert_status("extensions", &attempt, HTTP_BAD_REQUEST);
}

static void body_extension_bytes_of_all_chunks_count(void **state)
{
    (void)state;
    struct attempt attempt = begin(&chunked, 0);
    assert_int_equal(repeat(&attempt, "1;a=b\r\nx\r\n", 2000), BODY_EXTENSION_BYTES_MAX / 4);
    assert_status("extensions", &attempt, HTTP_BAD_REQUEST);
}

static void body_extension_limit_is_exact(void **state)
{
    static char out[BODY_EXTENSION_BYTES_MAX + 64];
    (void)state;
    for (size_t len = BODY_EXTENSION_BYTES_MAX - 1; len <= BODY_EXTENSION_BYTES_MAX + 1; len++) {
        struct slice input = fill(out, sizeof(out), "0;", 'a', len - 1, "\r\n\r\n");
        struct attempt attempt = begin(&chunked, 0);
        feed(&attempt, input.data, input.len);
        assert_status("extension", &attempt,
                      len <= BODY_EXTENSION_BYTES_MAX ? HTTP_GO_ON : HTTP_BAD_REQUEST);
    }
}

static void body_trailer_limit_is_exact(void **state)
{
    static char out[BODY_TRAILER_BYTES_MAX + 64];
    size_t fixed = sizeof("A:\r\n") - 1;
    (void)state;
    for (size_t len = BODY_TRAILER_BYTES_MAX - 1; len <= BODY_TRAILER_BYTES_MAX + 1; len++) {
        struct slice input = fill(out, sizeof(out), "0\r\nA:", 'b', len - fixed, "\r\n\r\n");
        struct attempt attempt = begin(&chunked, 0);
        feed(&attempt, input.data, input.len);
        assert_status("trailer", &attempt,
                      len <= BODY_TRAILER_BYTES_MAX ? HTTP_GO_ON : HTTP_HEADER_FIELDS_TOO_LARGE);
    }
}

static void body_trailer_bytes_of_all_lines_count(void **state)
{
    (void)state;
    struct attempt attempt = begin(&chunked, 0);
    feed(&attempt, "0\r\n", 3);
    assert_int_equal(repeat(&attempt, "Abc: d\r\n", 5000), BODY_TRAILER_BYTES_MAX / 8);
    assert_status("trailers", &attempt, HTTP_HEADER_FIELDS_TOO_LARGE);
}

static void body_flood_of_small_chunks_is_400(void **state)
{
    (void)state;
    struct attempt attempt = begin(&chunked, 0);
    /* Each adds 5 bytes of framing and 1 of content. */
    assert_int_equal(repeat(&attempt, "1\r\nx\r\n", 1000000), BODY_OVERHEAD_BYTES_MAX / 4);
    assert_status("flood", &attempt, HTTP_BAD_REQUEST);
}

static void body_many_chunks_of_some_size_are_no_flood(void **state)
{
    (void)state;
    struct attempt attempt = begin(&chunked, 0);
    assert_int_equal(repeat(&attempt, "8\r\n12345678\r\n", 100000), 100000);
    feed(&attempt, "0\r\n\r\n", 5);
    assert_status("no flood", &attempt, HTTP_GO_ON);
    assert_int_equal(attempt.content_len, 800000);
}

static void body_bad_stays_bad(void **state)
{
    struct body body;
    size_t consumed = 42;
    struct slice content = SLICE("untouched");
    (void)state;
    assert_int_equal(body_init(&body, &chunked, 0), HTTP_GO_ON);
    assert_int_equal(body_decode(&body, "x", 1, &consumed, &content), PARSE_BAD);
    assert_int_equal(body_decode(&body, "0\r\n\r\n", 5, &consumed, &content), PARSE_BAD);
    assert_int_equal(body_status(&body), HTTP_BAD_REQUEST);
    assert_int_equal(consumed, 42);
    assert_slice_is(content, "untouched");
}

static void body_large_chunk_is_handed_out_whole(void **state)
{
    static char out[ROOM];
    struct slice input = fill(out, sizeof(out), "100000\r\n", 'x', 0x100000, "\r\n0\r\n\r\n");
    struct attempt attempt = begin(&chunked, 0);
    (void)state;
    feed(&attempt, input.data, input.len);
    assert_status("1 MB", &attempt, HTTP_GO_ON);
    assert_int_equal(attempt.content_len, 0x100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(body_without_content_is_done_at_once),
        cmocka_unit_test(body_of_a_length_ends_after_it),
        cmocka_unit_test(body_of_a_length_comes_in_one_slice),
        cmocka_unit_test(body_that_is_short_wants_more),
        cmocka_unit_test(body_length_over_the_limit_is_413_before_a_byte),
        cmocka_unit_test(body_refused_by_its_length_stays_refused),
        cmocka_unit_test(body_chunked_is_decoded),
        cmocka_unit_test(body_chunked_leaves_what_follows),
        cmocka_unit_test(body_chunked_incomplete_wants_more),
        cmocka_unit_test(body_wrong_chunked_coding_is_400),
        cmocka_unit_test(body_largest_chunk_size_is_accepted),
        cmocka_unit_test(body_chunked_content_limit_counts_all_chunks),
        cmocka_unit_test(body_chunked_is_413_at_the_byte_that_crosses),
        cmocka_unit_test(body_extension_bytes_are_limited),
        cmocka_unit_test(body_extension_bytes_of_all_chunks_count),
        cmocka_unit_test(body_extension_limit_is_exact),
        cmocka_unit_test(body_trailer_limit_is_exact),
        cmocka_unit_test(body_trailer_bytes_of_all_lines_count),
        cmocka_unit_test(body_flood_of_small_chunks_is_400),
        cmocka_unit_test(body_many_chunks_of_some_size_are_no_flood),
        cmocka_unit_test(body_bad_stays_bad),
        cmocka_unit_test(body_large_chunk_is_handed_out_whole),
    };
    return cmocka_run_group_tests(tests, create_guard, destroy_guard);
}
