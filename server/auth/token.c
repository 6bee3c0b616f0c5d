#include "server/auth/token.h"

#include <errno.h>
#include <nettle/base64.h>
#include <nettle/memops.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Of all methods of today: bcrypt 53 characters, yescrypt 43, sha512crypt 86. A setting without a
 * hash behind it has fewer.
 */
#define HASH_LEN_MIN 43

/* yescrypt, at its least cost. */
#define METHOD       "$y$"
#define METHOD_COST  1

#define SECRET_BYTES (TOKEN_SECRET_LEN / 4 * 3)

static const char name_bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

bool token_is_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!memchr(name_bytes, name.data[i], sizeof(name_bytes) - 1))
            return false;
    return name.len >= 1 && name.len <= TOKEN_NAME_LEN_MAX;
}

/* Splits at the first `separator`. Returns false, the outputs untouched, if there is none. */
static bool split(struct slice text, char separator, struct slice *out_before,
                  struct slice *out_after)
{
    const char *at = text.len > 0 ? memchr(text.data, separator, text.len) : NULL;
    if (!at)
        return false;
    size_t before = (size_t)(at - text.data);
    *out_before = (struct slice){text.data, before};
    *out_after = (struct slice){at + 1, text.len - before - 1};
    return true;
}

static bool is_visible(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    return true;
}

int token_split(struct slice token, struct slice *out_name, struct slice *out_secret)
{
    struct slice name;
    struct slice secret;
    if (!split(token, '.', &name, &secret) || !token_is_name(name) || !is_visible(secret) ||
        secret.len == 0 || secret.len > TOKEN_SECRET_LEN_MAX)
        return -1;
    *out_name = name;
    *out_secret = secret;
    return 0;
}

/* Whether crypt(3) can compare with it, and would make such a hash today. */
static bool is_hash(struct slice text)
{
    char hash[CRYPT_OUTPUT_SIZE];
    if (text.len >= sizeof(hash) || !is_visible(text))
        return false;
    memcpy(hash, text.data, text.len);
    hash[text.len] = '\0';
    const char *last = strrchr(hash, '$');
    return last && strlen(last + 1) >= HASH_LEN_MIN && crypt_checksalt(hash) == CRYPT_SALT_OK;
}

const char *token_split_line(struct slice line, struct slice *out_name, struct slice *out_hash)
{
    struct slice name;
    struct slice hash;
    if (!split(line, ':', &name, &hash))
        return "neither NAME:HASH nor a comment that begins with '#'";
    if (!token_is_name(name))
        return "a name is 1 to 64 letters, digits, '_' and '-'";
    if (!is_hash(hash))
        return "the hash is none that crypt(3) makes today";
    *out_name = name;
    *out_hash = hash;
    return NULL;
}

int token_make_secret(char out[TOKEN_SECRET_LEN + 1])
{
    unsigned char bytes[SECRET_BYTES];
    struct base64_encode_ctx encoding;
    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) /* so few come all at once */
        return -1;
    base64url_encode_init(&encoding);
    (void)base64_encode_update(&encoding, out, sizeof(bytes), bytes); /* without a rest */
    out[TOKEN_SECRET_LEN] = '\0';
    return 0;
}

int token_hash(const char *secret, char out[CRYPT_OUTPUT_SIZE])
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    if (!crypt_gensalt_rn(METHOD, METHOD_COST, NULL, 0, setting, sizeof(setting)))
        return -1;
    struct crypt_data *scratch = calloc(1, sizeof(*scratch));
    const char *hash = scratch ? crypt_rn(secret, setting, scratch, (int)sizeof(*scratch)) : NULL;
    if (hash)
        memcpy(out, hash, strlen(hash) + 1);
    free(scratch);
    return hash ? 0 : -1;
}

bool token_matches(struct slice secret, const char *hash, struct crypt_data *scratch)
{
    char phrase[TOKEN_SECRET_LEN_MAX + 1];
    if (secret.len >= sizeof(phrase))
        return false;
    memcpy(phrase, secret.data, secret.len);
    phrase[secret.len] = '\0';
    const char *made = crypt_rn(phrase, hash, scratch, (int)sizeof(*scratch));
    explicit_bzero(phrase, sizeof(phrase));
    size_t len = strlen(hash);
    return made && strlen(made) == len && memeql_sec(made, hash, len);
}
