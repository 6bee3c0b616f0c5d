/* A thread of a load: its share of the connections, driven by one epoll.
 *
 * Each connection has a multi handle of its own, with one easy handle in it. With one multi handle
 * for all connections of a thread libcurl looks through them for each request, and all their timers
 * are one: 61,000 requests/s where this way gives 73,000 (64 connections, 2 threads, 1 KiB files).
 */
#ifndef TARN_TESTER_LOAD_THREAD_H
#define TARN_TESTER_LOAD_THREAD_H

#include "tester/outgoing.h"
#include "tester/tally.h"
#include "tester/transfer.h"

#include <pthread.h>
#include <stdatomic.h>

/* What the threads share. */
struct load {
    /* constant */
    const struct outgoing *outgoing; /* each request once, in the order of the file */
    size_t outgoing_count;
    uint64_t total; /* requests to be sent */
    struct transfer_rules rules;
    bool debug;
    const atomic_bool *interrupted;

    atomic_uint_least64_t next; /* of the requests: 0 ... total - 1; beyond it: none is left */
};

struct load_thread {
    struct load *load;
    unsigned connection_count;
    pthread_t id;
    struct tally tally;         /* the thread's own until it has been joined */
    atomic_uint_least64_t done; /* requests that have ended */
    atomic_bool has_ended;
    int error; /* an errno: why it ended early, 0 if it did not; after the join */
};

/* Microseconds of CLOCK_MONOTONIC. */
uint64_t load_thread_now_us(void);

/* The thread's function; its argument is a struct load_thread. Returns NULL when no request is
 * left.
 */
void *load_thread_main(void *argument);

#endif
