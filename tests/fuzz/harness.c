#include "tests/fuzz/harness.h"

#include "http/parser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void harness_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
    abort();
}

char *harness_copy(const void *bytes, size_t len)
{
    char *copy = malloc(len);
    HARNESS_EXPECT(copy || len == 0);
    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

/* The steps of the FNV-1a hash and of xorshift64*: any good mix would do. */

struct harness_pieces harness_pieces_begin(enum harness_split split, const void *bytes, size_t len)
{
    struct harness_pieces pieces = {split, UINT64_C(0xcbf29ce484222325)};
    const uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++)
        pieces.chance = (pieces.chance ^ at[i]) * UINT64_C(0x100000001b3);
    pieces.chance |= 1; /* must not be 0 */
    return pieces;
}

size_t harness_chance(struct harness_pieces *pieces, size_t max)
{
    pieces->chance ^= pieces->chance >> 12;
    pieces->chance ^= pieces->chance << 25;
    pieces->chance ^= pieces->chance >> 27;
    uint64_t number = (pieces->chance * UINT64_C(0x2545f4914f6cdd1d)) >> 32;
    return (size_t)number % (max + 1);
}

size_t harness_pieces_next(struct harness_pieces *pieces, size_t left)
{
    if (pieces->split == HARNESS_WHOLE)
        return left;
    if (pieces->split == HARNESS_BYTES)
        return 1;
    size_t longest = (size_t)1 << harness_chance(pieces, 10);
    size_t len = 1 + harness_chance(pieces, longest - 1);
    return len < left ? len : left;
}

char *harness_head(const char *method, const uint8_t *fields, size_t size, struct head *out)
{
    static const struct parser_limits limits = {HEAD_BYTES_MAX, HEAD_FIELDS_MAX};
    static const char line[] = " / HTTP/1.1\r\n";
    static const char end[] = "\r\n\r\n";
    size_t method_len = strlen(method);
    size_t fields_start = method_len + sizeof(line) - 1;
    size_t len = fields_start + size + sizeof(end) - 1;
    char *bytes = malloc(len);
    HARNESS_EXPECT(bytes);
    memcpy(bytes, method, method_len);
    memcpy(bytes + method_len, line, sizeof(line) - 1);
    if (size > 0)
        memcpy(bytes + fields_start, fields, size);
    memcpy(bytes + fields_start + size, end, sizeof(end) - 1);

    struct parser parser;
    parser_init(&parser, out);
    char *copy = NULL;
    if (parser_run(&parser, out, &limits, bytes, len) == PARSE_DONE) {
        copy = harness_copy(bytes, out->len - (sizeof(end) - 1));
        out->bytes = copy;
    }
    free(bytes);
    return copy;
}
