/* The check of a batch: the same faults for any split, and for each line what the check of one
 * document says of it; the lines that it lets through are documents.
 */
#include "server/handlers/upload_lines.h"
#include "tests/fuzz/harness.h"

#include "http/utf8.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH     4
#define VALUES    12
#define DOCUMENTS 6

static bool check(struct upload_lines *out, const uint8_t *data, size_t size,
                  enum harness_split split)
{
    static const struct upload_lines_limits limits = {DEPTH, VALUES, DOCUMENTS};
    struct harness_pieces pieces = harness_pieces_begin(split, data, size);
    upload_lines_init(out, &limits);
    for (size_t at = 0; at < size;) {
        size_t len = harness_pieces_next(&pieces, size - at);
        char *copy = harness_copy(data + at, len);
        (void)upload_lines_feed(out, (struct slice){copy, len});
        free(copy);
        at += len;
    }
    return upload_lines_finish(out);
}

static void expect_same(const struct upload_lines *a, const struct upload_lines *b)
{
    HARNESS_EXPECT(a->is_too_large == b->is_too_large);
    if (a->is_too_large)
        return;
    HARNESS_EXPECT(a->fault_count == b->fault_count && a->documents == b->documents);
    HARNESS_EXPECT(a->longest_len == b->longest_len);
    for (size_t i = 0; i < a->fault_count && i < UPLOAD_LINES_FAULTS_MAX; i++) {
        const struct upload_lines_fault *one = &a->faults[i];
        const struct upload_lines_fault *other = &b->faults[i];
        HARNESS_EXPECT(one->line == other->line && one->column == other->column);
        HARNESS_EXPECT(one->offset == other->offset);
        HARNESS_EXPECT(strcmp(one->expected, other->expected) == 0);
        HARNESS_EXPECT(strcmp(one->excerpt, other->excerpt) == 0);
        HARNESS_EXPECT(utf8_is_valid(slice_from_string(one->excerpt)));
    }
}

/* Whether a line is a document by itself. */
static bool is_document(struct slice line)
{
    struct json_check json;
    json_check_init(&json, DEPTH, VALUES);
    (void)json_check_feed(&json, line.data, line.len);
    return json_check_finish(&json) == PARSE_DONE;
}

static void expect_lines(const struct upload_lines *lines, bool is_right, const uint8_t *data,
                         size_t size)
{
    const char *bytes = (const char *)data;
    size_t documents = 0;
    size_t wrong = 0;
    for (size_t at = 0; at < size;) {
        const char *feed = memchr(bytes + at, '\n', size - at);
        size_t len = feed ? (size_t)(feed - bytes) - at : size - at;
        struct slice document = upload_lines_document((struct slice){bytes + at, len});
        if (document.len > 0) {
            documents++;
            wrong += !is_document(document);
        }
        at += len + 1;
    }
    if (lines->is_too_large)
        return;
    HARNESS_EXPECT(lines->documents == documents);
    HARNESS_EXPECT(lines->fault_count == (documents == 0 ? 1 : wrong));
    HARNESS_EXPECT(is_right == (documents > 0 && wrong == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct upload_lines whole;
    struct upload_lines split;
    bool is_right = check(&whole, data, size, HARNESS_WHOLE);
    HARNESS_EXPECT(check(&split, data, size, HARNESS_PIECES) == is_right);
    expect_same(&whole, &split);
    HARNESS_EXPECT(check(&split, data, size, HARNESS_BYTES) == is_right);
    expect_same(&whole, &split);
    expect_lines(&whole, is_right, data, size);
    return 0;
}
