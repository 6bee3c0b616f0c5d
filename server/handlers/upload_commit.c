#include "server/handlers/upload_commit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_BYTES_MIN 65536

/* --- one document --------------------------------------------------------------------------- */

/* The name has to be remembered before the document has it. */
static int commit_remembered(struct upload_spool *spool, struct upload_key *key,
                             struct upload_record *record)
{
    struct upload_document *document = &record->documents[0];
    bool replaced;
    if (store_key_make_name(&key->claim, document->name) != 0)
        return -1;
    if (upload_key_remember(key, record) != 0)
        return -1;
    return store_file_commit_as(&spool->file, document->name, &store_condition_absent, &replaced);
}

int upload_commit_document(struct upload_spool *spool, struct upload_key *key,
                           struct upload_record *record)
{
    if (upload_spool_move_to_file(spool) != 0 || upload_record_reserve(record, 1) != 0)
        return -1;
    record->documents[0].bytes = spool->file.bytes;
    if (upload_key_is_there(key))
        return commit_remembered(spool, key, record);
    return store_file_commit(&spool->file, record->documents[0].name);
}

/* --- a batch -------------------------------------------------------------------------------- */

/* The documents of a batch on their way from the spool to the store. */
struct transfer {
    struct store_batch *batch;
    struct upload_record *record;
    size_t count; /* documents so far */
};

static int add_line(struct transfer *transfer, struct slice line)
{
    struct slice document = upload_lines_document(line);
    if (document.len == 0)
        return 0;
    if (store_batch_add(transfer->batch, document.data, document.len) != 0)
        return -1;
    transfer->record->documents[transfer->count++].bytes = document.len;
    return 0;
}

/* Adds the lines that end within `len` bytes, and the last one too where the content ends.
 * Returns how many bytes that were, or -1 with errno.
 */
static ssize_t add_lines(struct transfer *transfer, const char *bytes, size_t len, bool is_end)
{
    size_t at = 0;
    while (at < len) {
        const char *feed = memchr(bytes + at, '\n', len - at);
        if (!feed && !is_end)
            break;
        size_t line_len = feed ? (size_t)(feed - bytes) - at : len - at;
        if (add_line(transfer, (struct slice){bytes + at, line_len}) != 0)
            return -1;
        at += line_len + (feed ? 1 : 0);
    }
    return (ssize_t)at;
}

/* The buffer has room for the longest line with its LF, so that each round gets on. */
static int add_all(struct transfer *transfer, const struct upload_spool_reader *reader,
                   char *buffer, size_t size)
{
    uint64_t offset = 0;
    ssize_t len;
    do {
        len = upload_spool_read(reader, offset, buffer, size);
        if (len < 0)
            return -1;
        ssize_t used = add_lines(transfer, buffer, (size_t)len, (size_t)len < size);
        if (used < 0)
            return -1;
        offset += (uint64_t)used;
    } while ((size_t)len == size);
    return 0;
}

static int transfer_lines(struct transfer *transfer, const struct upload_spool *spool,
                          uint64_t longest_len)
{
    struct upload_spool_reader reader;
    size_t size = (size_t)longest_len + 1;
    if (size < READ_BYTES_MIN)
        size = READ_BYTES_MIN;
    char *buffer = malloc(size);
    if (!buffer)
        return -1;
    int result = upload_spool_read_begin(spool, &reader);
    if (result == 0) {
        result = add_all(transfer, &reader, buffer, size);
        upload_spool_read_end(&reader);
    }
    int error = errno;
    free(buffer);
    errno = error;
    return result;
}

/* Returns whether one has changed. */
static bool copy_names(struct upload_record *record, const struct store_batch *batch)
{
    bool has_changed = false;
    for (size_t i = 0; i < record->count; i++) {
        const char *name = store_batch_name(batch, i);
        char *copy = record->documents[i].name;
        has_changed |= strcmp(copy, name) != 0;
        (void)snprintf(copy, STORE_NAME_SIZE, "%s", name);
    }
    return has_changed;
}

/* Documents whose name has been taken meanwhile get another. What is stored then must not be called
 * a failure any more, even if it cannot be remembered.
 */
static int commit_batch(struct store_batch *batch, struct upload_key *key,
                        struct upload_record *record)
{
    (void)copy_names(record, batch);
    if (upload_key_remember(key, record) != 0 || store_batch_commit(batch) != 0)
        return -1;
    if (copy_names(record, batch) && upload_key_remember(key, record) != 0)
        upload_key_release(key);
    return 0;
}

int upload_commit_batch(const struct upload_spool *spool, const struct upload_lines *lines,
                        struct upload_key *key, struct upload_record *record)
{
    struct transfer transfer = {.record = record};
    if (upload_record_reserve(record, (size_t)lines->documents) != 0)
        return -1;
    transfer.batch = store_batch_create(spool->store, record->count);
    if (!transfer.batch)
        return -1;
    int result = transfer_lines(&transfer, spool, lines->longest_len);
    if (result == 0)
        result = commit_batch(transfer.batch, key, record);
    store_batch_destroy(transfer.batch);
    return result;
}
