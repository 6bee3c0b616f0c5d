/* What the commands say to the server that runs, and to the operator. For a program with one
 * thread.
 */
#ifndef TARN_SERVER_CONTROL_DIALOGUE_H
#define TARN_SERVER_CONTROL_DIALOGUE_H

#include "server/control/commands.h"
#include "server/control/message.h"

/* Between two processes of a restart there may be a moment without either: so often the commands
 * look for one.
 */
#define DIALOGUE_LOOKS 100

/* The time between two looks. Keeps errno. */
void dialogue_pause(void);

/* Asks the server, again if it is replaced by another process just then. Returns the exit status
 * that it has answered, with its text in *out_text, which is in the message; the connection is the
 * caller's. Or -1 with errno.
 */
int dialogue_ask(const struct command *command, const char *request, struct message *answer,
                 const char **out_text, int *out_connection);

/* A line on stderr, with what errno means. Returns the exit status. */
int dialogue_complain(const struct command *command, const char *what, const char *name);

/* The same where no server was found. `holder`: what pid_file_holder() has returned, not a process.
 */
int dialogue_complain_of_none(const struct command *command, pid_t holder);

#endif
