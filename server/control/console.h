/* server --console: the server runs beside this process, which reads commands from the terminal
 * (status, reload, restart, quit) and passes signals on.
 */
#ifndef TARN_SERVER_CONTROL_CONSOLE_H
#define TARN_SERVER_CONTROL_CONSOLE_H

#include "server/control/commands.h"

/* Starts a server, and returns the exit status when it has ended. */
int console_run(const struct command *command);

#endif
