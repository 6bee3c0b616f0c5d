/* Every case runs whole, byte by byte and split in two at each place, from a buffer that ends at a
 * protected page. The events and the fault must be the same.
 */
#include "http/multipart.h"
#include "tests/unit/assert_slice.h"
#include "tests/unit/fill.h"
#include "tests/unit/guard.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define ROW(label, literal)                                                                        \
    label,                                                                                         \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
#define ROOM        (2 * 1024 * 1024)

#define DISPOSITION "Content-Disposition: form-data; name="
#define PART(name)  DISPOSITION #name "\r\n\r\n"
#define NEXT        "\r\n--b\r\n"
#define LAST        "\r\n--b--\r\n"

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

/* --- one decoding, and what it has come to -------------------------------------------------- */

/* The events as a text: name, @filename, :type, and the content in braces. */
struct attempt {
    struct multipart multipart;
    enum parse_outcome outcome;
    struct text events;
    char events_buffer[ROOM];
};

static struct attempt attempt;
static char whole_events[ROOM];

static void begin(struct slice boundary)
{
    multipart_init(&attempt.multipart, boundary);
    attempt.outcome = PARSE_MORE;
    attempt.events = text_over(attempt.events_buffer, sizeof(attempt.events_buffer));
}

static void tell_part(const struct multipart_part *part)
{
    text_append(&attempt.events, part->name);
    if (part->is_file)
        text_append_char(&attempt.events, '@');
    text_append(&attempt.events, part->filename);
    if (part->media_type.len > 0)
        text_append_char(&attempt.events, ':');
    text_append(&attempt.events, part->media_type);
    text_append_char(&attempt.events, '{');
}

static void tell(const struct multipart_event *event)
{
    if (event->kind == MULTIPART_PART)
        tell_part(&event->part);
    if (event->kind == MULTIPART_DATA)
        text_append(&attempt.events, event->data);
    if (event->kind == MULTIPART_DATA)
        assert_true(event->data.len > 0);
    if (event->kind == MULTIPART_END)
        text_append_char(&attempt.events, '}');
}

static void feed(const char *bytes, size_t len)
{
    const char *copy = guard_place(&guard, bytes, len);
    size_t at = 0;
    while (attempt.outcome == PARSE_MORE && at < len) {
        size_t used = 0;
        struct multipart_event event = {.kind = MULTIPART_NONE};
        attempt.outcome = multipart_decode(&attempt.multipart, copy + at, len - at, &used, &event);
        assert_true(used <= len - at);
        assert_true(attempt.outcome == PARSE_BAD || used > 0 || event.kind != MULTIPART_NONE);
        tell(&event);
        at += used;
    }
}

static void finish(void)
{
    attempt.outcome = multipart_finish(&attempt.multipart);
    assert_int_equal(attempt.outcome == PARSE_BAD, multipart_fault(&attempt.multipart) != NULL);
    text_append_char(&attempt.events, '\0');
    assert_false(attempt.events.truncated);
}

static void assert_same(const char *label, size_t at, const char *fault)
{
    const char *now = multipart_fault(&attempt.multipart);
    if (now != fault)
        fail_msg("%s: %s, split at %zu", label, now ? now : "fine", at);
    if (strcmp(attempt.events.data, whole_events) != 0)
        fail_msg("%s: other events, split at %zu: %s", label, at, attempt.events.data);
}

/* Decodes in all ways. Returns the fault; the events are in `attempt`. */
static const char *decode(const char *label, struct slice boundary, struct slice input)
{
    begin(boundary);
    feed(input.data, input.len);
    finish();
    const char *fault = multipart_fault(&attempt.multipart);
    memcpy(whole_events, attempt.events.data, attempt.events.len);

    begin(boundary);
    for (size_t i = 0; i < input.len; i++)
        feed(input.data + i, 1);
    finish();
    assert_same(label, 0, fault);

    for (size_t len = 1; len < input.len; len++) {
        begin(boundary);
        feed(input.data, len);
        feed(input.data + len, input.len - len);
        finish();
        assert_same(label, len, fault);
    }
    return fault;
}

/* --- forms that are right ------------------------------------------------------------------- */

static void multipart_right_form_is_told(void **state)
{
    static const struct {
        const char *label;
        struct slice input;
        const char *events;
    } rows[] = {
        {ROW("one field", "--b\r\n" PART(a) "1" LAST), "a{1}"},
        {ROW("quoted name", "--b\r\n" DISPOSITION "\"a b\"\r\n\r\n1" LAST), "a b{1}"},
        {ROW("two fields", "--b\r\n" PART(a) "1" NEXT PART(b) "2" LAST), "a{1}b{2}"},
        {ROW("empty content", "--b\r\n" PART(a) LAST), "a{}"},
        {ROW("no content at all", "--b\r\n" PART(a) "--b--"), "a{}"},
        {ROW("no content, then a part", "--b\r\n" PART(a) "--b\r\n" PART(b) "2" LAST), "a{}b{2}"},
        {ROW("no part", "--b--\r\n"), ""},
        {ROW("no part, nothing behind", "--b--"), ""},
        {ROW("no line end behind", "--b\r\n" PART(a) "1\r\n--b--"), "a{1}"},
        {ROW("a file",
             "--b\r\n" DISPOSITION "f; filename=x.txt\r\nContent-Type: text/plain\r\n\r\n1" LAST),
         "f@x.txt:text/plain{1}"},
        {ROW("a preamble", "For old readers.\r\n--b\r\n" PART(a) "1" LAST), "a{1}"},
        {ROW("a preamble with the boundary in a line",
             "x --b\r\n--a\r\n\r\n--b\r\n" PART(a) "1" LAST),
         "a{1}"},
        {ROW("an empty preamble line", "\r\n--b\r\n" PART(a) "1" LAST), "a{1}"},
        {ROW("an epilogue", "--b\r\n" PART(a) "1" LAST "--b\r\nmore\n\r\r\n"), "a{1}"},
        {ROW("blanks behind a boundary", "--b \t\r\n" PART(a) "1\r\n--b-- \t\r\n"), "a{1}"},
        {ROW("boundary within a line", "--b\r\n" PART(a) "x--b\r\n" LAST), "a{x--b\r\n}"},
        {ROW("line ends", "--b\r\n" PART(a) "\r\n\n\r\r\n" LAST), "a{\r\n\n\r\r\n}"},
        {ROW("nearly a delimiter", "--b\r\n" PART(a) "\r\n--a\r\n-\r\n\r--b\r" LAST),
         "a{\r\n--a\r\n-\r\n\r--b\r}"},
        {ROW("CR before a delimiter", "--b\r\n" PART(a) "\r\r\r\n--b--"), "a{\r\r}"},
        {ROW("LF and the boundary", "--b\r\n" PART(a) "1\n--b\n2" LAST), "a{1\n--b\n2}"},
        {ROW("dashes at the beginning", "--b\r\n" PART(a) "--" LAST), "a{--}"},
        {ROW("a boundary that is longer in the content", "--b\r\n" PART(a) "--c" LAST), "a{--c}"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        const char *fault = decode(rows[i].label, SLICE("b"), rows[i].input);
        if (fault || strcmp(attempt.events.data, rows[i].events) != 0)
            fail_msg("%s: %s, %s", rows[i].label, attempt.events.data, fault ? fault : "fine");
    }
}

static void multipart_content_may_be_any_bytes(void **state)
{
    static const char head[] = "--b\r\n" PART(a);
    char input[1024];
    struct text text = text_over(input, sizeof(input));
    (void)state;
    text_append(&text, slice_from_string(head));
    for (unsigned octet = 0; octet < 256; octet++)
        text_append_char(&text, (char)octet);
    text_append(&text, SLICE(LAST));
    begin(SLICE("b"));
    feed(text.data, text.len);
    assert_int_equal(multipart_finish(&attempt.multipart), PARSE_DONE);
    assert_int_equal(attempt.events.len, 2 + 256 + 1);
    assert_memory_equal(attempt.events.data + 2, input + sizeof(head) - 1, 256);
}

static void multipart_boundary_of_each_length_is_found(void **state)
{
    char boundary[MULTIPART_BOUNDARY_MAX];
    char input[512];
    (void)state;
    memset(boundary, '-', sizeof(boundary));
    for (size_t len = 1; len <= sizeof(boundary); len++) {
        struct text text = text_over(input, sizeof(input));
        struct slice slice = {boundary, len};
        text_append(&text, SLICE("--"));
        text_append(&text, slice);
        text_append(&text, SLICE("\r\n" PART(a) "1\r\n-\r\n--\r\n--"));
        text_append(&text, slice);
        text_append(&text, SLICE("--\r\n"));
        const char *fault = decode("length", slice, text_slice(&text));
        assert_null(fault);
        assert_string_equal(attempt.events.data, "a{1\r\n-\r\n--}");
    }
}

/* --- forms that are wrong ------------------------------------------------------------------- */

static void multipart_wrong_form_is_bad(void **state)
{
    static const struct {
        const char *label;
        struct slice input;
        const char *events; /* before the fault */
    } rows[] = {
        {ROW("nothing", ""), ""},
        {ROW("no boundary", "a=1&b=2"), ""},
        {ROW("another boundary", "--c\r\n" PART(a) "1\r\n--c--\r\n"), ""},
        {ROW("LF only", "--b\n" DISPOSITION "a\n\n1\n--b--\n"), ""},
        {ROW("LF behind a boundary", "--b\r\n" PART(a) "1\r\n--b\n" PART(b) "2" LAST), "a{1}"},
        {ROW("LF behind a header line", "--b\r\n" DISPOSITION "a\n\r\n1" LAST), ""},
        {ROW("LF for the empty line", "--b\r\n" DISPOSITION "a\r\n\n1" LAST), ""},
        {ROW("CR in a header line", "--b\r\n" DISPOSITION "a\rb\r\n\r\n1" LAST), ""},
        {ROW("NUL in a header line", "--b\r\n" DISPOSITION "\"a\0b\"\r\n\r\n1" LAST), ""},
        {ROW("DEL in a header line", "--b\r\n" DISPOSITION "\"a\x7f\"\r\n\r\n1" LAST), ""},
        {ROW("no header", "--b\r\n\r\n1" LAST), ""},
        {ROW("no name", "--b\r\nContent-Disposition: form-data\r\n\r\n1" LAST), ""},
        {ROW("wrong second part", "--b\r\n" PART(a) "1" NEXT "x\r\n\r\n" LAST), "a{1}"},
        {ROW("a longer line", "--b\r\n" PART(a) "1\r\n--bc\r\n" LAST), "a{1}"},
        {ROW("one dash", "--b\r\n" PART(a) "1\r\n--b-\r\n"), "a{1}"},
        {ROW("dashes after a blank", "--b\r\n" PART(a) "1\r\n--b --\r\n"), "a{1}"},
        {ROW("something behind the dashes", "--b\r\n" PART(a) "1\r\n--b--x"), "a{1}"},
        {ROW("LF behind the dashes", "--b\r\n" PART(a) "1\r\n--b--\n"), "a{1}"},
        {ROW("CR behind the dashes", "--b\r\n" PART(a) "1\r\n--b--\r"), "a{1}"},
        {ROW("CR and no LF behind the dashes", "--b\r\n" PART(a) "1\r\n--b--\rx"), "a{1}"},
        {ROW("CR and no LF behind a boundary", "--b\rx" PART(a) "1" LAST), ""},
        {ROW("no last boundary", "--b\r\n" PART(a) "1"), "a{1"},
        {ROW("no last dashes", "--b\r\n" PART(a) "1\r\n--b\r\n"), "a{1}"},
        {ROW("ends within a boundary", "--b\r\n" PART(a) "1\r\n-"), "a{1"},
        {ROW("ends within a header", "--b\r\n" DISPOSITION "a\r\n"), ""},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        const char *fault = decode(rows[i].label, SLICE("b"), rows[i].input);
        if (!fault || strcmp(attempt.events.data, rows[i].events) != 0)
            fail_msg("%s: %s, %s", rows[i].label, attempt.events.data, fault ? fault : "fine");
    }
}

static void multipart_right_form_is_wrong_at_each_earlier_end(void **state)
{
    static const char input[] = "\r\n--b\r\n" PART(a) "1" NEXT PART(b) "2\r\n--b--";
    (void)state;
    for (size_t len = 0; len < sizeof(input) - 1; len++) {
        begin(SLICE("b"));
        feed(input, len);
        assert_int_equal(attempt.outcome, PARSE_MORE);
        assert_int_equal(multipart_finish(&attempt.multipart), PARSE_BAD);
    }
}

static void multipart_bad_stays_bad(void **state)
{
    size_t used = 42;
    struct multipart_event event = {.kind = MULTIPART_END};
    (void)state;
    begin(SLICE("b"));
    feed("--bx", 4);
    const char *fault = multipart_fault(&attempt.multipart);
    assert_int_equal(attempt.outcome, PARSE_BAD);
    assert_int_equal(multipart_decode(&attempt.multipart, "--b--", 5, &used, &event), PARSE_BAD);
    assert_int_equal(multipart_finish(&attempt.multipart), PARSE_BAD);
    assert_ptr_equal(multipart_fault(&attempt.multipart), fault);
    assert_int_equal(used, 42);
    assert_int_equal(event.kind, MULTIPART_END);
}

/* --- limits --------------------------------------------------------------------------------- */

/* Feeds whole, and byte by byte. Returns whether it was fine both times. */
static bool is_fine(struct slice input)
{
    begin(SLICE("b"));
    feed(input.data, input.len);
    bool whole = multipart_finish(&attempt.multipart) == PARSE_DONE;
    begin(SLICE("b"));
    for (size_t i = 0; i < input.len; i++)
        feed(input.data + i, 1);
    assert_int_equal(multipart_finish(&attempt.multipart) == PARSE_DONE, whole);
    return whole;
}

static void multipart_parts_are_limited(void **state)
{
    static char input[65536];
    (void)state;
    for (size_t count = MULTIPART_PARTS_MAX - 1; count <= MULTIPART_PARTS_MAX + 1; count++) {
        struct text text = text_over(input, sizeof(input));
        for (size_t i = 0; i < count; i++)
            text_append(&text, SLICE("--b\r\n" PART(a) "1\r\n"));
        text_append(&text, SLICE("--b--"));
        assert_int_equal(is_fine(text_slice(&text)), count <= MULTIPART_PARTS_MAX);
    }
}

static void multipart_header_of_a_part_is_limited(void **state)
{
    static char input[MULTIPART_HEAD_BYTES_MAX + 256];
    size_t fixed = strlen(DISPOSITION "a\r\nX: \r\n");
    (void)state;
    for (size_t len = MULTIPART_HEAD_BYTES_MAX - 1; len <= MULTIPART_HEAD_BYTES_MAX + 1; len++) {
        struct slice bytes = fill(input, sizeof(input), "--b\r\n" DISPOSITION "a\r\nX: ", 'x',
                                  len - fixed, "\r\n\r\n1" LAST);
        assert_int_equal(is_fine(bytes), len <= MULTIPART_HEAD_BYTES_MAX);
    }
}

static void multipart_ignored_bytes_are_limited(void **state)
{
    static char input[MULTIPART_IGNORED_BYTES_MAX + 256];
    static const struct {
        const char *before;
        char octet;
        const char *behind;
    } rows[] = {
        {"", '-', "\r\n--b\r\n" PART(a) "1\r\n--b--"},
        {"--b\r\n" PART(a) "1\r\n--b--\r\n", 'x', ""},
        {"--b", ' ', "\r\n" PART(a) "1\r\n--b--"},
        {"--b\r\n" PART(a) "1\r\n--b--", '\t', ""},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        for (size_t len = MULTIPART_IGNORED_BYTES_MAX - 1; len <= MULTIPART_IGNORED_BYTES_MAX + 1;
             len++)
            assert_int_equal(is_fine(fill(input, sizeof(input), rows[i].before, rows[i].octet, len,
                                          rows[i].behind)),
                             len <= MULTIPART_IGNORED_BYTES_MAX);
}

/* Row D3: what begins like a delimiter again and again. */
static void multipart_flood_of_nearly_delimiters_is_content(void **state)
{
    static char input[1024 * 1024 + 256];
    static char boundary[MULTIPART_BOUNDARY_MAX];
    struct text text = text_over(input, sizeof(input));
    struct slice slice = {boundary, sizeof(boundary)};
    (void)state;
    memset(boundary, 'b', sizeof(boundary));
    text_append(&text, SLICE("--"));
    text_append(&text, slice);
    text_append(&text, SLICE("\r\n" PART(a)));
    size_t start = text.len;
    while (text.len < 1024 * 1024)
        text_append(&text, SLICE("\r\n--"));
    size_t len = text.len - start;
    text_append(&text, SLICE("\r\n--"));
    text_append(&text, slice);
    text_append(&text, SLICE("--"));
    begin(slice);
    feed(text.data, text.len);
    assert_int_equal(multipart_finish(&attempt.multipart), PARSE_DONE);
    assert_int_equal(attempt.events.len, len + 3);
    assert_memory_equal(attempt.events.data + 2, input + start, len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multipart_right_form_is_told),
        cmocka_unit_test(multipart_content_may_be_any_bytes),
        cmocka_unit_test(multipart_boundary_of_each_length_is_found),
        cmocka_unit_test(multipart_wrong_form_is_bad),
        cmocka_unit_test(multipart_right_form_is_wrong_at_each_earlier_end),
        cmocka_unit_test(multipart_bad_stays_bad),
        cmocka_unit_test(multipart_parts_are_limited),
        cmocka_unit_test(multipart_header_of_a_part_is_limited),
        cmocka_unit_test(multipart_ignored_bytes_are_limited),
        cmocka_unit_test(multipart_flood_of_nearly_delimiters_is_content),
    };
    return cmocka_run_group_tests(tests, create_guard, destroy_guard);
}
