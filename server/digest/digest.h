/* Digests of content: verified when the client sends one, told when it asks (RFC 9530).
 *
 * SHA-256 and SHA-512, computed by nettle. Other algorithms are left out of account, as the RFC
 * wants it; those that it calls insecure among them.
 */
#ifndef TARN_SERVER_DIGEST_DIGEST_H
#define TARN_SERVER_DIGEST_DIGEST_H

#include "http/head.h"
#include "http/status.h"
#include "http/text.h"

#include <nettle/sha2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum digest_algorithm {
    DIGEST_SHA_256 = 1 << 0,
    DIGEST_SHA_512 = 1 << 1,
};

#define DIGEST_SHA_256_BYTES SHA256_DIGEST_SIZE
#define DIGEST_SHA_512_BYTES SHA512_DIGEST_SIZE

/* The digests of one content. Owned by the caller; holds no memory, so that it may be dropped at
 * any time. All zero: none is computed.
 */
struct digest {
    unsigned wanted;    /* a set of enum digest_algorithm: those that are computed */
    unsigned announced; /* those that the client has sent */
    uint8_t announced_sha_256[DIGEST_SHA_256_BYTES];
    uint8_t announced_sha_512[DIGEST_SHA_512_BYTES];

    /* Valid after digest_finish(), as far as wanted. */
    uint8_t sha_256[DIGEST_SHA_256_BYTES];
    uint8_t sha_512[DIGEST_SHA_512_BYTES];

    struct sha256_ctx sha_256_state;
    struct sha512_ctx sha_512_state;
};

/* Begins; `wanted` are computed. */
void digest_begin(struct digest *digest, unsigned wanted);

/* Computes those too that the request's Content-Digest announces, of several for one algorithm the
 * last. To be called before any content is added.
 * Returns HTTP_GO_ON, or 400 if the field is no dictionary, or one of our algorithms has no byte
 * sequence of its length in it.
 */
enum http_status digest_expect(struct digest *digest, const struct head *head);

/* Adds the next piece of the content. */
void digest_update(struct digest *digest, const char *bytes, size_t len);

/* Ends. Returns whether the content has all the digests that were announced. */
bool digest_finish(struct digest *digest);

/* The details for the two errors. */
#define DIGEST_MALFORMED "The Content-Digest field is not well-formed."
#define DIGEST_MISMATCH  "The content does not have the digest that the Content-Digest field names."

/* Which digest the client asks for with Want-Repr-Digest: an algorithm, or 0 for none. */
unsigned digest_asked_for(const struct head *head);

/* Appends the digest as a member of a dictionary: `sha-256=:...:`; of one algorithm, after
 * digest_finish().
 */
void digest_append(struct text *text, const struct digest *digest, unsigned algorithm);

/* "nettle 3.8", a literal: what was compiled against. */
const char *digest_library(void);

#endif
