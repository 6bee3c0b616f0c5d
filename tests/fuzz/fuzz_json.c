/* The JSON check: verdict and position for any split, the position as counted by hand, and cJSON
 * accepts whatever the check accepts; what cJSON then writes the check accepts again.
 */
#include "server/json/json_check.h"
#include "tests/fuzz/harness.h"

#include <cjson/cJSON.h>

#include <stdlib.h>
#include <string.h>

static enum parse_outcome check(struct json_check *out, const void *data, size_t size,
                                unsigned depth, enum harness_split split)
{
    const char *bytes = data;
    struct harness_pieces pieces = harness_pieces_begin(split, data, size);
    json_check_init(out, depth, UINT64_MAX);
    for (size_t at = 0; at < size;) {
        size_t len = harness_pieces_next(&pieces, size - at);
        char *copy = split == HARNESS_PIECES ? harness_copy(bytes + at, len) : NULL;
        enum parse_outcome outcome = json_check_feed(out, copy ? copy : bytes + at, len);
        free(copy);
        if (outcome == PARSE_BAD)
            break;
        at += len;
    }
    return json_check_finish(out);
}

static void expect_same(const struct json_check *a, const struct json_check *b)
{
    HARNESS_EXPECT(a->offset == b->offset && a->line == b->line);
    HARNESS_EXPECT(a->failed == b->failed && a->column == b->column);
    HARNESS_EXPECT(strcmp(a->expected, b->expected) == 0);
}

/* Counts lines and characters from the front. Before the fault all is valid UTF-8. */
static void expect_position(const struct json_check *check, const uint8_t *data, size_t size)
{
    uint64_t line = 1;
    uint64_t column = 1;
    HARNESS_EXPECT(check->offset <= size && check->expected[0] != '\0');
    for (size_t i = 0; i < check->offset; i++) {
        bool starts_character = (data[i] & 0xc0) != 0x80;
        column = data[i] == '\n' ? 1 : column + starts_character;
        line += data[i] == '\n';
    }
    HARNESS_EXPECT(check->line == line && check->column == column);
}

static void expect_library_agrees(const uint8_t *data, size_t size)
{
    struct json_check again;
    cJSON *tree = cJSON_ParseWithLength((const char *)data, size);
    HARNESS_EXPECT(tree);
    char *printed = cJSON_PrintUnformatted(tree);
    HARNESS_EXPECT(printed);
    HARNESS_EXPECT(check(&again, printed, strlen(printed), JSON_CHECK_DEPTH_MAX, HARNESS_WHOLE) ==
                   PARSE_DONE);
    cJSON_free(printed);
    cJSON_Delete(tree);
}

static void run(const uint8_t *data, size_t size, unsigned depth)
{
    struct json_check whole;
    struct json_check split;
    enum parse_outcome outcome = check(&whole, data, size, depth, HARNESS_WHOLE);
    HARNESS_EXPECT(check(&split, data, size, depth, HARNESS_PIECES) == outcome);
    expect_same(&whole, &split);
    HARNESS_EXPECT(check(&split, data, size, depth, HARNESS_BYTES) == outcome);
    expect_same(&whole, &split);
    if (outcome == PARSE_DONE)
        expect_library_agrees(data, size);
    else
        expect_position(&whole, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run(data, size, JSON_CHECK_DEPTH_MAX);
    run(data, size, 3);
    return 0;
}
