/* Names in the store. Any thread.
 *
 * Documents: upload_YYYYMMDD_HHMMSS_xxxx.json, the time in UTC, xxxx hexadecimal digits: the
 * fraction of the second, and more random ones where that is not enough. So names sort by their
 * time. In the housekeeping folder, each with sixteen random digits: temporary files are tmp_...,
 * folders of batches are batch_..., and commit_... once they are to be made visible.
 */
#ifndef TARN_SERVER_STORE_STORE_NAME_H
#define TARN_SERVER_STORE_STORE_NAME_H

#include <stdbool.h>
#include <time.h>

/* With the NUL. */
#define STORE_NAME_SIZE      64
#define STORE_TEMPORARY_SIZE 24

/* How often a name is made before the store gives up. */
#define STORE_NAME_ATTEMPTS 32

/* Makes a name for the `attempt`-th try (0 ... STORE_NAME_ATTEMPTS - 1) to find one that is not
 * taken: four digits at first, more after several tries. Years beyond 9999 have more than
 * four digits. Returns 0, or -1 with errno (EOVERFLOW: the time is no date), *out untouched.
 */
int store_name_make(time_t when, unsigned attempt, char out[STORE_NAME_SIZE]);

/* Whether a name can be that of a document: not empty, no dot first, no '/'. */
bool store_name_is_visible(const char *name);

/* Whether a client may choose a name: a visible one, without control bytes, of 255 bytes at most.
 * Returns 0, or -1 with errno: ENAMETOOLONG, EINVAL.
 */
int store_name_check(const char *name);

/* Whether a name is one that store_name_make() makes. */
bool store_name_is_document(const char *name);

/* Reads the time from a document's name. Returns false, *out_time untouched, if it is none, or of a
 * year beyond 9999.
 */
bool store_name_read_time(const char *name, time_t *out_time);

/* What is kept in the housekeeping folder. */
enum store_name_kind {
    STORE_NAME_OTHER,
    STORE_NAME_TEMPORARY,
    STORE_NAME_BATCH,
    STORE_NAME_COMMIT,
};

enum store_name_kind store_name_kind(const char *name);

/* Makes a temporary name, also for a batch. Returns 0, or -1 with errno. */
int store_name_make_temporary(char out[STORE_TEMPORARY_SIZE]);
int store_name_make_batch(char out[STORE_TEMPORARY_SIZE]);

/* The name of a batch's folder as the other kind: with the same digits. */
void store_name_convert(const char *name, enum store_name_kind kind,
                        char out[STORE_TEMPORARY_SIZE]);

#endif
