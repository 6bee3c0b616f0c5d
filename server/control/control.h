/* The server's side of its control socket: answers commands of the user that runs it. Everything
 * here is for the main thread, which polls the descriptors and calls control_answer().
 */
#ifndef TARN_SERVER_CONTROL_CONTROL_H
#define TARN_SERVER_CONTROL_CONTROL_H

#include "server/server.h"

/* What the commands are about. Borrowed but for the pid file. */
struct control_target {
    struct server *server;
    const struct config_input *input; /* of the configuration, for a reload */
    uint16_t port;
    int socket;             /* the listening one */
    int pid_file;           /* locked; owned */
    char *const *arguments; /* the command line that the server was started with */
};

struct control {
    struct control_target target;
    char *path; /* of the socket; owned */
    int socket;
    int successor;        /* connection to the process that is taking over, or has; -1 */
    bool successor_parts; /* it has a successor itself */
};

/* What the main thread shall do. */
enum control_order {
    CONTROL_GO_ON,
    CONTROL_STOP,   /* finish what is under way, and end */
    CONTROL_RETIRE, /* the same, but another process serves already */
};

/* Opens the socket that belongs to this pid file, and writes the process id into it: from then on
 * commands reach this process. Takes the place of the process that did so before. Returns 0, or -1
 * with errno; the target's pid file is owned in any case.
 */
int control_open(struct control *control, const char *pid_file,
                 const struct control_target *target);

/* Lets go of the lock and of the socket, which the successor has: what is left is its connection.
 */
void control_retire(struct control *control);

/* Tells a successor that has not taken over yet that it shall stop too. */
void control_stop_successor(const struct control *control);

/* Whether a successor is there that has not ended. */
bool control_has_successor(const struct control *control);

/* Closes what is open. A zeroed struct is not allowed, a closed one is. */
void control_close(struct control *control);

/* Takes a connection and answers its request. Does not wait for it longer than a second. */
enum control_order control_answer(struct control *control);

/* Hears what the successor says; it may also have gone. */
enum control_order control_hear_successor(struct control *control);

#endif
