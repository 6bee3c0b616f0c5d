/* server start|stop|restart|reload|status: control of a server in the background, through its pid
 * file and the socket beside it. Each prints what came of it, to stdout or stderr, and returns the
 * exit status. For a program with one thread.
 */
#ifndef TARN_SERVER_CONTROL_COMMANDS_H
#define TARN_SERVER_CONTROL_COMMANDS_H

#include "server/config/config.h"

#include <stdbool.h>
#include <sys/types.h>

struct command {
    const struct config *config; /* says where the pid file is, and for how long a stop may last */
    const char *program;         /* for messages */
    char *const *arguments;      /* the command line without the command's name; a NULL ends it */
    bool has_arguments;          /* more than the program's name */
    bool detaches;               /* false: a new server keeps this terminal for its output */
};

/* These two also give the new server's process, a child of this one; out_pid may be NULL. */
int command_start(const struct command *command, pid_t *out_pid);
int command_restart(const struct command *command, pid_t *out_pid);

int command_stop(const struct command *command);
int command_reload(const struct command *command);
int command_status(const struct command *command);

#endif
