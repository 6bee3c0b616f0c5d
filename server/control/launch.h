/* Starting a server as another process, and learning how that went. For programs with one thread.
 */
#ifndef TARN_SERVER_CONTROL_LAUNCH_H
#define TARN_SERVER_CONTROL_LAUNCH_H

#include "server/control/inheritance.h"

#include <sys/types.h>

struct launch {
    char *const *arguments; /* of the new process; a NULL ends them */
    const char *folder;     /* its working directory; NULL: this process's */
    const char *output;     /* file that its output and errors are appended to; NULL: they come out
                             * where this process's do */
    const char *log;        /* the error log that it is going to write; NULL if `output` is that */
    const struct inheritance *inheritance; /* what it gets; `ready` is not used */
};

struct launched {
    pid_t pid;  /* it serves; -1: it has ended */
    int status; /* ... with this exit status */
    char *said; /* what it tells the operator, or the last line of its output or log; owned; may be
                   NULL */
};

/* Starts it, and waits until it serves or has ended. Returns 0; or -1 with errno if it could not
 * even be started, or has been ended because it said nothing for too long (ETIME).
 */
int launch_server(const struct launch *launch, struct launched *out);

/* What the new process says, once, when it serves: `text` is for the operator. Closes the pipe. */
void launch_tell_ready(int ready, const char *text);

#endif
