#include "server/control/control.h"

#include "server/control/message.h"
#include "server/control/status.h"
#include "server/log/error_log.h"
#include "server/reload.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The clients are our own commands, which send at once. */
#define REQUEST_WAIT_MS 1000

int control_open(struct control *control, const char *path, const struct control_target *target)
{
    *control = (struct control){
        .target = *target,
        .socket = message_listen(path),
        .successor = -1,
    };
    return control->socket >= 0 ? 0 : -1;
}

static void close_descriptor(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd); /* what was sent has been taken, or is of no interest any more */
    *fd = -1;
}

void control_retire(struct control *control)
{
    close_descriptor(&control->socket);
    close_descriptor(&control->target.pid_file);
}

void control_close(struct control *control)
{
    close_descriptor(&control->successor);
    control_retire(control);
}

/* --- answers ------------------------------------------------------------------------------- */

static void reply(int connection, int status, const char *text)
{
    char *bytes = NULL;
    int len = asprintf(&bytes, "%d\n%s", status, text);
    if (len >= 0)
        (void)message_send(connection, bytes, (size_t)len, NULL, 0); /* or nobody listens */
    free(bytes);
}

static void answer_status(const struct control *control, int connection)
{
    char *text = status_text(control->target.server, control->target.port);
    reply(connection, text ? EXIT_SUCCESS : EXIT_FAILURE, text ? text : "out of memory\n");
    free(text);
}

static void answer_reload(const struct control *control, int connection)
{
    char *text = NULL;
    const struct control_target *target = &control->target;
    int status = reload_and_log(target->server, target->input, target->port, &text);
    reply(connection, status, text ? text : "");
    free(text);
}

/* The working directory and the arguments, each with a NUL, are what the successor needs to start
 * as this process was started.
 */
static size_t describe_start(const struct control *control, char *bytes, size_t size)
{
    size_t len = 0;
    if (!getcwd(bytes, size))
        return 0;
    len = strlen(bytes) + 1;
    for (char *const *argument = control->target.arguments; *argument; argument++) {
        size_t more = strlen(*argument) + 1;
        if (len + more > size)
            return 0;
        memcpy(bytes + len, *argument, more);
        len += more;
    }
    return len;
}

/* Keeps the connection: what is said on it next, or its end, decides. */
static bool hand_over(struct control *control, int connection)
{
    char bytes[MESSAGE_BYTES_MAX] = "0\n";
    if (control->successor >= 0 || server_is_retiring(control->target.server)) {
        reply(connection, EXIT_FAILURE, "another restart is under way\n");
        return false;
    }
    size_t len = describe_start(control, bytes + 2, sizeof(bytes) - 2);
    int descriptors[] = {control->target.socket, control->target.pid_file};
    if (len == 0 || message_send(connection, bytes, len + 2, descriptors, 2) != 0) {
        reply(connection, EXIT_FAILURE, "the server cannot tell how it was started\n");
        return false;
    }
    control->successor = connection;
    return true;
}

/* --- requests ------------------------------------------------------------------------------ */

/* The socket's permissions keep others out; this holds whatever the file system makes of them. */
static bool is_own_user(int connection)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

static bool asks_for(const struct message *message, const char *request)
{
    return strcmp(message->bytes, request) == 0;
}

/* Sets *out_keep if the connection stays open. */
static enum control_order obey(struct control *control, int connection,
                               const struct message *message, bool *out_keep)
{
    if (asks_for(message, MESSAGE_STATUS)) {
        answer_status(control, connection);
    } else if (asks_for(message, MESSAGE_RELOAD)) {
        answer_reload(control, connection);
    } else if (asks_for(message, MESSAGE_HANDOVER)) {
        *out_keep = hand_over(control, connection);
    } else if (asks_for(message, MESSAGE_STOP)) {
        reply(connection, EXIT_SUCCESS, "");
        return CONTROL_STOP;
    } else {
        reply(connection, EXIT_FAILURE, "this server does not know that command\n");
    }
    return CONTROL_GO_ON;
}

static void drop_descriptors(const struct message *message)
{
    for (unsigned i = 0; i < message->descriptor_count; i++)
        (void)close(message->descriptors[i]); /* nobody asked for them */
}

enum control_order control_answer(struct control *control)
{
    int connection = accept4(control->socket, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0)
        return CONTROL_GO_ON;
    enum control_order order = CONTROL_GO_ON;
    bool keep = false;
    struct message *message = malloc(sizeof(*message));
    if (message && is_own_user(connection) &&
        message_receive(connection, message, REQUEST_WAIT_MS) > 0) {
        drop_descriptors(message);
        order = obey(control, connection, message, &keep);
    }
    free(message);
    if (!keep)
        (void)close(connection); /* answered */
    return order;
}

enum control_order control_hear_successor(struct control *control)
{
    struct message *message = malloc(sizeof(*message));
    int result = message ? message_receive(control->successor, message, 0) : -1;
    bool retire = result > 0 && asks_for(message, MESSAGE_RETIRE);
    bool farewell = result > 0 && asks_for(message, MESSAGE_FAREWELL);
    if (result > 0)
        drop_descriptors(message);
    free(message);
    if (retire)
        return CONTROL_RETIRE;
    close_descriptor(&control->successor);
    if (farewell)
        return CONTROL_GO_ON; /* what is open here may still have its last request */
    if (server_is_retiring(control->target.server))
        return CONTROL_STOP; /* whoever had taken over has ended: nobody waits for this one */
    error_log(LOG_WARN, NULL, "a restart was given up; this process goes on serving");
    return CONTROL_GO_ON;
}
