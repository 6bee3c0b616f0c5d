/* Names in the store. Any thread.
 *
 * Documents: upload_YYYYMMDD_HHMMSS_xxxx.json, the time in UTC, xxxx random hexadecimal digits.
 * Temporary files: tmp_ and sixteen random digits.
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
 * taken: four random digits at first, more after several tries. Years beyond 9999 have more than
 * four digits. Returns 0, or -1 with errno (EOVERFLOW: the time is no date), *out untouched.
 */
int store_name_make(time_t when, unsigned attempt, char out[STORE_NAME_SIZE]);

/* Whether a name can be that of a document: not empty, no dot first, no '/'. */
bool store_name_is_visible(const char *name);

int store_name_make_temporary(char out[STORE_TEMPORARY_SIZE]);
bool store_name_is_temporary(const char *name);

#endif
