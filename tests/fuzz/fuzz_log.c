/* The access log: one line of printable ASCII a request, whatever bytes it held, with the fields
 * where a reader of the format finds them.
 */
#include "http/octet.h"
#include "server/log/access_line.h"
#include "tests/fuzz/harness.h"

#include <stdlib.h>
#include <string.h>

#define FIELD_BYTES_MAX 8192 /* as the log cuts them */
#define LINE_SIZE       (4 * 4 * FIELD_BYTES_MAX + 256)

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

static void expect_line(struct slice line, const struct access_entry *entry)
{
    HARNESS_EXPECT(line.len > 0 && line.data[line.len - 1] == '\n');
    for (size_t i = 0; i < line.len - 1; i++)
        HARNESS_EXPECT(line.data[i] >= 0x20 && line.data[i] < 0x7f);
    expect_field(&line, entry->client, ' ');
    skip_past(&line, '"');
    expect_field(&line, entry->request_line, '"');
    skip_past(&line, '"');
    skip_past(&line, '"');
    expect_field(&line, entry->referer, '"');
    skip_past(&line, '"');
    skip_past(&line, '"');
    expect_field(&line, entry->user_agent, '"');
    HARNESS_EXPECT(line.len == 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char buffer[LINE_SIZE];
    struct slice rest = {(const char *)data, size};
    struct harness_pieces pieces = harness_pieces_begin(HARNESS_PIECES, data, size);
    struct access_stamp stamp = {0};
    struct access_entry entry = {
        .client = take(&pieces, &rest),
        .time = (time_t)harness_chance(&pieces, UINT32_MAX - 1),
        .status = 200,
        .body_bytes = harness_chance(&pieces, 1) ? UINT64_MAX : 0,
        .referer = take(&pieces, &rest),
        .user_agent = take(&pieces, &rest),
    };
    entry.request_line = rest;

    struct text line = text_over(buffer, sizeof(buffer));
    access_line_append(&line, &stamp, &entry);
    HARNESS_EXPECT(!line.truncated);
    expect_line(text_slice(&line), &entry);

    /* In a place that is too small stands a beginning of the same line. */
    size_t room = harness_chance(&pieces, line.len - 1);
    char *small = malloc(room);
    HARNESS_EXPECT(small || room == 0);
    struct text cut = text_over(small, room);
    access_line_append(&cut, &stamp, &entry);
    HARNESS_EXPECT(cut.truncated && cut.len == room);
    HARNESS_EXPECT(room == 0 || memcmp(small, buffer, room) == 0);
    free(small);
    return 0;
}
