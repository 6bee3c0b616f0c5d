/* Lets one line a second through: for faults that every request can meet, so that clients cannot
 * fill the error log.
 */
#ifndef TARN_SERVER_LOG_LOG_GATE_H
#define TARN_SERVER_LOG_LOG_GATE_H

#include <stdatomic.h>
#include <stdbool.h>

/* Zeroed: open. Any thread. */
struct log_gate {
    atomic_llong second;  /* of CLOCK_MONOTONIC, of the last line */
    atomic_uint withheld; /* lines since then */
};

/* Whether a line may be written now. Then *out_withheld is how many were not since the last. */
bool log_gate_pass(struct log_gate *gate, unsigned *out_withheld);

#endif
