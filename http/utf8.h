/* UTF-8 (RFC 3629), the strict form: no overlong sequence, no surrogate, nothing above U+10FFFF. */
#ifndef TARN_HTTP_UTF8_H
#define TARN_HTTP_UTF8_H

#include "http/slice.h"

/* The length in bytes (1 to 4) of the character at the beginning of `text`; 0 if no whole and
 * valid character stands there, also where `text` is empty.
 */
size_t utf8_character_len(struct slice text);

/* Whether all of the text is UTF-8; the empty text is. */
bool utf8_is_valid(struct slice text);

#endif
