#include "http/octet.h"

/* The grammars as constant expressions of one octet; the compiler computes the table from them. */
#define IS_ALPHA(c)   (((c) >= 'a' && (c) <= 'z') || ((c) >= 'A' && (c) <= 'Z'))
#define IS_DIGIT(c)   ((c) >= '0' && (c) <= '9')
#define IS_VISIBLE(c) ((c) > 0x20 && (c) < 0x7f)
#define IS_CONTROL(c) ((c) < 0x20 || (c) == 0x7f)
#define IS_FIELD(c)   (!IS_CONTROL(c) || (c) == '\t')

/* RFC 9110 section 5.6.2. */
#define IS_TOKEN(c)                                                                                \
    (IS_ALPHA(c) || IS_DIGIT(c) || (c) == '!' || (c) == '#' || (c) == '$' || (c) == '%' ||         \
     (c) == '&' || (c) == '\'' || (c) == '*' || (c) == '+' || (c) == '-' || (c) == '.' ||          \
     (c) == '^' || (c) == '_' || (c) == '`' || (c) == '|' || (c) == '~')

/* RFC 3986 sections 2.2, 2.3, 3.2.2 and 3.3. */
#define IS_UNRESERVED(c)                                                                           \
    (IS_ALPHA(c) || IS_DIGIT(c) || (c) == '-' || (c) == '.' || (c) == '_' || (c) == '~')
#define IS_SUB_DELIM(c)                                                                            \
    ((c) == '!' || (c) == '$' || (c) == '&' || (c) == '\'' || (c) == '(' || (c) == ')' ||          \
     (c) == '*' || (c) == '+' || (c) == ',' || (c) == ';' || (c) == '=')
#define IS_REG_NAME(c) (IS_UNRESERVED(c) || IS_SUB_DELIM(c))
#define IS_PCHAR(c)    (IS_REG_NAME(c) || (c) == '%' || (c) == ':' || (c) == '@')

/* With what browsers send unescaped. A backslash passes here, since a path that has one gets an
 * answer of its own (403).
 */
#define IS_PATH(c)                                                                                 \
    (IS_PCHAR(c) || (c) == '/' || (c) == '|' || (c) == '^' || (c) == '[' || (c) == ']' ||          \
     (c) == '\\')
#define IS_QUERY(c) (IS_PATH(c) || (c) == '?' || (c) == '{' || (c) == '}' || (c) == '`')

#define CLASSES(c)                                                                                 \
    ((IS_TOKEN(c) ? OCTET_TOKEN : 0) | (IS_FIELD(c) ? OCTET_FIELD : 0) |                           \
     (IS_VISIBLE(c) ? OCTET_VISIBLE : 0) | (IS_PATH(c) ? OCTET_PATH : 0) |                         \
     (IS_QUERY(c) ? OCTET_QUERY : 0) | (IS_REG_NAME(c) ? OCTET_REG_NAME : 0) |                     \
     (IS_UNRESERVED(c) ? OCTET_UNRESERVED : 0) | (IS_CONTROL(c) ? OCTET_CONTROL : 0))
#define FOUR(c)       CLASSES(c), CLASSES((c) + 1), CLASSES((c) + 2), CLASSES((c) + 3)
#define SIXTEEN(c)    FOUR(c), FOUR((c) + 4), FOUR((c) + 8), FOUR((c) + 12)
#define SIXTY_FOUR(c) SIXTEEN(c), SIXTEEN((c) + 16), SIXTEEN((c) + 32), SIXTEEN((c) + 48)

const uint8_t octet_classes[256] = {
    SIXTY_FOUR(0),
    SIXTY_FOUR(64),
    SIXTY_FOUR(128),
    SIXTY_FOUR(192),
};
