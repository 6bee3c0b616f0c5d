/* `tester load`: sends the requests of a plan many times over many connections. */
#ifndef TARN_TESTER_LOAD_H
#define TARN_TESTER_LOAD_H

#include "tester/arguments.h"
#include "tester/plan.h"

/* Sends each request arguments->count times, in turn, and prints the result on stdout; a progress
 * bar goes to stderr if that is a terminal. An interrupt ends it early, with the result up to
 * there. Returns the exit status: 0, or 1 when a request had no answer, one with an unexpected
 * code, or when the load could not be run, which has been told on stderr.
 */
int load_run(const struct plan *plan, const struct arguments *arguments);

#endif
