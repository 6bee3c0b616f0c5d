/* The access log: one line a request, whatever bytes it held: of printable ASCII in the usual
 * format, with the strings where a reader of it finds them; one JSON object in the other.
 */
#include "http/octet.h"
#include "server/json/json_check.h"
#include "server/log/access_line.h"
#include "tests/fuzz/harness.h"
#include "tests/support/crafted_head.h"

#include <stdlib.h>
#include <string.h>

#define FIELD_BYTES_MAX 8192 /* as the log cuts them */
#define LINE_SIZE       (12 * 6 * FIELD_BYTES_MAX + 1024)

/* Takes the next part of the input, by chance. */
static struct slice take(struct harness_pieces *pieces, struct slice *rest)
{
    struct slice part = {rest->data, harness_chance(pieces, rest->len)};
    rest->data += part.len;
    rest->len -= part.len;
    return part;
}

/* Takes a field off the line and unescapes it: it is what was put in, or its beginning. */
static void expect_field(struct slice *line, struct slice field, char end)
{
    size_t count = 0;
    if (field.len == 0)
        field = SLICE("-");
    if (field.len > FIELD_BYTES_MAX)
        field.len = FIELD_BYTES_MAX;
    for (; line->len > 0 && count < field.len; count++) {
        char octet = line->data[0];
        size_t taken = 1;
        HARNESS_EXPECT(octet != '"');
        if (octet == '\\') {
            HARNESS_EXPECT(line->len >= 4 && line->data[1] == 'x');
            octet = (char)(octet_hex(line->data[2]) * 16 + octet_hex(line->data[3]));
            taken = 4;
        }
        HARNESS_EXPECT(octet == field.data[count]);
        line->data += taken;
        line->len -= taken;
    }
    HARNESS_EXPECT(count == field.len && line->len > 0 && line->data[0] == end);
}

static void skip_past(struct slice *line, char octet)
{
    const char *at = memchr(line->data, octet, line->len);
    HARNESS_EXPECT(at);
    size_t taken = (size_t)(at - line->data) + 1;
    line->data += taken;
    line->len -= taken;
}

static struct slice field_of(const struct head *head, struct slice name)
{
    struct slice value = {0};
    (void)head_find(head, name, &value);
    return value;
}

static void expect_combined(struct slice line, const struct access_entry *entry)
{
    const struct head *head = entry->head;
    for (size_t i = 0; i < line.len - 1; i++)
        HARNESS_EXPECT(line.data[i] >= 0x20 && line.data[i] < 0x7f);
    expect_field(&line, entry->client, ' ');
    skip_past(&line, '"');
    expect_field(&line, head_slice(head, head->request_line), '"');
    skip_past(&line, '"');
    skip_past(&line, '"');
    expect_field(&line, field_of(head, SLICE("Referer")), '"');
    skip_past(&line, '"');
    skip_past(&line, '"');
    expect_field(&line, field_of(head, SLICE("User-Agent")), '"');
    HARNESS_EXPECT(line.len == 2);
}

static void expect_json(struct slice line, const struct access_entry *entry)
{
    struct json_check check;
    (void)entry;
    json_check_init(&check, 1, UINT64_MAX);
    HARNESS_EXPECT(line.data[0] == '{');
    HARNESS_EXPECT(json_check_feed(&check, line.data, line.len) == PARSE_MORE);
    HARNESS_EXPECT(json_check_finish(&check) == PARSE_DONE);
}

static void expect_any(struct slice line, const struct access_entry *entry)
{
    (void)line;
    (void)entry;
}

static void expect_line(const char *text, const struct access_entry *entry,
                        struct harness_pieces *pieces,
                        void (*expect)(struct slice line, const struct access_entry *entry))
{
    static char buffer[LINE_SIZE];
    static struct log_format format;
    struct log_fault fault;
    struct access_stamps stamps = {0};
    struct text line = text_over(buffer, sizeof(buffer));
    HARNESS_EXPECT(access_format_compile(text, &format, &fault) == 0);
    access_line_append(&line, &format, &stamps, entry);
    HARNESS_EXPECT(!line.truncated && line.len > 0);
    HARNESS_EXPECT(memchr(buffer, '\n', line.len) == buffer + line.len - 1);
    expect(text_slice(&line), entry);

    /* In a place that is too small stands a beginning of the same line. */
    size_t room = harness_chance(pieces, line.len - 1);
    char *small = malloc(room);
    HARNESS_EXPECT(small || room == 0);
    struct text cut = text_over(small, room);
    access_line_append(&cut, &format, &stamps, entry);
    HARNESS_EXPECT(cut.truncated && cut.len == room);
    HARNESS_EXPECT(room == 0 || memcmp(small, buffer, room) == 0);
    free(small);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct crafted_head crafted;
    struct slice rest = {(const char *)data, size};
    struct harness_pieces pieces = harness_pieces_begin(HARNESS_PIECES, data, size);
    struct access_entry entry = {
        .head = &crafted.head,
        .client = take(&pieces, &rest),
        .time = (time_t)harness_chance(&pieces, UINT32_MAX - 1),
        .status = 200,
        .body_bytes = harness_chance(&pieces, 1) ? UINT64_MAX : 0,
        .ending = '+',
    };
    struct slice referer = take(&pieces, &rest);
    struct slice user_agent = take(&pieces, &rest);
    struct slice host = take(&pieces, &rest);
    struct slice cookies = take(&pieces, &rest);
    struct slice method = take(&pieces, &rest);
    crafted_head_begin(&crafted, method, take(&pieces, &rest), rest);
    crafted_head_add(&crafted, SLICE("Referer"), referer);
    crafted_head_add(&crafted, SLICE("User-Agent"), user_agent);
    crafted_head_add(&crafted, SLICE("Host"), host);
    crafted_head_add(&crafted, SLICE("Cookie"), cookies);
    if (crafted.head.request_line.len == 0)
        crafted.head.len = 0; /* nothing was read, so the log has nothing to show */

    expect_line("combined", &entry, &pieces, expect_combined);
    expect_line("json", &entry, &pieces, expect_json);
    expect_line("%h %r %m %U%q %H %v %{a}C %{Cookie}i %{rfc3339}t %{%c}t", &entry, &pieces,
                expect_any);
    return 0;
}
