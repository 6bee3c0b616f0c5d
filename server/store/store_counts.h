/* The ledger's figures on the disk, so that they are known at once after a start. They need not
 * last: a count puts right what a crash left behind.
 */
#ifndef TARN_SERVER_STORE_STORE_COUNTS_H
#define TARN_SERVER_STORE_STORE_COUNTS_H

#include <stdint.h>

/* Reads them from the housekeeping folder. Returns 0; or -1, nothing read, if there are none. */
int store_counts_read(int housekeeping, uint64_t *out_files, uint64_t *out_bytes);

/* Writes them, in one step. Returns 0, or -1 with errno. */
int store_counts_write(int housekeeping, uint64_t files, uint64_t bytes);

/* Forgets them: they would be wrong where nobody counts. */
void store_counts_remove(int housekeeping);

#endif
