/* What the calls in this folder do instead of what they were called for: a module for LD_PRELOAD,
 * under the real server.
 *
 * A fault hits the calls FIRST (counted from 1) to FIRST + COUNT - 1 of a function, by all threads
 * together. They do nothing and fail with an errno; with 0 they do as little as they may (a short
 * count), where that is possible; with -1 the process is killed instead. The function "*" stands
 * for every call in faults.c.
 *
 * TARN_FAULTS holds faults that are there from the start, separated by semicolons:
 *
 *     FUNCTION ERRNO FIRST COUNT
 *
 * TARN_FAULTS_BOARD names a file that holds a struct plan_board, and is shared: whoever writes to
 * it (tests/faults/shim.py) changes the faults while the server runs, and reads how often they hit.
 */
#ifndef TARN_TESTS_FAULTS_PLAN_H
#define TARN_TESTS_FAULTS_PLAN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define PLAN_FAULTS_MAX 8

struct plan_fault {
    char function[32];
    atomic_llong error;
    atomic_ullong first;
    atomic_ullong count; /* 0: it hits nothing */
    atomic_ullong calls; /* so far */
    atomic_ullong hits;
};

/* shim.py knows this layout: numbers of eight bytes, and nothing between them. */
struct plan_board {
    atomic_llong frozen_s; /* the wall clock's second; 0: it goes on */
    struct plan_fault faults[PLAN_FAULTS_MAX];
};

/* Counts a call. Returns whether it is hit, with the errno, or 0, in *out_error. Any thread. */
bool plan_hits(const char *function, int *out_error);

/* The same for a call that cannot be made in part: 0 does not hit it. */
bool plan_fails(const char *function, int *out_error);

/* The wall clock's second, 0 if it is the system's. Any thread. */
int64_t plan_frozen_s(void);

/* The C library's function, or the sanitizer's, written to *out, a pointer to it. */
void plan_find_real(const char *function, void *out);

#endif
