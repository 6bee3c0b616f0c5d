#include "server/auth/tokens.h"

#include "pool/sync.h"
#include "server/auth/token.h"
#include "server/config/config.h"
#include "server/config/regular_file.h"
#include "server/log/error_log.h"

#include <errno.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

/* Peers share a count of guesses with others, so that there is no end of memory to be had. */
#define GUESS_SLOTS 64

/* One token of the file. */
struct known_token {
    struct slice name;
    const char *hash; /* NUL-terminated */

    atomic_bool is_verified;            /* and then, for good: */
    uint8_t digest[SHA256_DIGEST_SIZE]; /* of the client's token that has matched */
};

struct tokens {
    /* Constant after load. */
    char *text; /* the file; names and hashes are in it */
    struct known_token *items;
    size_t count;
    struct hmac_sha256_ctx key;

    pthread_mutex_t lock;                  /* guards the rest, and the verification of items */
    int64_t guessed_until_ms[GUESS_SLOTS]; /* when all guesses so far will have been forgotten */
    struct crypt_data scratch;
};

/* --- the file ------------------------------------------------------------------------------ */

struct reading {
    const char *path;
    FILE *errors;
    struct tokens *tokens;
    unsigned line;
    unsigned faults;
};

static struct known_token *find(const struct tokens *tokens, struct slice name)
{
    for (size_t i = 0; i < tokens->count; i++)
        if (slice_equal(tokens->items[i].name, name))
            return &tokens->items[i];
    return NULL;
}

static void complain(struct reading *reading, const char *message)
{
    (void)fprintf(reading->errors, "%s:%u: %s\n", reading->path, reading->line, message);
    reading->faults++;
}

/* A line without its line end, behind which there is a NUL. */
static void read_line(struct reading *reading, struct slice line)
{
    struct tokens *tokens = reading->tokens;
    struct slice name;
    struct slice hash;
    if (line.len == 0 || line.data[0] == '#')
        return;
    const char *fault = token_split_line(line, &name, &hash);
    if (!fault && find(tokens, name))
        fault = "there is a token of that name already";
    if (fault) {
        complain(reading, fault);
        return;
    }
    struct known_token *item = &tokens->items[tokens->count++];
    item->name = name;
    item->hash = hash.data;
}

static void read_lines(struct reading *reading, char *text, size_t len)
{
    for (char *line = text; line < text + len;) {
        char *end = memchr(line, '\n', (size_t)(text + len - line));
        if (!end)
            end = text + len;
        *end = '\0';
        reading->line++;
        read_line(reading, (struct slice){line, (size_t)(end - line)});
        line = end + 1;
    }
}

static size_t count_lines(const char *text, size_t len)
{
    size_t count = 1;
    for (size_t i = 0; i < len; i++)
        count += text[i] == '\n';
    return count;
}

static void warn_of_readers(const char *path)
{
    struct stat stat_of_file;
    if (stat(path, &stat_of_file) == 0 && (stat_of_file.st_mode & S_IRWXO))
        error_log(LOG_WARN, NULL, "%s: any user of the machine may read it (chmod o= %s)", path,
                  path);
}

/* --- load and free ------------------------------------------------------------------------- */

/* Takes the text over. */
static struct tokens *create(char *text, size_t len)
{
    uint8_t key[SHA256_DIGEST_SIZE];
    struct tokens *tokens = calloc(1, sizeof(*tokens));
    struct known_token *items = calloc(count_lines(text, len), sizeof(*items));
    if (!tokens || !items || getrandom(key, sizeof(key), 0) != sizeof(key))
        goto fail;
    errno = pthread_mutex_init(&tokens->lock, NULL);
    if (errno != 0)
        goto fail;
    hmac_sha256_set_key(&tokens->key, sizeof(key), key);
    tokens->text = text;
    tokens->items = items;
    return tokens;

fail:
    free(items);
    free(tokens);
    free(text);
    return NULL;
}

void tokens_free(struct tokens *tokens)
{
    if (!tokens)
        return;
    sync_destroy(&tokens->lock);
    free(tokens->items);
    free(tokens->text);
    free(tokens);
}

int tokens_load(const char *path, struct tokens **out, FILE *errors)
{
    char *text;
    size_t len;
    if (path[0] == '\0') {
        *out = NULL;
        return EXIT_SUCCESS;
    }
    if (regular_file_read(path, TOKENS_FILE_BYTES_MAX, &text, &len) != 0) {
        (void)fprintf(errors, "%s: cannot be read: %s\n", path, strerrordesc_np(errno));
        return CONFIG_EXIT_INVALID;
    }
    struct tokens *tokens = create(text, len);
    if (!tokens) {
        (void)fprintf(errors, "%s: out of memory\n", path);
        return EXIT_FAILURE;
    }
    struct reading reading = {.path = path, .errors = errors, .tokens = tokens};
    read_lines(&reading, text, len);
    if (reading.faults > 0) {
        tokens_free(tokens);
        return CONFIG_EXIT_INVALID;
    }
    warn_of_readers(path);
    *out = tokens;
    return EXIT_SUCCESS;
}

void tokens_remember(struct tokens *tokens, const struct tokens *former)
{
    tokens->key = former->key;
    for (size_t i = 0; i < tokens->count; i++) {
        struct known_token *item = &tokens->items[i];
        const struct known_token *other = find(former, item->name);
        if (!other || strcmp(item->hash, other->hash) != 0 ||
            !atomic_load_explicit(&other->is_verified, memory_order_acquire))
            continue;
        memcpy(item->digest, other->digest, SHA256_DIGEST_SIZE);
        atomic_init(&item->is_verified, true);
    }
}

size_t tokens_count(const struct tokens *tokens)
{
    return tokens->count;
}

/* --- checking ------------------------------------------------------------------------------ */

static void digest(const struct tokens *tokens, const void *bytes, size_t len,
                   uint8_t out[SHA256_DIGEST_SIZE])
{
    struct hmac_sha256_ctx context = tokens->key;
    hmac_sha256_update(&context, len, bytes);
    hmac_sha256_digest(&context, SHA256_DIGEST_SIZE, out);
}

static bool is_remembered(const struct known_token *known, const uint8_t mark[SHA256_DIGEST_SIZE])
{
    return known && atomic_load_explicit(&known->is_verified, memory_order_acquire) &&
           memeql_sec(known->digest, mark, SHA256_DIGEST_SIZE);
}

/* The first token that matches a hash is remembered for good: no other will. */
static void remember_locked(struct known_token *known, const uint8_t mark[SHA256_DIGEST_SIZE])
{
    if (atomic_load_explicit(&known->is_verified, memory_order_relaxed))
        return;
    memcpy(known->digest, mark, SHA256_DIGEST_SIZE);
    atomic_store_explicit(&known->is_verified, true, memory_order_release);
}

static int64_t *guesses_of_locked(struct tokens *tokens, struct peer peer)
{
    const uint64_t numbers[] = {peer.network, peer.host};
    uint8_t mark[SHA256_DIGEST_SIZE];
    digest(tokens, numbers, sizeof(numbers), mark);
    return &tokens->guessed_until_ms[mark[0] % GUESS_SLOTS];
}

static enum tokens_verdict compare_locked(struct tokens *tokens, struct known_token *known,
                                          struct slice secret,
                                          const uint8_t mark[SHA256_DIGEST_SIZE],
                                          int64_t *guessed_until_ms, int64_t now_ms)
{
    if (*guessed_until_ms > now_ms + (TOKENS_GUESSES_MAX - 1) * TOKENS_GUESS_MS)
        return TOKENS_BUSY;
    const char *hash = known ? known->hash : tokens->items[0].hash;
    if (token_matches(secret, hash, &tokens->scratch) && known) {
        remember_locked(known, mark);
        return TOKENS_VALID;
    }
    int64_t begin_ms = *guessed_until_ms > now_ms ? *guessed_until_ms : now_ms;
    *guessed_until_ms = begin_ms + TOKENS_GUESS_MS;
    return TOKENS_INVALID;
}

enum tokens_verdict tokens_check(struct tokens *tokens, struct slice token, struct peer peer,
                                 int64_t now_ms)
{
    struct slice name;
    struct slice secret;
    uint8_t mark[SHA256_DIGEST_SIZE];
    if (token_split(token, &name, &secret) != 0 || tokens->count == 0)
        return TOKENS_INVALID;
    struct known_token *known = find(tokens, name);
    digest(tokens, token.data, token.len, mark);
    if (is_remembered(known, mark))
        return TOKENS_VALID;
    sync_lock(&tokens->lock);
    enum tokens_verdict verdict = TOKENS_VALID; /* if it was while this thread waited */
    if (!is_remembered(known, mark))
        verdict =
            compare_locked(tokens, known, secret, mark, guesses_of_locked(tokens, peer), now_ms);
    sync_unlock(&tokens->lock);
    return verdict;
}
