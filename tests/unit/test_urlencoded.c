/* Every case runs whole, byte by byte and split in two at each place, from a buffer that ends at a
 * protected page. Outcome and events must be the same.
 */
#include "http/text.h"
#include "http/urlencoded.h"
#include "tests/unit/assert_slice.h"
#include "tests/unit/fill.h"
#include "tests/unit/guard.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define ROW(literal)                                                                               \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
#define ROOM (1024 * 1024)

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

/* One decoding. The events as a text: the name in (), the value in [], each if there is one, and
 * then a ';'.
 */
struct attempt {
    struct urlencoded urlencoded;
    enum parse_outcome outcome;
    enum urlencoded_event_kind before; /* of the last event */
    struct text events;
    char events_buffer[2 * ROOM];
};

static struct attempt attempt;
static char whole_events[2 * ROOM];

static void begin(void)
{
    attempt.urlencoded = (struct urlencoded){0};
    attempt.outcome = PARSE_MORE;
    attempt.before = URLENCODED_NONE;
    attempt.events = text_over(attempt.events_buffer, sizeof(attempt.events_buffer));
}

static void close_string(void)
{
    if (attempt.before == URLENCODED_NAME)
        text_append_char(&attempt.events, ')');
    if (attempt.before == URLENCODED_VALUE)
        text_append_char(&attempt.events, ']');
}

static void tell(const struct urlencoded_event *event)
{
    if (event->kind == URLENCODED_NONE)
        return;
    if (event->kind != attempt.before) {
        close_string();
        text_append(&attempt.events, event->kind == URLENCODED_NAME    ? SLICE("(")
                                     : event->kind == URLENCODED_VALUE ? SLICE("[")
                                                                       : SLICE(""));
    }
    if (event->kind == URLENCODED_END)
        text_append_char(&attempt.events, ';');
    else
        assert_in_range(event->data.len, 1, URLENCODED_PIECE_BYTES);
    text_append(&attempt.events, event->data);
    attempt.before = event->kind;
}

static void feed(const char *bytes, size_t len)
{
    const char *copy = guard_place(&guard, bytes, len);
    size_t at = 0;
    while (attempt.outcome == PARSE_MORE && at < len) {
        size_t used = 0;
        struct urlencoded_event event = {.kind = URLENCODED_NONE};
        attempt.outcome =
            urlencoded_decode(&attempt.urlencoded, copy + at, len - at, &used, &event);
        assert_true(used <= len - at);
        assert_true(attempt.outcome == PARSE_BAD || used > 0 || event.kind != URLENCODED_NONE);
        tell(&event);
        at += used;
    }
}

static void finish(void)
{
    struct urlencoded_event event = {.kind = URLENCODED_NONE};
    attempt.outcome = urlencoded_finish(&attempt.urlencoded, &event);
    tell(&event);
    close_string();
    text_append_char(&attempt.events, '\0');
    assert_false(attempt.events.truncated);
}

static void assert_same(struct slice input, size_t at, enum parse_outcome outcome)
{
    if (attempt.outcome != outcome || strcmp(attempt.events.data, whole_events) != 0)
        fail_msg("%.*s, split at %zu: %d, %s", (int)input.len, input.data, at, (int)attempt.outcome,
                 attempt.events.data);
}

/* Decodes in all ways; the events are in `attempt`. */
static enum parse_outcome decode(struct slice input)
{
    begin();
    feed(input.data, input.len);
    finish();
    enum parse_outcome outcome = attempt.outcome;
    memcpy(whole_events, attempt.events.data, attempt.events.len);

    begin();
    for (size_t i = 0; i < input.len; i++)
        feed(input.data + i, 1);
    finish();
    assert_same(input, 0, outcome);

    for (size_t len = 1; len < input.len; len++) {
        begin();
        feed(input.data, len);
        feed(input.data + len, input.len - len);
        finish();
        assert_same(input, len, outcome);
    }
    return outcome;
}

static void urlencoded_right_form_is_told(void **state)
{
    static const struct {
        struct slice input;
        const char *events;
    } rows[] = {
        {ROW(""), ""},
        {ROW("a=1"), "(a)[1];"},
        {ROW("a=1&b=2"), "(a)[1];(b)[2];"},
        {ROW("a="), "(a);"},
        {ROW("a"), "(a);"},
        {ROW("="), ";"},
        {ROW("=1"), "[1];"},
        {ROW("&"), ""},
        {ROW("&&a=1&&&b&"), "(a)[1];(b);"},
        {ROW("a=1&a=2"), "(a)[1];(a)[2];"},
        {ROW("a=b=c"), "(a)[b=c];"},
        {ROW("a=="), "(a)[=];"},
        {ROW("a+b=c+d"), "(a b)[c d];"},
        {ROW("+"), "( );"},
        {ROW("a%20b=%2B%26%3d%25"), "(a b)[+&=%];"},
        {ROW("%61=%c3%A9"), "(a)[\xc3\xa9];"},
        {ROW("%3d=%3D"), "(=)[=];"},
        {ROW("%2541"), "(%41);"},
        {ROW("a=\xc3\xa9\r\n;"), "(a)[\xc3\xa9\r\n;];"},
        {ROW("a=%ff%0d%0A"), "(a)[\xff\r\n];"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        if (decode(rows[i].input) != PARSE_DONE || strcmp(attempt.events.data, rows[i].events) != 0)
            fail_msg("%s: %s", rows[i].input.data, attempt.events.data);
    }
}

static void urlencoded_nul_is_a_byte_like_others(void **state)
{
    (void)state;
    begin();
    feed("a=\0%00", 6);
    finish();
    assert_int_equal(attempt.outcome, PARSE_DONE);
    assert_memory_equal(attempt.events.data, "(a)[\0\0];", sizeof("(a)[\0\0];"));
}

static void urlencoded_wrong_escape_is_bad(void **state)
{
    static const struct {
        struct slice input;
        const char *events; /* before the fault */
    } rows[] = {
        {ROW("%"), ""},
        {ROW("a=%"), "(a)"},
        {ROW("a=%4"), "(a)"},
        {ROW("a=%4g"), "(a)"},
        {ROW("a=%g4"), "(a)"},
        {ROW("a=x%%41"), "(a)[x]"},
        {ROW("a=%&b=1"), "(a)"},
        {ROW("a=%4&b=1"), "(a)"},
        {ROW("a%=1"), "(a)"},
        {ROW("a%4=1"), "(a)"},
        {ROW("a=1&b=%u0041"), "(a)[1];(b)"},
        {ROW("a=% 41"), "(a)"},
        {ROW("a=%+4"), "(a)"},
        {ROW("a=%4\xb1"), "(a)"},
        {ROW("a=%\0"
             "41"),
         "(a)"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        if (decode(rows[i].input) != PARSE_BAD || strcmp(attempt.events.data, rows[i].events) != 0)
            fail_msg("%s: %s", rows[i].input.data, attempt.events.data);
    }
}

static void urlencoded_bad_stays_bad(void **state)
{
    size_t used = 42;
    struct urlencoded_event event = {.kind = URLENCODED_END};
    (void)state;
    begin();
    feed("%x", 2);
    assert_int_equal(attempt.outcome, PARSE_BAD);
    assert_int_equal(urlencoded_decode(&attempt.urlencoded, "a=1", 3, &used, &event), PARSE_BAD);
    assert_int_equal(urlencoded_finish(&attempt.urlencoded, &event), PARSE_BAD);
    assert_int_equal(used, 42);
    assert_int_equal(event.kind, URLENCODED_END);
}

static void urlencoded_long_value_comes_in_pieces(void **state)
{
    static const size_t lengths[] = {URLENCODED_PIECE_BYTES - 1, URLENCODED_PIECE_BYTES,
                                     URLENCODED_PIECE_BYTES + 1, 100000};
    static char input[ROOM];
    (void)state;
    for (size_t i = 0; i < ROWS(lengths); i++) {
        struct slice bytes = fill(input, sizeof(input), "a=", 'x', lengths[i], "&b=");
        begin();
        feed(bytes.data, bytes.len);
        finish();
        assert_int_equal(attempt.outcome, PARSE_DONE);
        assert_int_equal(attempt.events.len, lengths[i] + sizeof("(a)[];(b);"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urlencoded_right_form_is_told),
        cmocka_unit_test(urlencoded_nul_is_a_byte_like_others),
        cmocka_unit_test(urlencoded_wrong_escape_is_bad),
        cmocka_unit_test(urlencoded_bad_stays_bad),
        cmocka_unit_test(urlencoded_long_value_comes_in_pieces),
    };
    return cmocka_run_group_tests(tests, create_guard, destroy_guard);
}
