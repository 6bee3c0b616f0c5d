/* The command line:
 *
 *     server [OPTION...] [PORT [HOST [WORKERS]]]
 *     server start|stop|restart|reload|status [OPTION...] [PORT [HOST [WORKERS]]]
 */
#ifndef TARN_SERVER_OPTIONS_H
#define TARN_SERVER_OPTIONS_H

#include "server/config/config.h"

/* The exit status after wrong usage. */
#define OPTIONS_EXIT_USAGE 2

enum options_action {
    OPTIONS_RUN,
    OPTIONS_CONSOLE, /* the same, and take commands from the terminal */
    OPTIONS_START,   /* control of a server in the background */
    OPTIONS_STOP,
    OPTIONS_RESTART,
    OPTIONS_RELOAD,
    OPTIONS_STATUS,
    OPTIONS_TEST,      /* check the configuration */
    OPTIONS_DUMP,      /* the same, and print it */
    OPTIONS_REFERENCE, /* print all keys */
    OPTIONS_HELP,
    OPTIONS_VERSION,
    OPTIONS_USAGE_ERROR, /* already told; exit with OPTIONS_EXIT_USAGE */
    OPTIONS_FAILURE,     /* no memory, already told; exit with 1 */
};

struct options {
    struct config_input input; /* for config_load(); points into argv and `overrides` */
    struct config_override *overrides;
    const char *program; /* the last part of argv[0] */
    char **arguments;    /* the command line without the command's name and --console, for another
                          * process; owned, the strings are argv's; a NULL ends it */
    bool has_arguments;  /* more than the program's name */
};

/* Reads the command line. `out` is always to be deinitialised; its strings are argv's. A usage
 * error is one line on `errors`. Permutes argv, and is for one thread at a time (getopt).
 */
enum options_action options_parse(int argc, char **argv, FILE *errors, struct options *out);
void options_deinit(struct options *options);

/* The answer to --help. */
void options_print_help(const struct options *options, FILE *out);

#endif
