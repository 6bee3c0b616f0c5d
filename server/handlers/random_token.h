/* Tokens that nobody can guess. */
#ifndef TARN_SERVER_HANDLERS_RANDOM_TOKEN_H
#define TARN_SERVER_HANDLERS_RANDOM_TOKEN_H

#include "http/text.h"

#define RANDOM_TOKEN_LEN 32

/* Appends 32 lower-case hexadecimal digits, 128 bits from the kernel. Any thread; never waits. */
void random_token_append(struct text *text);

#endif
