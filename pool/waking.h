/* Who of the workers runs, who sleeps, and who keeps watch; the rules stand in pool/queue.h. For
 * pool/queue.c. All functions expect the queue's lock to be held.
 */
#ifndef TARN_POOL_WAKING_H
#define TARN_POOL_WAKING_H

#include "pool/queue_state.h"

/* The worker, which does not run, counts as running from now on; or no longer, if it did. */
void waking_stand_up_locked(struct queue *queue, struct seat *seat);
void waking_sit_down_locked(struct queue *queue, struct seat *seat);

/* There may be something to watch now. */
void waking_alert_watch_locked(struct queue *queue);

/* There is something to do, and the caller does not do it. Has a worker run that does not: a
 * sleeper, else the watch, else the poller. While enough run it only makes sure that they are
 * watched, if need be by the poller.
 */
void waking_wake_one_locked(struct queue *queue);

/* Sleeps, or keeps watch, until this worker is to run, or the queue is closed. */
void waking_sleep_locked(struct queue *queue, struct seat *seat);

#endif
