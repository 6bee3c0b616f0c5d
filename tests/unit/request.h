/* Parsed request heads, for the tests of what reads them. */
#ifndef TARN_TESTS_UNIT_REQUEST_H
#define TARN_TESTS_UNIT_REQUEST_H

#include "http/parser.h"
#include "tests/unit/fill.h"
#include "tests/unit/guard.h"

#include <stdio.h>

#define REQUEST_BYTES_MAX 32768

/* Parses a request with this method and these field lines, each with its CRLF. Its bytes live in
 * the guard until the next call, and the value of the last field ends at the protected page.
 * Ends the test program if the parser refuses the request.
 */
static inline struct head request_parse(const struct guard *guard, const char *method,
                                        const char *fields)
{
    static char bytes[REQUEST_BYTES_MAX];
    struct head head;
    struct parser parser;
    const struct parser_limits limits = {sizeof(bytes), HEAD_FIELDS_MAX};
    int len = snprintf(bytes, sizeof(bytes), "%s / HTTP/1.1\r\n%s\r\n", method, fields);
    parser_init(&parser, &head);
    if (parser_run(&parser, &head, &limits, bytes, (size_t)len) != PARSE_DONE)
        abort();
    if (head.field_count > 0)
        len -= (int)sizeof("\r\n\r\n") - 1;
    head.bytes = guard_place(guard, bytes, (size_t)len);
    return head;
}

/* Long field lines for request_parse(): as fill(), with a NUL. */
static inline void request_fill(char *out, size_t size, const char *prefix, char byte, size_t count,
                                const char *suffix)
{
    out[fill(out, size - 1, prefix, byte, count, suffix).len] = '\0';
}

#endif
