/* Heads that are put together by hand, so that their parts may be any bytes, also such as the
 * parser never lets through: for tests of what has to bear with them.
 */
#ifndef TARN_TESTS_SUPPORT_CRAFTED_HEAD_H
#define TARN_TESTS_SUPPORT_CRAFTED_HEAD_H

#include "http/head.h"

struct crafted_head {
    struct head head;
    char bytes[HEAD_BYTES_MAX];
};

/* Begins with the request line "METHOD TARGET VERSION". Without a method it is as if no line had
 * been read. What does not fit is cut, also later on. The head must not be moved.
 */
void crafted_head_begin(struct crafted_head *crafted, struct slice method, struct slice target,
                        struct slice version);

/* Adds a field; nothing if there are HEAD_FIELDS_MAX of them. */
void crafted_head_add(struct crafted_head *crafted, struct slice name, struct slice value);

#endif
