#include "server/handlers/upload_key.h"

#include "http/octet.h"
#include "http/structured.h"
#include "server/handlers/problem.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MALFORMED                                                                                  \
    "There must be one Idempotency-Key field, a string of 1 to 255 printable ASCII characters."
#define IN_FLIGHT  "A request with this Idempotency-Key is under way; try again soon."

#define READ_BYTES 16384

static_assert(STORE_KEY_BYTES == DIGEST_SHA_256_BYTES, "keys are named by digests");

/* --- the field ------------------------------------------------------------------------------ */

/* Many clients send the characters without quotes. What would mean something in a list or a
 * parameter is not taken that way.
 */
static bool copy_bare(struct slice value, char *out, size_t *out_len)
{
    if (value.len > UPLOAD_KEY_LEN_MAX)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if (!octet_is(c, OCTET_VISIBLE) || c == '"' || c == '\\' || c == ',' || c == ';')
            return false;
        out[i] = c;
    }
    *out_len = value.len;
    return true;
}

static bool read_key(struct slice value, char out[UPLOAD_KEY_LEN_MAX], size_t *out_len)
{
    bool is_right = false;
    if (value.len > 0 && value.data[0] == '"')
        is_right =
            structured_string(slice_take_part(&value, ';'), out, UPLOAD_KEY_LEN_MAX, out_len);
    else
        is_right = copy_bare(value, out, out_len);
    return is_right && *out_len > 0;
}

static void add_to_id(struct digest *digest, struct slice part)
{
    digest_update(digest, part.data, part.len);
    digest_update(digest, "", 1);
}

/* Two clients may use the same key; their credentials, if any, keep them apart. */
static void make_id(const struct request *request, struct slice key,
                    unsigned char out[STORE_KEY_BYTES])
{
    struct digest digest;
    struct slice credentials = {0};
    digest_begin(&digest, DIGEST_SHA_256);
    (void)head_find(&request->exchange->head, SLICE("Authorization"), &credentials);
    add_to_id(&digest, request->path);
    add_to_id(&digest, credentials);
    add_to_id(&digest, key);
    (void)digest_finish(&digest);
    memcpy(out, digest.sha_256, STORE_KEY_BYTES);
}

enum http_status upload_key_begin(struct upload_key *key, const struct request *request,
                                  const char **out_detail)
{
    char text[UPLOAD_KEY_LEN_MAX];
    unsigned char id[STORE_KEY_BYTES];
    struct slice value;
    size_t len;
    struct store_keys *keys = request->site->keys;
    *key = (struct upload_key){0};
    unsigned count = head_find(&request->exchange->head, SLICE("Idempotency-Key"), &value);
    if (!keys || count == 0)
        return HTTP_GO_ON;
    *out_detail = MALFORMED;
    if (count > 1 || !read_key(value, text, &len))
        return HTTP_BAD_REQUEST;
    make_id(request, (struct slice){text, len}, id);
    if (store_key_claim(keys, id, &key->claim) == 0)
        return HTTP_GO_ON;
    *out_detail = IN_FLIGHT;
    if (errno == EBUSY)
        return HTTP_CONFLICT;
    enum http_status status = problem_status_of_errno(errno);
    *out_detail = problem_detail(status);
    return status;
}

/* --- what is remembered --------------------------------------------------------------------- */

/* Returns 1 if the file has this digest, 0 if not, -1 with errno. */
static int has_digest(int file, const uint8_t expected[DIGEST_SHA_256_BYTES])
{
    struct digest digest;
    char buffer[READ_BYTES];
    ssize_t n;
    digest_begin(&digest, DIGEST_SHA_256);
    while ((n = read(file, buffer, sizeof(buffer))) != 0) {
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0)
            digest_update(&digest, buffer, (size_t)n);
    }
    (void)digest_finish(&digest);
    return memcmp(digest.sha_256, expected, DIGEST_SHA_256_BYTES) == 0;
}

/* Returns 1 if a document of a record is stored, 0 if not, -1 with errno. */
static int is_stored(const struct store *store, const struct upload_record *record, size_t index)
{
    const struct upload_document *document = &record->documents[index];
    struct stat info;
    int file = store_open_document(store, document->name);
    if (file < 0)
        return errno == ENOENT ? 0 : -1;
    int result = fstat(file, &info);
    if (result == 0)
        result = (uint64_t)info.st_size == document->bytes;
    if (result == 1 && !record->is_batch)
        result = has_digest(file, record->content);
    int error = errno;
    (void)close(file); /* only read from */
    errno = error;
    return result;
}

/* All have become visible together: where one is, the others have been, even if somebody removed
 * them since. Returns 1, 0 or -1 with errno.
 */
static int were_stored(const struct store *store, const struct upload_record *record)
{
    int result = 0;
    for (size_t i = 0; i < record->count && result == 0; i++)
        result = is_stored(store, record, i);
    return result;
}

/* Returns 1 with *out the caller's, 0 if there is no whole record, -1 with errno. */
static int read_record(struct upload_key *key, struct upload_record *out)
{
    char *bytes;
    size_t len;
    if (store_key_read(&key->claim, &bytes, &len) != 0)
        return -1;
    int result = upload_record_parse(bytes, len, out);
    free(bytes);
    return result;
}

enum upload_key_memory upload_key_recall(struct upload_key *key, struct store *store,
                                         struct upload_record *record)
{
    struct upload_record known = {0};
    if (!upload_key_is_there(key))
        return UPLOAD_KEY_UNKNOWN;
    int result = read_record(key, &known);
    if (result > 0)
        result = were_stored(store, &known);
    enum upload_key_memory memory = result < 0 ? UPLOAD_KEY_FAILED : UPLOAD_KEY_UNKNOWN;
    if (result > 0) {
        bool is_same = known.is_batch == record->is_batch &&
                       memcmp(known.content, record->content, sizeof(known.content)) == 0;
        memory = is_same ? UPLOAD_KEY_SAME : UPLOAD_KEY_OTHER;
    }
    /* Who stored it may have been killed before the folder was synced, and nothing was promised. */
    if (memory == UPLOAD_KEY_SAME && store_settle(store) != 0)
        memory = UPLOAD_KEY_FAILED;
    if (memory == UPLOAD_KEY_SAME)
        *record = known;
    else
        upload_record_deinit(&known);
    return memory;
}

int upload_key_remember(struct upload_key *key, const struct upload_record *record)
{
    size_t len;
    if (!upload_key_is_there(key))
        return 0;
    char *bytes = upload_record_print(record, &len);
    if (!bytes)
        return -1;
    int result = store_key_write(&key->claim, bytes, len);
    int error = errno;
    free(bytes);
    errno = error;
    return result;
}

void upload_key_keep(struct upload_key *key)
{
    store_key_keep(&key->claim);
}

void upload_key_release(struct upload_key *key)
{
    store_key_release(&key->claim);
}
