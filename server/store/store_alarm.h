/* Tells once that something fills up: at a first and at a second mark, and again only after it has
 * clearly been below. Any thread.
 */
#ifndef TARN_SERVER_STORE_STORE_ALARM_H
#define TARN_SERVER_STORE_STORE_ALARM_H

#include <stdatomic.h>
#include <stdbool.h>

#define STORE_ALARM_MARKS 2

struct store_alarm {
    double marks[STORE_ALARM_MARKS]; /* constant; shares of a limit, ascending */
    atomic_uint passed;              /* marks that have been told of */
};

/* Whether it is to be told now that the share has been reached. */
bool store_alarm_rises(struct store_alarm *alarm, double share);

#endif
