/* Starting a server as another process, and learning how that went. For programs with one thread.
 *
 * The new process has a pipe to the one that has started it: what is wrong comes through it as
 * lines of text, and, when the server serves, a mark and what the operator should know. It is
 * closed then, or by the new process's end.
 */
#ifndef TARN_SERVER_CONTROL_LAUNCH_H
#define TARN_SERVER_CONTROL_LAUNCH_H

#include "server/control/inheritance.h"

#include <stdio.h>
#include <sys/types.h>

struct launch {
    char *const *arguments; /* of the new process; a NULL ends them */
    const char *folder;     /* its working directory; NULL: this process's */
    const char *output;     /* file that its output and errors are appended to; NULL: they come out
                             * where this process's do */
    const struct inheritance *inheritance; /* what it gets; `ready` is not used */
};

struct launched {
    pid_t pid;  /* it serves; -1: it has ended */
    int status; /* ... with this exit status */
    char *said; /* what the operator should know, or what was wrong: lines; owned */
};

/* Starts it, and waits until it serves or has ended. Returns 0; or -1 with errno if it could not
 * even be started, or has been ended because it did not get ready for too long (ETIME).
 */
int launch_server(const struct launch *launch, struct launched *out);

/* For the new process: opens the pipe to write to what is wrong; it stays open by itself too. NULL
 * without memory.
 */
FILE *launch_open_errors(int ready);

/* What the new process says, once, when it serves: `text` is for the operator. Closes the pipe. */
void launch_tell_ready(int ready, const char *text);

#endif
