/* The pid file of a background server. Its lock (flock) says whether there is one; the number in it
 * only says who. So a file that was left behind, or a number that another process has by now, never
 * misleads anybody. The lock belongs to the open file: a process that inherits the descriptor has
 * it too.
 */
#ifndef TARN_SERVER_CONTROL_PID_FILE_H
#define TARN_SERVER_CONTROL_PID_FILE_H

#include <stdbool.h>
#include <sys/types.h>

/* Opens the file, made (0644) if it is not there, takes its lock and empties it: the number of a
 * server that has crashed means nobody any more. Returns the descriptor, which is the lock; or -1
 * with errno, EWOULDBLOCK if a server has it.
 */
int pid_file_claim(const char *path);

/* Writes the number of the process that serves. Returns 0, or -1 with errno. */
int pid_file_write(int pid_file, pid_t pid);

/* Whether this number stands in it. */
bool pid_file_names(int pid_file, pid_t pid);

/* Whether the open file is the one at the path. */
bool pid_file_is_at(int pid_file, const char *path);

/* Whether the process has the file at the path open, as one that serves does; also true if it is
 * not allowed to see that. The lock alone does not tell who has it: whoever may read the file can
 * take it, while the number of a server that has crashed stands there.
 */
bool pid_file_is_open_in(const char *path, pid_t pid);

/* Returns the number of the process that serves, 0 if there is none (or it is just starting), or -1
 * with errno.
 */
pid_t pid_file_holder(const char *path);

/* Removes the file, whose lock the caller has. */
void pid_file_remove(const char *path);

/* The path of a file that belongs to the pid file: "tarn.pid" and ".log" give "tarn.log". The
 * caller frees it. NULL without memory.
 */
char *pid_file_sibling(const char *path, const char *suffix);

#endif
