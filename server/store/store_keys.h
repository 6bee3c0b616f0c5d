/* Records that outlive the process, each under a key: what a request with an idempotency key has
 * led to, so that its repetition is answered and not carried out again.
 *
 * A key is claimed by one request at a time, in this process or another one that uses the folder;
 * the claim ends with its process, however that ends. A record is a few bytes that mean nothing
 * here. Each is a file in the store's housekeeping, named after the key, and the claim is the lock
 * of that file.
 *
 * Any thread, and a claimed key by one at a time. No lock is held over a system call that may wait
 * for the disk.
 */
#ifndef TARN_SERVER_STORE_STORE_KEYS_H
#define TARN_SERVER_STORE_STORE_KEYS_H

#include "server/store/store.h"

#define STORE_KEY_BYTES     32
#define STORE_KEY_NAME_SIZE (2 * STORE_KEY_BYTES + 1)

struct store_keys;

struct store_keys_options {
    struct store *store; /* required, borrowed: it must outlive the keys */
    size_t most;         /* records that are kept, at least 1; beyond it the oldest go */
    int64_t lifetime_s;  /* of a record, from when it was written */
};

/* Makes the folder if it is not there; neither reads nor counts the records. Returns NULL with
 * errno.
 */
struct store_keys *store_keys_open(const struct store_keys_options *options);

/* No key may be claimed any more. NULL is allowed. */
void store_keys_close(struct store_keys *keys);

/* A key that has been claimed. All zero: none. */
struct store_key {
    struct store_keys *keys;
    int fd;
    bool is_linked;  /* the file's name is as durable as the store */
    bool is_counted; /* its record is among those that are kept */
    unsigned char id[STORE_KEY_BYTES];
};

/* Claims a key, named by STORE_KEY_BYTES bytes that are as good as random. Returns 0, or -1 with
 * errno: EBUSY if another request has claimed it.
 */
int store_key_claim(struct store_keys *keys, const unsigned char id[STORE_KEY_BYTES],
                    struct store_key *out);

/* Reads the record. *out_bytes is the caller's, a NUL behind it; empty if there is none, or it has
 * expired. It may be cut short if the machine lost its power while it was written.
 */
int store_key_read(struct store_key *key, char **out_bytes, size_t *out_len);

/* Writes the record, in the place of the one there is. When it returns 0 it is as durable as the
 * store. Waits for the disk.
 */
int store_key_write(struct store_key *key, const char *bytes, size_t len);

/* Ends the claim, and keeps the record for its time. Makes room for it: what has expired goes, then
 * the oldest. Waits for the disk. Legal for none; keeps errno.
 */
void store_key_keep(struct store_key *key);

/* Ends the claim; a record that was not there when it began goes. Legal for none; keeps errno. */
void store_key_release(struct store_key *key);

/* A name for a document, other than any that store_file_commit() has given or will give. Returns 0,
 * or -1 with errno.
 */
int store_key_make_name(const struct store_key *key, char out[STORE_NAME_SIZE]);

#endif
