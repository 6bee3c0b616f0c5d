/* How soon a thread runs that has something to do. */
#ifndef TARN_SERVER_LATENCY_H
#define TARN_SERVER_LATENCY_H

#include <stdbool.h>

/* Asks the scheduler to run the calling thread soon after it has been woken, and for short; or as
 * usual again. For one that has little to do, but at once, beside others that keep all CPUs busy.
 * It gets no more CPU time by that, and needs no privilege. Linux does so since 6.12 (the slice of
 * a thread, sched_setattr(2)); others go on as they did.
 */
void latency_prefer_short(bool shortly);

#endif
