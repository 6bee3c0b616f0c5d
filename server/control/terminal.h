/* The terminal that a server in the foreground was started from. When its window is closed, the
 * signal that tells of it is the one that also means a reload.
 */
#ifndef TARN_SERVER_CONTROL_TERMINAL_H
#define TARN_SERVER_CONTROL_TERMINAL_H

#include <stdbool.h>

/* Whether the process has a controlling terminal. */
bool terminal_is_there(void);

/* The same, but false for a process that shall outlive it, as nohup(1) has it. */
bool terminal_can_hang_up(void);

#endif
