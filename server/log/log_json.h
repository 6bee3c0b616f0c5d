/* Strings of any bytes as JSON (RFC 8259 section 7), for a log that people and programs read. */
#ifndef TARN_SERVER_LOG_LOG_JSON_H
#define TARN_SERVER_LOG_LOG_JSON_H

#include "http/text.h"

/* Appends the bytes as a JSON string with its quotes. What is valid UTF-8 stays as it is, but for
 * '"', '\' and control characters (C0, C1, DEL) and the line separators of Unicode, which are
 * escaped; a byte that is not UTF-8 becomes the character of the same number, \u0080 to \u00ff.
 */
void log_json_append_string(struct text *text, struct slice bytes);

#endif
