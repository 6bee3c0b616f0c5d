/* The strict check of a JSON text (RFC 8259): valid or not, and where not.
 *
 * Incremental and iterative: the text comes in pieces of any size, and neither its length nor its
 * nesting costs memory beyond the struct. Pure: no system call, no allocation, no tree. Verdict
 * and position are the same, however the text is split.
 *
 * Valid is what the grammar of RFC 8259 says, any value at the top level, repeated names and
 * numbers of any size included. Beyond the grammar these are refused: text that is not UTF-8 and
 * a byte order mark (section 8.1), escapes of lone surrogates (section 8.2), nesting deeper and
 * values more than the limits (section 9).
 *
 * The limit of values bounds the tree that cJSON would build. A value is a node of 64 bytes, with a
 * copy of its name and of its string if it has them; with what malloc() adds (glibc, 64 bits) that
 * is JSON_CHECK_TREE_BYTES_A_VALUE at most, and the length of the text for what is in the strings.
 */
#ifndef TARN_SERVER_JSON_JSON_CHECK_H
#define TARN_SERVER_JSON_JSON_CHECK_H

#include "http/parse.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest nesting limit; cJSON (1.7) reads no deeper. */
#define JSON_CHECK_DEPTH_MAX          1000

#define JSON_CHECK_EXPECTED_SIZE      56

#define JSON_CHECK_TREE_BYTES_A_VALUE 144

/* Owned by the caller; may be moved. */
struct json_check {
    /* The fault, valid after PARSE_BAD: the first byte that cannot be right, or the end of the
     * text where that came too early.
     */
    uint64_t offset;                         /* bytes before it */
    uint64_t line;                           /* from 1; lines end with LF */
    uint64_t column;                         /* from 1, in characters (code points) */
    char expected[JSON_CHECK_EXPECTED_SIZE]; /* what could have stood there: "a value", "':'" */

    /* The rest is the check's own. */
    bool failed;
    uint8_t state;           /* one of enum json_state */
    uint8_t after_string;    /* the state that follows the string being read */
    uint8_t literal_matched; /* bytes */
    const char *literal;     /* the one being read: "true", "false" or "null" */
    uint64_t line_start;     /* offset of the line's first byte */
    uint64_t line_tails;     /* bytes of the line that continue a UTF-8 character */
    uint64_t values_left;    /* that may still begin */
    uint64_t values_limit;
    uint16_t depth; /* arrays and objects that are open */
    uint16_t depth_limit;
    uint64_t objects[(JSON_CHECK_DEPTH_MAX + 63) / 64]; /* a bit a level: object, not array */
};

/* Begins a text. `depth_limit` is how many arrays and objects may stand within each other:
 * 1 ... JSON_CHECK_DEPTH_MAX; `values_limit` how many values there may be: arrays, objects and what
 * is in them, at least 1.
 */
void json_check_init(struct json_check *check, unsigned depth_limit, uint64_t values_limit);

/* Checks the next piece of the text; `bytes` may be NULL when len is 0.
 * PARSE_MORE: right so far. PARSE_BAD: the members of *check say what is wrong; it stays so.
 */
enum parse_outcome json_check_feed(struct json_check *check, const char *bytes, size_t len);

/* Says that the text ends here. PARSE_DONE: it is valid. PARSE_BAD: as above. */
enum parse_outcome json_check_finish(struct json_check *check);

/* Whether the fault is that there are too many values, and none of the text's form. */
bool json_check_is_too_large(const struct json_check *check);

#endif
