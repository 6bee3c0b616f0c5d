/* The file that a background server's standard output and errors go to: the .log beside its pid
 * file.
 */
#ifndef TARN_SERVER_CONTROL_OUTPUT_H
#define TARN_SERVER_CONTROL_OUTPUT_H

/* The path of that file, if standard output and errors do go there; else NULL, as without memory.
 * The caller frees it.
 */
char *output_file(const char *pid_file);

/* Opens the file, made (0640) and appended to, as standard output and errors. Returns 0, or -1 with
 * errno.
 */
int output_reopen(const char *path);

#endif
