/* The life of a server: start, wait for signals, drain, stop. */
#ifndef TARN_SERVER_RUN_H
#define TARN_SERVER_RUN_H

#include "server/config/config.h"

/* Serves until a signal ends it, and frees the configuration. Returns the program's exit status: 0
 * after an orderly end, 1 if it could not start (one line on the error log says why). To be called
 * once, by the main thread.
 */
int run_server(struct config *config);

#endif
