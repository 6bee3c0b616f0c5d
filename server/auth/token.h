/* One bearer token (RFC 6750).
 *
 * Its client has it as NAME.SECRET, the server as a line NAME:HASH in a file, the hash being one of
 * crypt(3). The name tells which hash to compare with, so that a request costs one hash, however
 * many tokens there are. Pure functions but for the random secret: any thread may call them.
 */
#ifndef TARN_SERVER_AUTH_TOKEN_H
#define TARN_SERVER_AUTH_TOKEN_H

#include "http/slice.h"

#include <crypt.h>

#define TOKEN_NAME_LEN_MAX   64
#define TOKEN_SECRET_LEN     32  /* of the secrets that are made here: 192 random bits */
#define TOKEN_SECRET_LEN_MAX 128 /* of those that clients send */

/* 1 to 64 of A-Z, a-z, 0-9, '_' and '-'. */
bool token_is_name(struct slice name);

/* Splits a client's token at its dot. Returns 0, or -1 if it has not the form of one. The slices
 * are those of `token`.
 */
int token_split(struct slice token, struct slice *out_name, struct slice *out_secret);

/* Splits a line of the file at its colon. Returns NULL, or what is wrong: a literal, without a
 * full stop. The slices are those of `line`, which is without its line end.
 */
const char *token_split_line(struct slice line, struct slice *out_name, struct slice *out_hash);

/* Makes a secret (base64url, RFC 4648 section 5). Returns 0, or -1 with errno. */
int token_make_secret(char out[TOKEN_SECRET_LEN + 1]);

/* Hashes a secret. It is random, so that nobody can find it by trying: the hash is the cheapest
 * that yescrypt knows, about 1 ms and 1 MB. Returns 0, or -1 with errno.
 */
int token_hash(const char *secret, char out[CRYPT_OUTPUT_SIZE]);

/* Whether a secret is that of a hash; the time that it takes tells nothing of how alike they are.
 * It is as long as the hash's method demands. `scratch` is the caller's memory, of any content.
 */
bool token_matches(struct slice secret, const char *hash, struct crypt_data *scratch);

#endif
