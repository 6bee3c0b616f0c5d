/* Editing the file of tokens, beside a server that reads it and others that edit it: each change
 * is made under a lock, and is on the disk when the function returns.
 *
 * Functions return 0, or -1 with one line on `errors` that says why.
 */
#ifndef TARN_SERVER_AUTH_TOKEN_FILE_H
#define TARN_SERVER_AUTH_TOKEN_FILE_H

#include <stdio.h>

/* Appends the line NAME:HASH; makes the file, for its owner only, if there is none. Refuses a name
 * that is there.
 */
int token_file_add(const char *path, const char *name, const char *hash, FILE *errors);

/* Removes the line of that name. A server that reads meanwhile sees the old file or the new one. */
int token_file_remove(const char *path, const char *name, FILE *errors);

/* Prints the names, one a line. */
int token_file_list(const char *path, FILE *out, FILE *errors);

#endif
