/* Where the configuration file is when none was named. Any thread. */
#ifndef TARN_SERVER_CONFIG_LOCATE_H
#define TARN_SERVER_CONFIG_LOCATE_H

/* The first of these that is there, readable or not (a file that is there but cannot be read is a
 * fault, not a reason to run with another configuration):
 *
 *     server.conf in the working directory
 *     server.conf beside the executable
 *     server.conf one folder above the executable
 *     `system_file`
 *
 * `executable`: absolute path, NULL if unknown. Returns 0 with a path in *out_path that the caller
 * frees, NULL if there is none; -1 when there is no memory, *out_path untouched.
 */
int locate_file(const char *executable, const char *system_file, char **out_path);

/* The path of this program's executable, which the caller frees; NULL if unknown. */
char *locate_executable(void);

#endif
