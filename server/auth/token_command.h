/* The command `server token`: makes, lists and removes tokens.
 *
 *     server token add NAME [-f FILE | -c CONFIG]
 *     server token list [-f FILE | -c CONFIG]
 *     server token remove NAME [-f FILE | -c CONFIG]
 */
#ifndef TARN_SERVER_AUTH_TOKEN_COMMAND_H
#define TARN_SERVER_AUTH_TOKEN_COMMAND_H

#include <stdio.h>

/* Runs it; argv[1] is "token". A new token is a line on `out`, and is seen nowhere again. Returns
 * the program's exit status. Permutes argv, and is for one thread at a time (getopt).
 */
int token_command_run(int argc, char **argv, FILE *out, FILE *errors);

#endif
