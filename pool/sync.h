/* Mutexes and condition variables whose results are checked.
 *
 * These calls fail only for an object that is not one (a programmer's error, or overwritten
 * memory). To go on without the lock would be worse than to stop, so they abort.
 */
#ifndef TARN_POOL_SYNC_H
#define TARN_POOL_SYNC_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

void sync_lock(pthread_mutex_t *mutex);
void sync_unlock(pthread_mutex_t *mutex);
void sync_destroy(pthread_mutex_t *mutex);

/* A condition variable whose timed waits are in CLOCK_MONOTONIC. Returns 0, or -1 with errno. */
int sync_cond_init(pthread_cond_t *cond);
void sync_cond_destroy(pthread_cond_t *cond);

void sync_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);

/* Waits until the absolute time, in nanoseconds of CLOCK_MONOTONIC. Returns false when it has
 * passed.
 */
bool sync_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t until_ns);

void sync_signal(pthread_cond_t *cond);
void sync_broadcast(pthread_cond_t *cond);

/* Now, for sync_wait_until(). */
int64_t sync_now_ns(void);

#endif
