/* cmocka has no assertion for bytes with a length. */
#ifndef TARN_TESTS_UNIT_ASSERT_SLICE_H
#define TARN_TESTS_UNIT_ASSERT_SLICE_H

#include "http/slice.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The slice has exactly the bytes of a NUL-terminated string. */
#define assert_slice_is(slice, string) assert_slice_is_at(slice, string, __FILE__, __LINE__)

static inline void assert_slice_is_at(struct slice slice, const char *string, const char *file,
                                      int line)
{
    if (slice_equal(slice, slice_from_string(string)))
        return;
    print_error("got \"%.*s\" (%zu bytes), expected \"%s\"\n", (int)slice.len,
                slice.data ? slice.data : "", slice.len, string);
    _fail(file, line);
}

#endif
