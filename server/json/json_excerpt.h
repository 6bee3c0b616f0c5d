/* A short piece of a text around the place of a fault, to be shown to whoever sent it: the same,
 * however the text was split.
 *
 * Pure; owned by the caller.
 */
#ifndef TARN_SERVER_JSON_JSON_EXCERPT_H
#define TARN_SERVER_JSON_JSON_EXCERPT_H

#include "http/slice.h"

#define JSON_EXCERPT_BEFORE 20 /* bytes in front of the fault */
#define JSON_EXCERPT_AFTER  20 /* and from it on */

/* Of the excerpt as text, with the NUL: each byte may become U+FFFD. */
#define JSON_EXCERPT_SIZE (3 * (JSON_EXCERPT_BEFORE + JSON_EXCERPT_AFTER) + 1)

/* All zero: nothing has been seen. */
struct json_excerpt {
    char before[JSON_EXCERPT_BEFORE];
    char after[JSON_EXCERPT_AFTER];
    uint8_t before_len;
    uint8_t after_len;
    bool is_cut; /* there is more in front of it */
};

/* Sees the next piece of the text, which is right so far. */
void json_excerpt_pass(struct json_excerpt *excerpt, struct slice piece);

/* Sees the next piece of the text from the fault on. */
void json_excerpt_take(struct json_excerpt *excerpt, struct slice piece);

/* Writes what was seen as valid UTF-8 on one line. White space becomes a space; control characters,
 * and bytes that are no UTF-8, become U+FFFD. Characters that are cut at either end are left out.
 */
void json_excerpt_print(const struct json_excerpt *excerpt, char out[JSON_EXCERPT_SIZE]);

#endif
