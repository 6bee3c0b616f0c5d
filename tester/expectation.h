/* Compares an answer with what was expected. Any thread. */
#ifndef TARN_TESTER_EXPECTATION_H
#define TARN_TESTER_EXPECTATION_H

#include "tester/answer.h"
#include "tester/plan.h"
#include "tester/variables.h"

/* Writes a line for each thing that differs, like `status: 404, expected 200`; none if all is as
 * expected. Bytes of the answer are escaped (as in the server's logs) and cut where they are long.
 * In a text that is expected of a header field, {place} stands for what has been saved. Returns the
 * number of lines.
 */
unsigned expectation_compare(const struct plan_expect *expect, const struct answer *answer,
                             const struct variables *variables, FILE *differences);

#endif
