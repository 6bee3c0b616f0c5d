#include "server/handlers/random_token.h"

#include <sys/random.h>

int random_token_append(struct text *text)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[RANDOM_TOKEN_LEN / 2] = {0};
    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        return -1;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        text_append_char(text, digits[bytes[i] >> 4]);
        text_append_char(text, digits[bytes[i] & 15]);
    }
    return 0;
}
