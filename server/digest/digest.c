#include "server/digest/digest.h"

#include "http/structured.h"

#include <nettle/base64.h>
#include <nettle/version.h>
#include <string.h>

#define SHA_256             SLICE("sha-256")
#define SHA_512             SLICE("sha-512")

#define ENCODED_LEN(bytes)  (((bytes) + 2) / 3 * 4)

#define TEXT_OF(macro)      TEXT_OF_VALUE(macro)
#define TEXT_OF_VALUE(text) #text

/* Preferences of Want-Repr-Digest (RFC 9530 section 4). */
#define PREFERENCE_MAX 10

static unsigned algorithm_of(struct slice key)
{
    if (slice_equal(key, SHA_256))
        return DIGEST_SHA_256;
    return slice_equal(key, SHA_512) ? DIGEST_SHA_512 : 0;
}

/* --- what the client says ------------------------------------------------------------------- */

/* Decodes a byte sequence of exactly `len` bytes. */
static bool decode(struct slice item, uint8_t *out, size_t len)
{
    uint8_t decoded[BASE64_DECODE_LENGTH(ENCODED_LEN(DIGEST_SHA_512_BYTES))];
    struct base64_decode_ctx base64;
    struct slice text;
    size_t decoded_len = sizeof(decoded);
    if (!structured_byte_sequence(item, &text) || text.len != ENCODED_LEN(len))
        return false;
    base64_decode_init(&base64);
    if (!base64_decode_update(&base64, &decoded_len, decoded, text.len, text.data) ||
        !base64_decode_final(&base64) || decoded_len != len)
        return false;
    memcpy(out, decoded, len);
    return true;
}

static bool take_announced(struct digest *digest, const struct structured_member *member)
{
    unsigned algorithm = algorithm_of(member->key);
    digest->announced |= algorithm;
    switch (algorithm) {
    case DIGEST_SHA_256:
        return decode(member->item, digest->announced_sha_256, DIGEST_SHA_256_BYTES);
    case DIGEST_SHA_512:
        return decode(member->item, digest->announced_sha_512, DIGEST_SHA_512_BYTES);
    default:
        return true;
    }
}

static bool read_announced(struct digest *digest, const struct head *head)
{
    struct slice line;
    for (unsigned cursor = 0; head_next(head, SLICE("Content-Digest"), &cursor, &line);) {
        struct structured_member member;
        enum parse_outcome outcome;
        while ((outcome = structured_next_member(&line, &member)) == PARSE_MORE)
            if (!take_announced(digest, &member))
                return false;
        if (outcome == PARSE_BAD)
            return false;
    }
    return true;
}

unsigned digest_asked_for(const struct head *head)
{
    uint64_t best = 0;
    unsigned chosen = 0;
    struct slice line;
    for (unsigned cursor = 0; head_next(head, SLICE("Want-Repr-Digest"), &cursor, &line);) {
        struct structured_member member;
        while (structured_next_member(&line, &member) == PARSE_MORE) {
            unsigned algorithm = algorithm_of(member.key);
            uint64_t preference;
            if (algorithm == 0 || slice_to_u64(member.item, &preference) != 0 ||
                preference > PREFERENCE_MAX || preference <= best)
                continue;
            best = preference;
            chosen = algorithm;
        }
    }
    return chosen;
}

/* --- the digests ---------------------------------------------------------------------------- */

void digest_begin(struct digest *digest, unsigned wanted)
{
    *digest = (struct digest){.wanted = wanted};
    sha256_init(&digest->sha_256_state);
    sha512_init(&digest->sha_512_state);
}

enum http_status digest_expect(struct digest *digest, const struct head *head)
{
    if (!read_announced(digest, head))
        return HTTP_BAD_REQUEST;
    digest->wanted |= digest->announced;
    return HTTP_GO_ON;
}

void digest_update(struct digest *digest, const char *bytes, size_t len)
{
    if (digest->wanted & DIGEST_SHA_256)
        sha256_update(&digest->sha_256_state, len, (const uint8_t *)bytes);
    if (digest->wanted & DIGEST_SHA_512)
        sha512_update(&digest->sha_512_state, len, (const uint8_t *)bytes);
}

bool digest_finish(struct digest *digest)
{
    if (digest->wanted & DIGEST_SHA_256)
        sha256_digest(&digest->sha_256_state, DIGEST_SHA_256_BYTES, digest->sha_256);
    if (digest->wanted & DIGEST_SHA_512)
        sha512_digest(&digest->sha_512_state, DIGEST_SHA_512_BYTES, digest->sha_512);
    bool sha_256_fits =
        !(digest->announced & DIGEST_SHA_256) ||
        memcmp(digest->sha_256, digest->announced_sha_256, DIGEST_SHA_256_BYTES) == 0;
    bool sha_512_fits =
        !(digest->announced & DIGEST_SHA_512) ||
        memcmp(digest->sha_512, digest->announced_sha_512, DIGEST_SHA_512_BYTES) == 0;
    return sha_256_fits && sha_512_fits;
}

void digest_append(struct text *text, const struct digest *digest, unsigned algorithm)
{
    char encoded[ENCODED_LEN(DIGEST_SHA_512_BYTES)];
    bool is_256 = algorithm == DIGEST_SHA_256;
    size_t len = is_256 ? DIGEST_SHA_256_BYTES : DIGEST_SHA_512_BYTES;
    base64_encode_raw(encoded, len, is_256 ? digest->sha_256 : digest->sha_512);
    text_append(text, is_256 ? SHA_256 : SHA_512);
    text_append(text, SLICE("=:"));
    text_append(text, (struct slice){encoded, ENCODED_LEN(len)});
    text_append_char(text, ':');
}

const char *digest_library(void)
{
    return "nettle " TEXT_OF(NETTLE_VERSION_MAJOR) "." TEXT_OF(NETTLE_VERSION_MINOR);
}
