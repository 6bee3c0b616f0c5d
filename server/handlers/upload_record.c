#include "server/handlers/upload_record.h"

#include "http/octet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A record is text:
 *
 *     upload 1 json 3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b
 *     11 upload_20260301_120000_3fa9c0d2e4b61758.json
 *     end
 */
#define BEGIN_BATCH    "upload 1 ndjson "
#define BEGIN_DOCUMENT "upload 1 json "
#define END            "end\n"

/* Of one document: the largest number, a space, a name, LF. */
#define LINE_LEN_MAX (20 + 1 + STORE_NAME_SIZE + 1)

int upload_record_reserve(struct upload_record *record, size_t count)
{
    record->documents = calloc(count, sizeof(*record->documents));
    if (!record->documents)
        return -1;
    record->count = count;
    return 0;
}

void upload_record_deinit(struct upload_record *record)
{
    free(record->documents);
    record->documents = NULL;
    record->count = 0;
}

/* --- to text -------------------------------------------------------------------------------- */

static void append_hex(struct text *text, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        text_append_char(text, digits[bytes[i] >> 4]);
        text_append_char(text, digits[bytes[i] & 15]);
    }
}

char *upload_record_print(const struct upload_record *record, size_t *out_len)
{
    size_t size = sizeof(BEGIN_BATCH) + sizeof(record->content) * 2 + 1 +
                  record->count * LINE_LEN_MAX + sizeof(END);
    char *bytes = malloc(size);
    if (!bytes)
        return NULL;
    struct text text = text_over(bytes, size);
    text_append(&text, record->is_batch ? SLICE(BEGIN_BATCH) : SLICE(BEGIN_DOCUMENT));
    append_hex(&text, record->content, sizeof(record->content));
    text_append_char(&text, '\n');
    for (size_t i = 0; i < record->count; i++) {
        text_append_u64(&text, record->documents[i].bytes);
        text_append_char(&text, ' ');
        text_append(&text, slice_from_string(record->documents[i].name));
        text_append_char(&text, '\n');
    }
    text_append(&text, SLICE(END));
    *out_len = text.len;
    return bytes;
}

/* --- from text ------------------------------------------------------------------------------ */

static bool take_prefix(struct slice *text, struct slice prefix)
{
    if (!slice_starts_with(*text, prefix))
        return false;
    text->data += prefix.len;
    text->len -= prefix.len;
    return true;
}

/* Takes a line off; false if there is no LF. */
static bool take_line(struct slice *text, struct slice *out_line)
{
    const char *end = text->len > 0 ? memchr(text->data, '\n', text->len) : NULL;
    if (!end)
        return false;
    *out_line = (struct slice){text->data, (size_t)(end - text->data)};
    text->len -= out_line->len + 1;
    text->data = end + 1;
    return true;
}

static bool parse_hex(struct slice digits, uint8_t *out, size_t len)
{
    if (digits.len != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        int high = octet_hex(digits.data[2 * i]);
        int low = octet_hex(digits.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool parse_document(struct slice line, struct upload_document *out)
{
    struct slice bytes = slice_take_part(&line, ' ');
    if (slice_to_u64(bytes, &out->bytes) != 0 || line.len == 0 || line.len >= sizeof(out->name))
        return false;
    memcpy(out->name, line.data, line.len);
    out->name[line.len] = '\0';
    return store_name_is_visible(out->name);
}

static size_t count_lines(struct slice text)
{
    size_t count = 0;
    for (struct slice line; take_line(&text, &line);)
        count++;
    return count;
}

static bool parse_documents(struct slice text, struct upload_record *record)
{
    struct slice line;
    for (size_t i = 0; i < record->count; i++)
        if (!take_line(&text, &line) || !parse_document(line, &record->documents[i]))
            return false;
    return slice_equal(text, SLICE(END));
}

int upload_record_parse(const char *bytes, size_t len, struct upload_record *out)
{
    struct upload_record record = {0};
    struct slice text = {bytes, len};
    struct slice line;
    record.is_batch = take_prefix(&text, SLICE(BEGIN_BATCH));
    if (!record.is_batch && !take_prefix(&text, SLICE(BEGIN_DOCUMENT)))
        return 0;
    if (!take_line(&text, &line) || !parse_hex(line, record.content, sizeof(record.content)))
        return 0;
    size_t lines = count_lines(text);
    if (lines < 2) /* a document and the end */
        return 0;
    if (upload_record_reserve(&record, lines - 1) != 0)
        return -1;
    if (!parse_documents(text, &record)) {
        upload_record_deinit(&record);
        return 0;
    }
    *out = record;
    return 1;
}
