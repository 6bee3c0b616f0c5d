/* For tests with threads: to wait for what another thread does, without pausing for some time and
 * hoping.
 */
#ifndef TARN_TESTS_UNIT_THREADS_H
#define TARN_TESTS_UNIT_THREADS_H

#include <fcntl.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* cmocka's assertions are for the main thread; this one is for the others. */
static inline void threads_check(bool holds)
{
    if (!holds)
        abort();
}

/* The state of a thread, as ps shows it: 'S' while it sleeps. */
static inline char threads_state(int tid)
{
    char path[64], text[256];
    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    threads_check(file >= 0);
    ssize_t length = read(file, text, sizeof(text) - 1);
    threads_check(length > 0 && close(file) == 0);
    text[length] = '\0';
    const char *name_end = strrchr(text, ')');
    threads_check(name_end != NULL);
    return name_end[2];
}

/* Waits until the thread has set its number, by gettid(), and sleeps. */
static inline void threads_wait_asleep(atomic_int *tid)
{
    while (atomic_load(tid) == 0)
        (void)sched_yield();
    for (int times = 0; times < 3; times++) /* on the way it may wait for a mutex */
        while (threads_state(atomic_load(tid)) != 'S')
            (void)sched_yield();
}

/* Waits for a semaphore, some milliseconds at most. Returns whether it has been posted. By the
 * wall clock, since ThreadSanitizer does not know sem_clockwait().
 */
static inline bool threads_wait_for(sem_t *semaphore, int64_t ms)
{
    struct timespec until;
    threads_check(clock_gettime(CLOCK_REALTIME, &until) == 0);
    int64_t until_ns = until.tv_nsec + ms * 1000000;
    until.tv_sec += until_ns / 1000000000;
    until.tv_nsec = until_ns % 1000000000;
    return sem_timedwait(semaphore, &until) == 0;
}

#endif
