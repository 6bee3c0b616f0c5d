/* The life of a server: start, run until it is to end, stop. */
#ifndef TARN_SERVER_RUN_H
#define TARN_SERVER_RUN_H

#include "server/config/config.h"
#include "server/control/inheritance.h"

/* How the server was started. */
struct run_options {
    const struct config_input *input; /* of the configuration: a reload reads it again; borrowed */
    char *const *arguments;           /* the command line; a NULL ends it; borrowed */
    struct inheritance inheritance;   /* owned */
};

/* Serves until a signal or a command ends it, and frees the configuration. Returns the program's
 * exit status: 0 after an orderly end, 1 if it could not start (one line on the error log says
 * why). To be called once, by the main thread.
 */
int run_server(struct config *config, const struct run_options *options);

#endif
