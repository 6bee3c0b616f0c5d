/* Classes of octets, as the grammars of HTTP and URIs know them, in one table.
 *
 * ASCII only and independent of the locale. Constant data: any thread may use it.
 */
#ifndef TARN_HTTP_OCTET_H
#define TARN_HTTP_OCTET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum octet_class {
    OCTET_TOKEN = 1 << 0,      /* tchar (RFC 9110 section 5.6.2) */
    OCTET_FIELD = 1 << 1,      /* in a field value: visible, obs-text, SP, HTAB (section 5.5) */
    OCTET_VISIBLE = 1 << 2,    /* VCHAR: printable ASCII without SP (RFC 5234) */
    OCTET_PATH = 1 << 3,       /* passes in a request target's path, see target_split() */
    OCTET_QUERY = 1 << 4,      /* passes in its query */
    OCTET_REG_NAME = 1 << 5,   /* of a registered name, without '%' (RFC 3986 section 3.2.2) */
    OCTET_UNRESERVED = 1 << 6, /* RFC 3986 section 2.3 */
    OCTET_CONTROL = 1 << 7,    /* 0x00-0x1f and 0x7f */
};

extern const uint8_t octet_classes[256];

static inline bool octet_is(char octet, enum octet_class wanted)
{
    return (octet_classes[(unsigned char)octet] & wanted) != 0;
}

/* How many of the first bytes belong to the class, at most `len`. */
static inline size_t octet_span(const char *bytes, size_t len, enum octet_class wanted)
{
    size_t count = 0;
    while (count < len && octet_is(bytes[count], wanted))
        count++;
    return count;
}

/* Whether all of them may stand in a field value: the same as octet_is(..., OCTET_FIELD) of each.
 * Without a look-up and without a way out of the loop, so that the compiler can take 16 at a time:
 * values are most of a head.
 */
static inline bool octet_all_in_field(const char *bytes, size_t len)
{
    uint8_t wrong = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t octet = (uint8_t)bytes[i];
        wrong |= (uint8_t)(((octet < 0x20) & (octet != '\t')) | (octet == 0x7f));
    }
    return wrong == 0;
}

static inline bool octet_is_digit(char octet)
{
    return octet >= '0' && octet <= '9';
}

/* SP or HTAB (RFC 9110 section 5.6.3). */
static inline bool octet_is_blank(char octet)
{
    return octet == ' ' || octet == '\t';
}

/* A-Z become a-z, all else stays. */
static inline char octet_lower(char octet)
{
    return octet >= 'A' && octet <= 'Z' ? (char)(octet + ('a' - 'A')) : octet;
}

/* The value of a hexadecimal digit of either case, or -1. */
static inline int octet_hex(char octet)
{
    char lower = octet_lower(octet);
    if (octet_is_digit(octet))
        return octet - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

#endif
