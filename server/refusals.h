/* Connections that are refused: each gets a 503 that costs no worker, and the log tells how many.
 *
 * The listener's thread only.
 */
#ifndef TARN_SERVER_REFUSALS_H
#define TARN_SERVER_REFUSALS_H

#include "server/server.h"

#include <sys/socket.h>

/* Initialize with the server, the rest zero. */
struct refusals {
    struct server *server;
    int64_t warned_ms; /* 0: not yet */
    unsigned untold;   /* since that warning */
    const char *why;   /* the last of these */
    int64_t last_ms;   /* when there was no room for anybody; 0: not yet */
    bool hurries;      /* the thread is run at once */
};

/* Answers 503 on a new connection, whose socket it takes over. Never waits. `why`, for the log,
 * must last. `for_all`: there is no room for anybody, not just for this peer.
 */
void refusals_add(struct refusals *refusals, int socket, const struct sockaddr_storage *peer,
                  const char *why, bool for_all);

/* Warns that there is no room, unless it has done so within the last second. */
void refusals_warn(struct refusals *refusals, const char *why);

/* Whether the next connection will have to be refused, whosever it is, most likely. */
bool refusals_go_on(const struct refusals *refusals);

/* Warns of what has been refused since the last warning, if that is a second old. */
void refusals_tell(struct refusals *refusals);

/* The end: warns of what is untold at once. */
void refusals_end(struct refusals *refusals);

/* When to call refusals_tell(): in how many milliseconds; -1: there is nothing to tell. */
int refusals_wait_ms(const struct refusals *refusals);

#endif
