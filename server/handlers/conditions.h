/* Preconditions of resources without an entity tag or a date to compare with: those that make their
 * answer anew each time, and those that take something new (RFC 9110 section 13).
 */
#ifndef TARN_SERVER_HANDLERS_CONDITIONS_H
#define TARN_SERVER_HANDLERS_CONDITIONS_H

#include "server/handlers/request.h"

/* For a request that makes what is not there yet: whether its preconditions hold. If not, it is
 * answered here.
 */
bool conditions_hold_for_new(struct request *request);

/* For a response that has been made: if it is 200, and the request's preconditions do not hold, it
 * becomes 304 or 412. All others stay, since preconditions count only where the request would
 * succeed without them (section 13.2.1).
 */
void conditions_judge(struct request *request);

#endif
