#include "server/store/store_alarm.h"

/* So far below a mark it counts as left. */
#define CLEARLY 0.05

bool store_alarm_rises(struct store_alarm *alarm, double share)
{
    unsigned last = atomic_load(&alarm->passed);
    unsigned now = 0;
    while (now < STORE_ALARM_MARKS && share >= alarm->marks[now])
        now++;
    if (now == last || (now < last && share > alarm->marks[last - 1] - CLEARLY))
        return false;
    return atomic_compare_exchange_strong(&alarm->passed, &last, now) && now > last;
}
