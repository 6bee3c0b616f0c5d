/* Descriptors that the process was started with, by the convention of systemd's socket activation
 * (sd_listen_fds(3)): LISTEN_PID, LISTEN_FDS, and LISTEN_FDNAMES tell what stands from 3 on.
 *
 * A service manager hands over the listening socket. `server start` and `server restart` also hand
 * over what a background server needs, under the names below.
 */
#ifndef TARN_SERVER_CONTROL_INHERITANCE_H
#define TARN_SERVER_CONTROL_INHERITANCE_H

#include <stdbool.h>

#define INHERITANCE_SOCKET      "listen"
#define INHERITANCE_PID_FILE    "pid_file"
#define INHERITANCE_PREDECESSOR "predecessor"
#define INHERITANCE_READY       "ready"

/* The most that is handed over. */
#define INHERITANCE_MAX 4

/* Descriptors, each -1 if there is none; whoever has the struct owns them. */
struct inheritance {
    int socket;           /* the first listening socket */
    bool is_from_manager; /* ... of a service manager: it decides where it listens */
    int pid_file;         /* open and locked; with it the server is controlled over its socket */
    int predecessor; /* connection to the control socket of the server that this one replaces */
    int ready;       /* a pipe that is told when the server has started */
};

/* Takes what was inherited, and clears the environment of it, so that no child takes it again.
 * Marks the descriptors close-on-exec. To be called once, before any thread is started.
 */
struct inheritance inheritance_take(void);

/* Closes what is left. */
void inheritance_close(struct inheritance *inheritance);

/* Prepares the process to execute another program that inherits these: puts them at 3, 4, ... and
 * sets the environment. The descriptors that are -1 are left out. Of what else is open it inherits
 * only the standard streams. Returns 0, or -1 with errno.
 */
int inheritance_bequeath(const struct inheritance *inheritance);

#endif
