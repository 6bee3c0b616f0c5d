/* Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): an upload that is repeated with the
 * same key and the same content is answered as before, and not stored again.
 *
 * A key belongs to the route and to the credentials of the request. Only what was stored is
 * remembered; after an error the key is as good as new. What is remembered is on the disk before
 * the documents become visible, with the names that they will have. So after a crash at any moment
 * a repetition finds the documents or stores them: it looks whether they are there.
 */
#ifndef TARN_SERVER_HANDLERS_UPLOAD_KEY_H
#define TARN_SERVER_HANDLERS_UPLOAD_KEY_H

#include "server/handlers/request.h"
#include "server/handlers/upload_record.h"
#include "server/store/store_keys.h"

#define UPLOAD_KEY_LEN_MAX 255

/* All zero: the request has none. */
struct upload_key {
    struct store_key claim;
};

static inline bool upload_key_is_there(const struct upload_key *key)
{
    return key->claim.keys != NULL;
}

/* Claims the key that the request names, if there is one and the server heeds it. Returns
 * HTTP_GO_ON; or 400 or 409 with *out_detail set, or 500, 503 or 507, and there is no key.
 */
enum http_status upload_key_begin(struct upload_key *key, const struct request *request,
                                  const char **out_detail);

enum upload_key_memory {
    UPLOAD_KEY_UNKNOWN, /* the content is to be stored */
    UPLOAD_KEY_SAME,    /* it has been; the record says as what */
    UPLOAD_KEY_OTHER,   /* other content has been */
    UPLOAD_KEY_FAILED,  /* errno says why nobody knows */
};

/* What is remembered, compared with `is_batch` and `content` of *record; fills in the documents if
 * it is the same, to be freed by upload_record_deinit(); then it lasts. Waits for the disk.
 */
enum upload_key_memory upload_key_recall(struct upload_key *key, struct store *store,
                                         struct upload_record *record);

/* Remembers what is going to be stored, or has been. Returns 0, or -1 with errno. Legal without a
 * key.
 */
int upload_key_remember(struct upload_key *key, const struct upload_record *record);

/* The documents are stored, and are remembered from now on. Keeps errno. Legal without a key. */
void upload_key_keep(struct upload_key *key);

/* Nothing was stored. Keeps errno. Legal without a key. */
void upload_key_release(struct upload_key *key);

#endif
