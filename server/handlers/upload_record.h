/* What an upload has led to, as it is remembered under an idempotency key. */
#ifndef TARN_SERVER_HANDLERS_UPLOAD_RECORD_H
#define TARN_SERVER_HANDLERS_UPLOAD_RECORD_H

#include "server/digest/digest.h"
#include "server/store/store.h"

struct upload_document {
    char name[STORE_NAME_SIZE];
    uint64_t bytes;
};

struct upload_record {
    bool is_batch;                         /* of lines, else one document */
    uint8_t content[DIGEST_SHA_256_BYTES]; /* the digest of the whole content */
    struct upload_document *documents;     /* owned; in the order of the content */
    size_t count;
};

/* Makes room for the documents of a record that has none. Returns 0, or -1 with ENOMEM. */
int upload_record_reserve(struct upload_record *record, size_t count);

/* Frees what it owns. */
void upload_record_deinit(struct upload_record *record);

/* Returns the record as bytes, the caller's; NULL without memory. */
char *upload_record_print(const struct upload_record *record, size_t *out_len);

/* The reverse. Returns 1, 0 if the bytes are no whole record, *out untouched, or -1 with ENOMEM.
 */
int upload_record_parse(const char *bytes, size_t len, struct upload_record *out);

#endif
