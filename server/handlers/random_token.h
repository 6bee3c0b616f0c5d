/* Tokens that nobody can guess. */
#ifndef TARN_SERVER_HANDLERS_RANDOM_TOKEN_H
#define TARN_SERVER_HANDLERS_RANDOM_TOKEN_H

#include "http/text.h"

#define RANDOM_TOKEN_LEN 32

/* Appends 32 lower-case hexadecimal digits, 128 bits from the kernel. Returns 0, or -1 with errno
 * and nothing appended. Any thread; never waits once the machine has started.
 */
int random_token_append(struct text *text);

#endif
