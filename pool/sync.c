#include "pool/sync.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

static void check(int error)
{
    if (error != 0)
        abort();
}

void sync_lock(pthread_mutex_t *mutex)
{
    check(pthread_mutex_lock(mutex));
}

void sync_unlock(pthread_mutex_t *mutex)
{
    check(pthread_mutex_unlock(mutex));
}

void sync_destroy(pthread_mutex_t *mutex)
{
    check(pthread_mutex_destroy(mutex));
}

int sync_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    errno = pthread_condattr_init(&attributes);
    if (errno != 0)
        return -1;
    check(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC));
    int error = pthread_cond_init(cond, &attributes);
    check(pthread_condattr_destroy(&attributes));
    errno = error;
    return error ? -1 : 0;
}

void sync_cond_destroy(pthread_cond_t *cond)
{
    check(pthread_cond_destroy(cond));
}

void sync_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    check(pthread_cond_wait(cond, mutex));
}

bool sync_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t until_ns)
{
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
    int error = pthread_cond_timedwait(cond, mutex, &until);
    if (error == ETIMEDOUT)
        return false;
    check(error);
    return true;
}

void sync_signal(pthread_cond_t *cond)
{
    check(pthread_cond_signal(cond));
}

void sync_broadcast(pthread_cond_t *cond)
{
    check(pthread_cond_broadcast(cond));
}

int64_t sync_now_ns(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
