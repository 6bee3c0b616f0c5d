/* `tester confirm`: sends the requests of a plan in their order, and compares each answer with what
 * is expected.
 */
#ifndef TARN_TESTER_CONFIRM_H
#define TARN_TESTER_CONFIRM_H

#include "tester/arguments.h"
#include "tester/plan.h"

/* Prints a table of the requests on stdout, with a line for whatever differs. Returns the exit
 * status: 0, or 1 when a request failed or none was sent.
 */
int confirm_run(const struct plan *plan, const struct arguments *arguments);

#endif
