/* Every case runs whole, byte by byte and split in two at each place, from a buffer that ends at
 * a protected page and whose earlier content has moved; the answer must be the same.
 */
#include "http/parser.h"
#include "tests/unit/assert_slice.h"
#include "tests/unit/fill.h"
#include "tests/unit/guard.h"

#include <stdio.h>

#define GET         "GET / HTTP/1.1\r\n"
#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define ROW(label, literal)                                                                        \
    label,                                                                                         \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

static const struct parser_limits usual_limits = {8192, 100};
static struct guard guard;

static int create_guard(void **state)
{
    (void)state;
    guard = guard_create(HEAD_BYTES_MAX + 4096);
    return 0;
}

static int destroy_guard(void **state)
{
    (void)state;
    guard_destroy(&guard);
    return 0;
}

/* One parse, and what it has come to. */
struct attempt {
    struct parser parser;
    struct head head;
    const struct parser_limits *limits;
    enum parse_outcome outcome;
};

static struct attempt begin(const struct parser_limits *limits)
{
    struct attempt attempt = {.limits = limits, .outcome = PARSE_MORE};
    parser_init(&attempt.parser, &attempt.head);
    return attempt;
}

/* Shows the parser the first `len` bytes of the input, if it wants more. */
static void show(struct attempt *attempt, struct slice input, size_t len)
{
    if (attempt->outcome != PARSE_MORE)
        return;
    const char *bytes = guard_place(&guard, input.data, len);
    attempt->outcome = parser_run(&attempt->parser, &attempt->head, attempt->limits, bytes, len);
    /* What a caller may use after the buffer has moved, it finds by setting `bytes`. */
    attempt->head.bytes = input.data;
}

static bool is_same_span(struct span a, struct span b)
{
    return a.offset == b.offset && a.len == b.len;
}

static bool is_same_head(const struct head *a, const struct head *b)
{
    if (a->len != b->len || a->method != b->method || a->minor_version != b->minor_version ||
        !is_same_span(a->request_line, b->request_line) ||
        !is_same_span(a->method_name, b->method_name) || !is_same_span(a->target, b->target) ||
        a->field_count != b->field_count)
        return false;
    for (unsigned i = 0; i < a->field_count; i++)
        if (!is_same_span(a->fields[i].name, b->fields[i].name) ||
            !is_same_span(a->fields[i].value, b->fields[i].value))
            return false;
    return true;
}

static void assert_same(const char *label, const char *how, size_t at, const struct attempt *a,
                        const struct attempt *b)
{
    if (a->outcome != b->outcome || parser_status(&a->parser) != parser_status(&b->parser) ||
        (a->outcome == PARSE_DONE && !is_same_head(&a->head, &b->head)))
        fail_msg("%s: another answer %s at %zu: %d and %d", label, how, at,
                 (int)parser_status(&a->parser), (int)parser_status(&b->parser));
}

/* Parses the input in all ways. Returns the whole attempt; its head points into the input. */
static struct attempt parse_with(const char *label, struct slice input,
                                 const struct parser_limits *limits)
{
    struct attempt whole = begin(limits);
    show(&whole, input, input.len);

    struct attempt bytewise = begin(limits);
    for (size_t len = 0; len <= input.len; len++)
        show(&bytewise, input, len);
    assert_same(label, "byte by byte", 0, &whole, &bytewise);

    for (size_t len = 0; len <= input.len; len++) {
        struct attempt split = begin(limits);
        show(&split, input, len);
        show(&split, input, input.len);
        assert_same(label, "split", len, &whole, &split);
    }
    return whole;
}

static struct attempt parse(const char *label, struct slice input)
{
    return parse_with(label, input, &usual_limits);
}

static void assert_status(const char *label, const struct attempt *attempt,
                          enum http_status expected)
{
    enum parse_outcome outcome = expected == HTTP_GO_ON ? PARSE_DONE : PARSE_BAD;
    enum http_status status = parser_status(&attempt->parser);
    if (attempt->outcome != outcome || status != expected)
        fail_msg("%s: outcome %d, status %d, expected %d", label, (int)attempt->outcome,
                 (int)status, (int)expected);
}

static void parser_request_fills_the_head(void **state)
{
    (void)state;
    struct slice input = SLICE("POST /a?b HTTP/1.1\r\nHost: h\r\nX-Y:\t v w \t\r\nE:\r\n\r\nbody");
    struct attempt attempt = parse("request", input);
    const struct head *head = &attempt.head;

    assert_status("request", &attempt, HTTP_GO_ON);
    assert_int_equal(head->len, input.len - 4);
    assert_int_equal(head->method, METHOD_POST);
    assert_int_equal(head->minor_version, 1);
    assert_slice_is(head_slice(head, head->request_line), "POST /a?b HTTP/1.1");
    assert_slice_is(head_slice(head, head->method_name), "POST");
    assert_slice_is(head_slice(head, head->target), "/a?b");
    assert_int_equal(head->field_count, 3);
    assert_slice_is(head_slice(head, head->fields[0].name), "Host");
    assert_slice_is(head_slice(head, head->fields[0].value), "h");
    assert_slice_is(head_slice(head, head->fields[1].name), "X-Y");
    assert_slice_is(head_slice(head, head->fields[1].value), "v w");
    assert_slice_is(head_slice(head, head->fields[2].name), "E");
    assert_slice_is(head_slice(head, head->fields[2].value), "");
}

static void parser_bytes_are_those_of_the_last_call(void **state)
{
    struct parser parser;
    struct head head;
    const char bytes[] = GET "\r\n";
    (void)state;
    parser_init(&parser, &head);
    assert_int_equal(parser_run(&parser, &head, &usual_limits, "GE", 2), PARSE_MORE);
    assert_int_equal(parser_run(&parser, &head, &usual_limits, bytes, sizeof(bytes) - 1),
                     PARSE_DONE);
    assert_ptr_equal(head.bytes, bytes);
}

static void parser_well_formed_heads_are_accepted(void **state)
{
    static const struct {
        const char *label;
        struct slice input;
    } rows[] = {
        {ROW("no field", GET "\r\n")},
        {ROW("HTTP/1.0", "GET / HTTP/1.0\r\n\r\n")},
        {ROW("HTTP/1.2", "GET / HTTP/1.2\r\n\r\n")},
        {ROW("HTTP/1.9", "GET / HTTP/1.9\r\n\r\n")},
        {ROW("asterisk", "OPTIONS * HTTP/1.1\r\n\r\n")},
        {ROW("absolute form", "GET http://a:1/b?c HTTP/1.1\r\n\r\n")},
        {ROW("authority form", "CONNECT a:443 HTTP/1.1\r\n\r\n")},
        {ROW("target looks like a version", "GET HTTP/1.1 HTTP/1.1\r\n\r\n")},
        {ROW("backslash in the target", "GET /a\\b HTTP/1.1\r\n\r\n")},
        {ROW("unknown method", "BREW / HTTP/1.1\r\n\r\n")},
        {ROW("lower-case method", "get / HTTP/1.1\r\n\r\n")},
        {ROW("long unknown method", "AVERYVERYLONGMETHOD / HTTP/1.1\r\n\r\n")},
        {ROW("all of tchar in a name", GET "!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n")},
        {ROW("no white space after the colon", GET "A:b\r\n\r\n")},
        {ROW("much white space", GET "A: \t \t b \t \r\n\r\n")},
        {ROW("empty values", GET "A:\r\nB: \r\nC:\t\r\n\r\n")},
        {ROW("colons in a value", GET "A: :b:c:\r\n\r\n")},
        {ROW("HTAB in a value", GET "A: b\tc\r\n\r\n")},
        {ROW("obs-text in a value", GET "A: \x80\xff\xc3\xa9\r\n\r\n")},
        {ROW("underscore in a name", GET "Content_Length: 5\r\n\r\n")},
        {ROW("one leading empty line", "\r\n" GET "\r\n")},
        {ROW("four leading empty lines", "\r\n\r\n\r\n\r\n" GET "\r\n")},
        {ROW("a second request behind", GET "\r\nGET /2 HTTP/1.1\r\n\r\n")},
        {ROW("garbage behind", GET "\r\n\x00\xff\n")},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct attempt attempt = parse(rows[i].label, rows[i].input);
        assert_status(rows[i].label, &attempt, HTTP_GO_ON);
    }
}

static void parser_minor_version_is_zero_or_one(void **state)
{
    static const char *const inputs[] = {"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
                                         "GET / HTTP/1.2\r\n\r\n", "GET / HTTP/1.9\r\n\r\n"};
    (void)state;
    for (size_t i = 0; i < ROWS(inputs); i++) {
        struct attempt attempt = parse(inputs[i], slice_from_string(inputs[i]));
        assert_int_equal(attempt.head.minor_version, i == 0 ? 0 : 1);
    }
}

static void parser_obs_text_is_kept_verbatim(void **state)
{
    (void)state;
    struct attempt attempt = parse("obs-text", SLICE(GET "A: \xa0 x \xa0\r\n\r\n"));
    assert_slice_is(head_slice(&attempt.head, attempt.head.fields[0].value), "\xa0 x \xa0");
}

static void parser_wrong_request_line_is_refused(void **state)
{
    static const struct {
        const char *label;
        struct slice input;
        enum http_status status;
    } rows[] = {
        {ROW("bare LF", "GET / HTTP/1.1\nHost: a\n\n"), HTTP_BAD_REQUEST},
        {ROW("only LF", "\n"), HTTP_BAD_REQUEST},
        {ROW("LF after CRLF", "\r\n\n"), HTTP_BAD_REQUEST},
        {ROW("bare CR in the target", "GET /\rHTTP/1.1\r\n"), HTTP_BAD_REQUEST},
        {ROW("CR CR LF", "GET / HTTP/1.1\r\r\n"), HTTP_BAD_REQUEST},
        {ROW("leading CR and no LF", "\rG"), HTTP_BAD_REQUEST},
        {ROW("five leading empty lines", "\r\n\r\n\r\n\r\n\r\n" GET "\r\n"), HTTP_BAD_REQUEST},
        {ROW("leading SP", " GET / HTTP/1.1\r\n"), HTTP_BAD_REQUEST},
        {ROW("trailing SP", "GET / HTTP/1.1 \r\n"), HTTP_BAD_REQUEST},
        {ROW("two SP after the method", "GET  / HTTP/1.1\r\n"), HTTP_BAD_REQUEST},
        {ROW("two SP after the target", "GET /  HTTP/1.1\r\n"), HTTP_BAD_REQUEST},
        {ROW("HTAB after the method", "GET\t/ HTTP/1.1\r\n"), HTTP_BAD_REQUEST},
        {ROW("HTAB after the target", "GET /\tHTTP/1.1\r\n"), HTTP_BAD_REQUEST},
        {ROW("SP in the target", "GET /a b HTTP/1.1\r\n"), HTTP_BAD_REQUEST},
        {ROW("something after the version", "GET / HTTP/1.1 x\r\n"), HTTP_BAD_REQUEST},
        {ROW("no version", "GET /\r\n"), HTTP_BAD_REQUEST},
        {ROW("no version, long target", "GET /aaaaaaaaaaaaaaaaaaaaaaaa\r\n"), HTTP_BAD_REQUEST},
        {ROW("no target", "GET HTTP/1.1\r\n"), HTTP_BAD_REQUEST},
        {ROW("empty target", "GET  HTTP/1.1\r\n"), HTTP_BAD_REQUEST},
        {ROW("only a method", "GET\r\n"), HTTP_BAD_REQUEST},
        {ROW("version after LF", "GET /\nHTTP/1.1\r\n"), HTTP_BAD_REQUEST},
        {ROW("NUL in the target", "GET /\x00 HTTP/1.1\r\n"), HTTP_BAD_REQUEST},
        {ROW("DEL in the target", "GET /\x7f HTTP/1.1\r\n"), HTTP_BAD_REQUEST},
        {ROW("8-bit target", "GET /\xc3\xa9 HTTP/1.1\r\n"), HTTP_BAD_REQUEST},
        {ROW("bad method token", "G=\":<> / HTTP/1.1\r\n"), HTTP_BAD_REQUEST},
        {ROW("method with a colon", "Host: / HTTP/1.1\r\n"), HTTP_BAD_REQUEST},
        {ROW("HTTP/1.10", "GET / HTTP/1.10\r\n"), HTTP_BAD_REQUEST},
        {ROW("HTTP/01.1", "GET / HTTP/01.1\r\n"), HTTP_BAD_REQUEST},
        {ROW("http/1.1", "GET / http/1.1\r\n"), HTTP_BAD_REQUEST},
        {ROW("huge version", "GET / HTTP/4294967295.255\r\n"), HTTP_BAD_REQUEST},
        {ROW("SP in the version", "GET / HTTP/ 1.1\r\n"), HTTP_BAD_REQUEST},
        {ROW("HTTP/0.9", "GET / HTTP/0.9\r\n"), HTTP_BAD_REQUEST},
        {ROW("HTTP/1,1", "GET / HTTP/1,1\r\n"), HTTP_BAD_REQUEST},
        {ROW("HTTP/1.x", "GET / HTTP/1.x\r\n"), HTTP_BAD_REQUEST},
        {ROW("HTTP/x.1", "GET / HTTP/x.1\r\n"), HTTP_BAD_REQUEST},
        {ROW("HTTP/2", "GET / HTTP/2\r\n"), HTTP_BAD_REQUEST},
        {ROW("HTTP/2.x", "GET / HTTP/2.x\r\n"), HTTP_BAD_REQUEST},
        {ROW("HTTPS/1.1", "GET / HTTPS/1.1\r\n"), HTTP_BAD_REQUEST},
        {ROW("HTTP/2.0", "GET / HTTP/2.0\r\n"), HTTP_VERSION_NOT_SUPPORTED},
        {ROW("HTTP/2.1", "GET / HTTP/2.1\r\n"), HTTP_VERSION_NOT_SUPPORTED},
        {ROW("HTTP/3.0", "GET / HTTP/3.0\r\n"), HTTP_VERSION_NOT_SUPPORTED},
        {ROW("HTTP/9.9", "GET / HTTP/9.9\r\n"), HTTP_VERSION_NOT_SUPPORTED},
        {ROW("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), HTTP_VERSION_NOT_SUPPORTED},
        {ROW("HTTP/2.0 and a wrong target", "GET /a b HTTP/2.0\r\n"), HTTP_BAD_REQUEST},
        {ROW("HTTP/2.0 and bare LF", "GET / HTTP/2.0\n"), HTTP_BAD_REQUEST},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct attempt attempt = parse(rows[i].label, rows[i].input);
        assert_status(rows[i].label, &attempt, rows[i].status);
    }
}

static void parser_first_byte_that_begins_no_line_is_refused_at_once(void **state)
{
    (void)state;
    for (int octet = 0; octet < 256; octet++) {
        char first = (char)octet;
        char label[32];
        (void)snprintf(label, sizeof(label), "first byte 0x%02x", (unsigned)octet);
        struct attempt attempt = parse(label, (struct slice){&first, 1});
        bool tchar = octet != 0 && strchr("!#$%&'*+-.^_`|~", octet);
        bool alphanumeric = (octet >= '0' && octet <= '9') || (octet >= 'a' && octet <= 'z') ||
                            (octet >= 'A' && octet <= 'Z');
        if (tchar || alphanumeric || octet == '\r')
            assert_int_equal(attempt.outcome, PARSE_MORE);
        else
            assert_status(label, &attempt, HTTP_BAD_REQUEST);
    }
}

static void parser_tls_hello_is_refused_without_a_line_end(void **state)
{
    (void)state;
    struct attempt attempt = parse("TLS", SLICE("\x16\x03\x01\x02\x00\x01\x00"));
    assert_status("TLS", &attempt, HTTP_BAD_REQUEST);
    attempt = parse("TLS after CRLF", SLICE("\r\n\x16\x03\x01"));
    assert_status("TLS after CRLF", &attempt, HTTP_BAD_REQUEST);
}

static void parser_wrong_field_line_is_refused(void **state)
{
    static const struct {
        const char *label;
        struct slice input;
    } rows[] = {
        {ROW("bare LF", GET "A: b\n\r\n")},
        {ROW("bare LF ends the head", GET "A: b\r\n\n")},
        {ROW("bare CR in a value", GET "A: x\rB: y\r\n\r\n")},
        {ROW("CR CR LF", GET "A: x\r\r\n\r\n")},
        {ROW("bare CR ends the head", GET "\rX")},
        {ROW("NUL in a value", GET "A: a\x00"
                                   "b\r\n\r\n")},
        {ROW("BEL in a value", GET "A: \x07\r\n\r\n")},
        {ROW("ESC in a long value", GET "A: aaaaaaaaaaaaaaaaaaaaaaaaa\x1b\r\n\r\n")},
        {ROW("DEL in a value", GET "A: \x7f\r\n\r\n")},
        {ROW("VT around a value", GET "Content-Length: \x0b"
                                      "5\r\n\r\n")},
        {ROW("NUL after a value", GET "Transfer-Encoding: chunked\x00\r\n\r\n")},
        {ROW("SP before the colon", GET "Content-Length : 5\r\n\r\n")},
        {ROW("HTAB before the colon", GET "Host\t: x\r\n\r\n")},
        {ROW("empty name", GET ": x\r\n\r\n")},
        {ROW("SP in a name", GET "Na me: x\r\n\r\n")},
        {ROW("brackets in a name", GET "X[]: y\r\n\r\n")},
        {ROW("8-bit name", GET "\xef"
                               "oo: y\r\n\r\n")},
        {ROW("8-bit within a name", GET "f\xef"
                                        "o: y\r\n\r\n")},
        {ROW("NUL in a name", GET "f\x00o: y\r\n\r\n")},
        {ROW("no colon", GET "Content-Length 10\r\n\r\n")},
        {ROW("only a token", GET "Content\r\n\r\n")},
        {ROW("folded line", GET "X: a\r\n b\r\n\r\n")},
        {ROW("folded line, HTAB", GET "X: a\r\n\tb\r\n\r\n")},
        {ROW("folded from the start", GET "Transfer-Encoding:\r\n chunked\r\n\r\n")},
        {ROW("SP before the first field", GET " Host: x\r\n\r\n")},
        {ROW("a line of white space", GET "A: b\r\n \r\n\r\n")},
        {ROW("a second request line", GET GET "\r\n")},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct attempt attempt = parse(rows[i].label, rows[i].input);
        assert_status(rows[i].label, &attempt, HTTP_BAD_REQUEST);
    }
}

/* One control byte at each place of a value, so that no place is left out by a fast path. */
static void parser_control_byte_anywhere_in_a_value_is_refused(void **state)
{
    (void)state;
    for (int octet = 0; octet < 256; octet++) {
        for (size_t at = 0; at < 20; at++) {
            char input[] = GET "A: 12345678901234567890\r\n\r\n";
            input[sizeof(GET "A: ") - 1 + at] = (char)octet;
            struct attempt attempt = begin(&usual_limits);
            show(&attempt, (struct slice){input, sizeof(input) - 1}, sizeof(input) - 1);
            bool control = (octet < 32 && octet != '\t') || octet == 127;
            if ((attempt.outcome == PARSE_BAD) != control)
                fail_msg("octet 0x%02x at %zu", (unsigned)octet, at);
        }
    }
}

static void parser_incomplete_heads_want_more(void **state)
{
    static const char *const inputs[] = {
        "",
        "\r",
        "\r\n",
        "\r\n\r",
        "G",
        "GET /",
        "GET / HTTP/1.1",
        "GET / HTTP/1.1\r",
        GET,
        GET "\r",
        GET "Host",
        GET "Host: a\r\n",
        GET "Host: a\r\n\r",
    };
    (void)state;
    for (size_t i = 0; i < ROWS(inputs); i++) {
        struct attempt attempt = parse(inputs[i], slice_from_string(inputs[i]));
        assert_int_equal(attempt.outcome, PARSE_MORE);
        assert_int_equal(parser_status(&attempt.parser), HTTP_GO_ON);
    }
}

static void parser_bad_stays_bad(void **state)
{
    struct parser parser;
    struct head head;
    (void)state;
    parser_init(&parser, &head);
    assert_int_equal(parser_run(&parser, &head, &usual_limits, "\n", 1), PARSE_BAD);
    assert_int_equal(parser_run(&parser, &head, &usual_limits, GET "\r\n", sizeof(GET "\r\n") - 1),
                     PARSE_BAD);
    assert_int_equal(parser_status(&parser), HTTP_BAD_REQUEST);
}

static void parser_bad_request_line_is_kept_for_the_log(void **state)
{
    (void)state;
    struct attempt attempt = parse("bad", SLICE("\r\nGET /a b HTTP/1.1\r\n\r\n"));
    assert_slice_is(head_slice(&attempt.head, attempt.head.request_line), "GET /a b HTTP/1.1");
    attempt = parse("bad field", SLICE(GET "bad\r\n\r\n"));
    assert_slice_is(head_slice(&attempt.head, attempt.head.request_line), "GET / HTTP/1.1");
    attempt = parse("no line", SLICE("\x16\x03"));
    assert_slice_is(head_slice(&attempt.head, attempt.head.request_line), "");
}

static void parser_head_bytes_is_the_largest_head(void **state)
{
    const struct parser_limits limits = {64, 10};
    size_t fixed = sizeof(GET "A: \r\n\r\n") - 1;
    char out[128];
    (void)state;
    for (size_t len = 62; len <= 67; len++) {
        struct slice input = fill(out, sizeof(out), GET "A: ", 'x', len - fixed, "\r\n\r\n");
        struct attempt attempt = parse_with("field value", input, &limits);
        assert_int_equal(input.len, len);
        assert_status("field value", &attempt,
                      len <= 64 ? HTTP_GO_ON : HTTP_HEADER_FIELDS_TOO_LARGE);
    }
}

static void parser_head_bytes_counts_only_the_head(void **state)
{
    const struct parser_limits limits = {sizeof(GET "\r\n") - 1, 10};
    (void)state;
    struct attempt attempt = parse_with("with a body", SLICE(GET "\r\nbody"), &limits);
    assert_status("with a body", &attempt, HTTP_GO_ON);
}

static void parser_head_bytes_counts_leading_empty_lines(void **state)
{
    const struct parser_limits limits = {sizeof(GET "\r\n") - 1, 10};
    (void)state;
    struct attempt attempt = parse_with("leading line", SLICE("\r\n" GET "\r\n"), &limits);
    assert_status("leading line", &attempt, HTTP_HEADER_FIELDS_TOO_LARGE);
}

static void parser_request_line_beyond_head_bytes_is_414(void **state)
{
    const struct parser_limits limits = {64, 10};
    size_t fixed = sizeof("GET / HTTP/1.1\r\n") - 1;
    char out[128];
    (void)state;
    /* At 64 the line just fits, and the empty line after it does not: that is 431. */
    for (size_t len = 60; len <= 67; len++) {
        struct slice input = fill(out, sizeof(out), "GET /", 'x', len - fixed, " HTTP/1.1\r\n\r\n");
        struct attempt attempt = parse_with("target", input, &limits);
        enum http_status expected = len <= 62   ? HTTP_GO_ON
                                    : len <= 64 ? HTTP_HEADER_FIELDS_TOO_LARGE
                                                : HTTP_URI_TOO_LONG;
        assert_status("target", &attempt, expected);
    }
}

static void parser_long_line_is_refused_before_it_ends(void **state)
{
    const struct parser_limits limits = {64, 10};
    static const struct {
        const char *label;
        const char *prefix;
        char byte;
        enum http_status status;
    } rows[] = {
        {"target", "GET /", 'x', HTTP_URI_TOO_LONG},
        {"target with a wrong byte", "GET /", '\x01', HTTP_URI_TOO_LONG},
        {"method", "", 'M', HTTP_NOT_IMPLEMENTED},
        {"method after empty lines", "\r\n\r\n", 'M', HTTP_NOT_IMPLEMENTED},
        {"no method", "GET", ':', HTTP_BAD_REQUEST},
        {"field name", GET, 'n', HTTP_HEADER_FIELDS_TOO_LARGE},
        {"field value", GET "A: ", 'v', HTTP_HEADER_FIELDS_TOO_LARGE},
        {"field value with a wrong byte", GET "A: ", '\x01', HTTP_HEADER_FIELDS_TOO_LARGE},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char out[256];
        size_t len = 64 - strlen(rows[i].prefix);
        struct slice input = fill(out, sizeof(out), rows[i].prefix, rows[i].byte, len - 1, "");
        assert_int_equal(parse_with(rows[i].label, input, &limits).outcome, PARSE_MORE);
        input = fill(out, sizeof(out), rows[i].prefix, rows[i].byte, len, "");
        struct attempt attempt = parse_with(rows[i].label, input, &limits);
        assert_status(rows[i].label, &attempt, rows[i].status);
        /* The same if all of a longer line is there at once. */
        input = fill(out, sizeof(out), rows[i].prefix, rows[i].byte, 100, " HTTP/1.1\r\n\r\n");
        attempt = parse_with(rows[i].label, input, &limits);
        assert_status(rows[i].label, &attempt, rows[i].status);
    }
}

static void parser_tiny_head_bytes_has_an_answer_for_everything(void **state)
{
    (void)state;
    for (size_t head_bytes = 1; head_bytes <= 8; head_bytes++) {
        const struct parser_limits limits = {head_bytes, 1};
        struct attempt attempt = parse_with("tiny", SLICE("GETGETGET / HTTP/1.1\r\n\r\n"), &limits);
        assert_status("tiny", &attempt,
                      head_bytes <= METHOD_LONGEST_LEN ? HTTP_URI_TOO_LONG : HTTP_NOT_IMPLEMENTED);
    }
    const struct parser_limits limits = {1, 1};
    struct attempt attempt = parse_with("only CR", SLICE("\r\n" GET "\r\n"), &limits);
    assert_status("only CR", &attempt, HTTP_BAD_REQUEST);
    const struct parser_limits two = {2, 1};
    attempt = parse_with("only CRLF", SLICE("\r\n" GET "\r\n"), &two);
    assert_status("only CRLF", &attempt, HTTP_URI_TOO_LONG);
}

/* A request with so many fields. */
static struct slice with_fields(char *out, size_t size, unsigned count)
{
    struct text text = text_over(out, size);
    text_append(&text, SLICE(GET));
    for (unsigned i = 0; i < count; i++)
        text_append(&text, SLICE("A: b\r\n"));
    text_append(&text, SLICE("\r\n"));
    assert_false(text.truncated);
    return text_slice(&text);
}

static void parser_head_fields_is_the_largest_number(void **state)
{
    const struct parser_limits limits = {1024, 3};
    char out[128];
    (void)state;
    for (unsigned count = 2; count <= 4; count++) {
        struct slice input = with_fields(out, sizeof(out), count);
        struct attempt attempt = parse_with("fields", input, &limits);
        assert_status("fields", &attempt, count <= 3 ? HTTP_GO_ON : HTTP_HEADER_FIELDS_TOO_LARGE);
    }
}

static void parser_wrong_field_beyond_the_number_is_400(void **state)
{
    const struct parser_limits limits = {1024, 1};
    (void)state;
    struct attempt attempt = parse_with("wrong", SLICE(GET "A: b\r\n c\r\n\r\n"), &limits);
    assert_status("wrong", &attempt, HTTP_BAD_REQUEST);
}

static void parser_largest_limits_fit_the_spans(void **state)
{
    static char input[HEAD_BYTES_MAX + 1];
    const struct parser_limits limits = {HEAD_BYTES_MAX, HEAD_FIELDS_MAX};
    (void)state;
    for (size_t len = HEAD_BYTES_MAX - 1; len <= HEAD_BYTES_MAX + 1; len++) {
        size_t fixed = sizeof(GET "A: \r\n\r\n") - 1;
        struct attempt attempt = begin(&limits);
        struct slice all = fill(input, sizeof(input), GET "A: ", 'x', len - fixed, "\r\n\r\n");
        show(&attempt, all, all.len);
        assert_int_equal(attempt.outcome, len <= HEAD_BYTES_MAX ? PARSE_DONE : PARSE_BAD);
        if (attempt.outcome == PARSE_DONE)
            assert_int_equal(attempt.head.fields[0].value.len, len - fixed);
    }
}

static void parser_largest_number_of_fields_fits_the_head(void **state)
{
    const struct parser_limits limits = {HEAD_BYTES_MAX, HEAD_FIELDS_MAX};
    char out[HEAD_FIELDS_MAX * 6 + 64];
    (void)state;
    for (unsigned count = HEAD_FIELDS_MAX - 1; count <= HEAD_FIELDS_MAX + 1; count++) {
        struct slice input = with_fields(out, sizeof(out), count);
        struct attempt attempt = begin(&limits);
        show(&attempt, input, input.len);
        assert_status("fields", &attempt,
                      count <= HEAD_FIELDS_MAX ? HTTP_GO_ON : HTTP_HEADER_FIELDS_TOO_LARGE);
        if (attempt.outcome == PARSE_DONE)
            assert_int_equal(attempt.head.field_count, count);
    }
}

static void parser_init_makes_ready_for_the_next_head(void **state)
{
    static const char input[] = GET "A: b\r\n\r\nPUT /2 HTTP/1.0\r\n\r\n";
    struct attempt attempt = begin(&usual_limits);
    (void)state;
    show(&attempt, (struct slice){input, sizeof(input) - 1}, sizeof(input) - 1);
    assert_int_equal(attempt.outcome, PARSE_DONE);
    struct slice rest = {input + attempt.head.len, sizeof(input) - 1 - attempt.head.len};

    parser_init(&attempt.parser, &attempt.head);
    attempt.outcome = PARSE_MORE;
    show(&attempt, rest, rest.len);
    assert_status("second", &attempt, HTTP_GO_ON);
    assert_int_equal(attempt.head.method, METHOD_PUT);
    assert_int_equal(attempt.head.minor_version, 0);
    assert_int_equal(attempt.head.field_count, 0);
    assert_int_equal(attempt.head.len, rest.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parser_request_fills_the_head),
        cmocka_unit_test(parser_bytes_are_those_of_the_last_call),
        cmocka_unit_test(parser_well_formed_heads_are_accepted),
        cmocka_unit_test(parser_minor_version_is_zero_or_one),
        cmocka_unit_test(parser_obs_text_is_kept_verbatim),
        cmocka_unit_test(parser_wrong_request_line_is_refused),
        cmocka_unit_test(parser_first_byte_that_begins_no_line_is_refused_at_once),
        cmocka_unit_test(parser_tls_hello_is_refused_without_a_line_end),
        cmocka_unit_test(parser_wrong_field_line_is_refused),
        cmocka_unit_test(parser_control_byte_anywhere_in_a_value_is_refused),
        cmocka_unit_test(parser_incomplete_heads_want_more),
        cmocka_unit_test(parser_bad_stays_bad),
        cmocka_unit_test(parser_bad_request_line_is_kept_for_the_log),
        cmocka_unit_test(parser_head_bytes_is_the_largest_head),
        cmocka_unit_test(parser_head_bytes_counts_only_the_head),
        cmocka_unit_test(parser_head_bytes_counts_leading_empty_lines),
        cmocka_unit_test(parser_request_line_beyond_head_bytes_is_414),
        cmocka_unit_test(parser_long_line_is_refused_before_it_ends),
        cmocka_unit_test(parser_tiny_head_bytes_has_an_answer_for_everything),
        cmocka_unit_test(parser_head_fields_is_the_largest_number),
        cmocka_unit_test(parser_wrong_field_beyond_the_number_is_400),
        cmocka_unit_test(parser_largest_limits_fit_the_spans),
        cmocka_unit_test(parser_largest_number_of_fields_fits_the_head),
        cmocka_unit_test(parser_init_makes_ready_for_the_next_head),
    };
    return cmocka_run_group_tests(tests, create_guard, destroy_guard);
}
