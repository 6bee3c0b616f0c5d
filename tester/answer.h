/* An answer as it was received: status, header fields, content. */
#ifndef TARN_TESTER_ANSWER_H
#define TARN_TESTER_ANSWER_H

#include "http/slice.h"

/* The slices point into `head` and `content`, which the answer owns. */
struct answer {
    long status; /* 0: none has come */
    char *head;  /* the lines of the last head */
    size_t head_len;
    char *content;
    size_t content_len;
};

void answer_deinit(struct answer *answer);

/* Take what arrives. A line of the head comes whole, its CR LF included; a status line begins the
 * head anew (RFC 9110 section 15.2: interim answers come before the final one). Return 0, or -1
 * when there is no memory.
 */
int answer_take_line(struct answer *answer, struct slice line);
int answer_take_content(struct answer *answer, struct slice bytes);

/* Takes the next field with that name (compared without case) off *rest, the lines of a head; its
 * value is trimmed. Returns false, both untouched, when there is none left.
 */
bool answer_next_field(struct slice *rest, struct slice name, struct slice *out_value);

/* All lines of the head, for answer_next_field(). */
struct slice answer_head(const struct answer *answer);
struct slice answer_content(const struct answer *answer);

#endif
