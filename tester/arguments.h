/* The command line:
 *
 *     tester load [N] [OPTION...] [-f FILE]
 *     tester confirm [METHOD|all] [OPTION...] [-f FILE]
 */
#ifndef TARN_TESTER_ARGUMENTS_H
#define TARN_TESTER_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Exit statuses, beside 0 and 1 (a request failed). */
#define ARGUMENTS_EXIT_USAGE 2
#define ARGUMENTS_EXIT_FILE  65 /* the file cannot be read or is wrong */

enum arguments_action {
    ARGUMENTS_LOAD,
    ARGUMENTS_CONFIRM,
    ARGUMENTS_HELP,
    ARGUMENTS_VERSION,
    ARGUMENTS_USAGE_ERROR, /* already told */
};

struct arguments {
    const char *file;
    const char *base;
    const char *method;   /* NULL: all */
    uint64_t count;       /* how often each request is sent */
    unsigned connections; /* of a load */
    long timeout_ms;
    bool allow_remote;
    bool debug;
};

/* Reads the command line; the strings of *out are argv's or constant. A usage error is one line on
 * `errors`. Permutes argv, and is for one thread at a time (getopt).
 */
enum arguments_action arguments_parse(int argc, char **argv, FILE *errors, struct arguments *out);

/* The answer to --help. */
void arguments_print_help(FILE *out);

#endif
