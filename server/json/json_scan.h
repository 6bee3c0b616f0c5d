/* The tokens of JSON that have a length: white space, strings and numbers (RFC 8259). A part of
 * json_check, and like it pure and incremental.
 *
 * Each scanner advances *at, at most to `end`, and *state, one of enum json_state.
 * PARSE_DONE: the token ended before *at. PARSE_MORE: it goes on, or may go on, beyond `end`.
 * PARSE_BAD: the byte at *at is wrong, and *state says what was expected.
 */
#ifndef TARN_SERVER_JSON_JSON_SCAN_H
#define TARN_SERVER_JSON_JSON_SCAN_H

#include "http/parse.h"

#include <stdbool.h>
#include <stdint.h>

/* Returns the first byte that is not a space, or `end`. */
const unsigned char *json_scan_spaces(const unsigned char *at, const unsigned char *end);

/* Scans a string after its opening quote; begins with JSON_STRING. *tails grows by the bytes that
 * continue a UTF-8 character.
 */
enum parse_outcome json_scan_string(uint8_t *state, uint64_t *tails, const unsigned char **at,
                                    const unsigned char *end);

/* Scans a number after its first byte; begins with JSON_MINUS, JSON_ZERO or JSON_INTEGER. */
enum parse_outcome json_scan_number(uint8_t *state, const unsigned char **at,
                                    const unsigned char *end);

/* Whether the text may end in this state of a number. */
bool json_scan_number_may_end(uint8_t state);

#endif
