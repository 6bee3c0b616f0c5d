/* Messages between a server and the commands that control it, over a local socket that keeps their
 * bounds (SOCK_SEQPACKET). Descriptors can travel with one.
 */
#ifndef TARN_SERVER_CONTROL_MESSAGE_H
#define TARN_SERVER_CONTROL_MESSAGE_H

#include <stddef.h>
#include <sys/types.h>

/* Longer ones are cut when they are received. */
#define MESSAGE_BYTES_MAX       65536
#define MESSAGE_DESCRIPTORS_MAX 4

/* What is asked of a server. The answer begins with an exit status and a newline. */
#define MESSAGE_STATUS   "status"
#define MESSAGE_RELOAD   "reload"
#define MESSAGE_STOP     "stop"     /* answered with the seconds that it may take */
#define MESSAGE_HANDOVER "handover" /* answered with the descriptors of struct inheritance */

/* The connection of a handover stays open between the old process and its successor; its end means
 * that the other one has ended. Whichever of them is told to stop passes MESSAGE_STOP on. The
 * successor also says:
 */
#define MESSAGE_RETIRE   "retire"   /* it serves */
#define MESSAGE_FAREWELL "farewell" /* a third process serves: its own end means nothing now */

struct message {
    char bytes[MESSAGE_BYTES_MAX + 1]; /* a NUL stands behind them */
    size_t len;
    int descriptors[MESSAGE_DESCRIPTORS_MAX]; /* the receiver's */
    unsigned descriptor_count;
};

/* Sends without waiting for the receiver. Returns 0, or -1 with errno. */
int message_send(int socket, const char *bytes, size_t len, const int *descriptors,
                 unsigned descriptor_count);

/* Receives, for which it waits up to `wait_ms` (negative: without end). Returns 1; 0 at the end of
 * the connection; or -1 with errno, ETIME when the time is up.
 */
int message_receive(int socket, struct message *message, int wait_ms);

/* Makes a socket for such messages, with a name in the file system that only this user can connect
 * to. It takes the place of the one that has the name. Returns the descriptor, or -1 with errno.
 */
int message_listen(const char *path);

/* Connects to one. Returns the descriptor, or -1 with errno. */
int message_connect(const char *path);

#endif
