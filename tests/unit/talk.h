/* For the tests of the connection: one conversation for each test, and what has been heard of it.
 */
#ifndef TARN_TESTS_UNIT_TALK_H
#define TARN_TESTS_UNIT_TALK_H

#include "tests/support/conversation.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROWS(table)     (sizeof(table) / sizeof((table)[0]))

#define TALK_TEST(test) cmocka_unit_test_setup_teardown(test, talk_begin, talk_end)

static struct conversation talk;
static int talk_file = -1; /* of zeros; for all tests of a group */

static inline int talk_begin(void **state)
{
    (void)state;
    conversation_init(&talk);
    return 0;
}

static inline int talk_end(void **state)
{
    (void)state;
    conversation_deinit(&talk);
    return 0;
}

static inline int talk_make_file(off_t bytes)
{
    talk_file = memfd_create("file", MFD_CLOEXEC);
    return talk_file < 0 || ftruncate(talk_file, bytes) != 0;
}

static inline int talk_close_file(void **state)
{
    (void)state;
    return close(talk_file);
}

static inline void assert_heard(const char *text)
{
    if (!strstr(conversation_heard(&talk), text))
        fail_msg("not heard: %s\nbut: %s", text, conversation_heard(&talk));
}

static inline void assert_not_heard(const char *text)
{
    if (strstr(conversation_heard(&talk), text))
        fail_msg("heard: %s", conversation_heard(&talk));
}

static inline unsigned count_heard(const char *text)
{
    unsigned count = 0;
    for (const char *at = conversation_heard(&talk); (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

#endif
