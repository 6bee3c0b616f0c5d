/* What a process that is no more has left in the housekeeping folder. */
#ifndef TARN_SERVER_STORE_STORE_RECOVERY_H
#define TARN_SERVER_STORE_STORE_RECOVERY_H

struct store;

/* Removes what was under way, and completes the batches that were promised; leaves alone what
 * another process holds the lock of. What fails is tried again at the next start: a full disk must
 * not keep the store from being opened. Returns 0, or -1 with errno if the folder cannot be read.
 */
int store_recovery_run(const struct store *store);

#endif
