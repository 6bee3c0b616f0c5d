/* The tokens that a server takes: a file of lines NAME:HASH, with comments that begin with '#'.
 *
 * crypt(3) is slow. So a token that has matched once is remembered, as a digest with a key that
 * only this process knows, and costs a microsecond from then on. What does not match costs a hash,
 * whether there is such a name or not, so that the time tells nothing; each peer may make a few
 * such guesses at once and one a second, and only one hash is computed at a time. Beyond that its
 * tokens are answered as busy, but for the remembered ones.
 *
 * Immutable for whoever has it, but for tokens_remember(); any thread may check a token.
 */
#ifndef TARN_SERVER_AUTH_TOKENS_H
#define TARN_SERVER_AUTH_TOKENS_H

#include "http/slice.h"
#include "server/peer_counts.h"

#include <stdio.h>

struct tokens;

/* The largest file, in bytes: several hundred tokens. */
#define TOKENS_FILE_BYTES_MAX 65536

/* How many wrong tokens a peer may send at once, and how long each counts. */
#define TOKENS_GUESSES_MAX 10
#define TOKENS_GUESS_MS    1000

enum tokens_verdict {
    TOKENS_VALID,
    TOKENS_INVALID,
    TOKENS_BUSY, /* it may be valid; to be sent again a second later */
};

/* Reads the file; an empty path is none, and gives NULL. Returns 0, and *out is the caller's; else
 * *out is untouched, each fault is a line `FILE:LINE: message` or `FILE: message` on `errors`, and
 * the result is the program's exit status: CONFIG_EXIT_INVALID, or 1 without memory. Warns in the
 * error log if others may read the file.
 */
int tokens_load(const char *path, struct tokens **out, FILE *errors);

/* Takes over which tokens have been seen, as far as both files have the same of them. For new
 * tokens that no other thread uses yet; the former may be in use.
 */
void tokens_remember(struct tokens *tokens, const struct tokens *former);

/* NULL is allowed. */
void tokens_free(struct tokens *tokens);

size_t tokens_count(const struct tokens *tokens);

/* Whether this is a client's token. `now_ms` is of the monotonic clock. May take milliseconds for
 * one that has not been seen before.
 */
enum tokens_verdict tokens_check(struct tokens *tokens, struct slice token, struct peer peer,
                                 int64_t now_ms);

#endif
