#include "server/control/control.h"

#include "server/control/message.h"
#include "server/control/pid_file.h"
#include "server/control/status.h"
#include "server/log/error_log.h"
#include "server/reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The clients are our own commands, which send at once. */
#define REQUEST_WAIT_MS 1000

static void close_descriptor(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd); /* what was sent has been taken, or is of no interest any more */
    *fd = -1;
}

/* The socket first: whoever reads the number finds the process behind it. */
static int take_commands(struct control *control)
{
    close_descriptor(&control->socket);
    control->socket = message_listen(control->path);
    if (control->socket < 0)
        return -1;
    return pid_file_write(control->target.pid_file, getpid());
}

int control_open(struct control *control, const char *pid_file, const struct control_target *target)
{
    *control = (struct control){
        .target = *target,
        .path = pid_file_sibling(pid_file, ".sock"),
        .socket = -1,
        .successor = -1,
    };
    return control->path ? take_commands(control) : -1;
}

void control_retire(struct control *control)
{
    close_descriptor(&control->socket);
    close_descriptor(&control->target.pid_file);
}

void control_stop_successor(const struct control *control)
{
    if (control->successor >= 0)
        (void)message_send(control->successor, MESSAGE_STOP, strlen(MESSAGE_STOP), NULL, 0);
}

bool control_has_successor(const struct control *control)
{
    return control->successor >= 0;
}

void control_close(struct control *control)
{
    close_descriptor(&control->successor);
    control_retire(control);
    free(control->path);
    control->path = NULL;
}

/* --- answers ------------------------------------------------------------------------------- */

/* A text that is too long for a message is cut: nobody reads that many faults of a configuration.
 */
static void reply(int connection, int status, const char *text)
{
    char *bytes = NULL;
    int len = asprintf(&bytes, "%d\n%s", status, text);
    if (len > MESSAGE_BYTES_MAX)
        len = MESSAGE_BYTES_MAX;
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

static void answer_stop(const struct control *control, int connection)
{
    char seconds[24];
    struct site *site = server_site(control->target.server);
    (void)snprintf(seconds, sizeof(seconds), "%lld", (long long)site->config->limits.drain_timeout);
    site_release(site);
    reply(connection, EXIT_SUCCESS, seconds);
}

/* Appends a string with its NUL. Returns whether there was room. */
static bool append(char *bytes, size_t size, size_t *len, const char *string)
{
    size_t more = strlen(string) + 1;
    if (more > size - *len)
        return false;
    memcpy(bytes + *len, string, more);
    *len += more;
    return true;
}

/* A file that was found at the start is named: the successor shall not do without it, should it be
 * gone.
 */
static bool append_file(const struct control *control, char *bytes, size_t size, size_t *len)
{
    struct site *site = server_site(control->target.server);
    const char *file = control->target.input->file ? NULL : site->config->file;
    bool has_room = !file || (append(bytes, size, len, "-c") && append(bytes, size, len, file));
    site_release(site);
    return has_room;
}

/* The working directory and the arguments, each with a NUL, are what the successor needs to start
 * as this process was started. Returns the length; 0: there is no room for them.
 */
static size_t describe_start(const struct control *control, char *bytes, size_t size)
{
    char *const *argument = control->target.arguments;
    size_t len = 0;
    if (!getcwd(bytes, size))
        return 0;
    len = strlen(bytes) + 1;
    if (!*argument || !append(bytes, size, &len, *argument++) ||
        !append_file(control, bytes, size, &len))
        return 0;
    for (; *argument; argument++) {
        if (!append(bytes, size, &len, *argument))
            return 0;
    }
    return len;
}

static const char *why_no_handover(const struct control *control, uid_t user)
{
    if (control->successor >= 0 || server_is_retiring(control->target.server))
        return "another restart is under way\n";
    if (server_is_draining(control->target.server))
        return "the server is about to stop\n"; /* and has closed the listening socket */
    if (user != geteuid())
        return "a restart would run the server as another user: become the one that runs it\n";
    return NULL;
}

/* Keeps the connection: what is said on it next, or its end, decides. */
static bool hand_over(struct control *control, int connection, uid_t user)
{
    char bytes[MESSAGE_BYTES_MAX] = "0\n";
    const char *why_not = why_no_handover(control, user);
    if (why_not) {
        reply(connection, EXIT_FAILURE, why_not);
        return false;
    }
    size_t len = describe_start(control, bytes + 2, sizeof(bytes) - 2);
    int descriptors[] = {control->target.socket, control->target.pid_file};
    if (len == 0 || message_send(connection, bytes, len + 2, descriptors, 2) != 0) {
        reply(connection, EXIT_FAILURE, "the server cannot tell how it was started\n");
        return false;
    }
    control->successor = connection;
    control->successor_parts = false;
    return true;
}

/* --- requests ------------------------------------------------------------------------------ */

/* The socket's permissions keep others out; this holds whatever the file system makes of them. */
static bool is_allowed(int connection, uid_t *out_user)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return false;
    *out_user = peer.uid;
    return peer.uid == geteuid() || peer.uid == 0;
}

static bool asks_for(const struct message *message, const char *request)
{
    return strcmp(message->bytes, request) == 0;
}

/* Sets *out_keep if the connection stays open. */
static enum control_order obey(struct control *control, int connection, uid_t user,
                               const struct message *message, bool *out_keep)
{
    if (asks_for(message, MESSAGE_STATUS)) {
        answer_status(control, connection);
    } else if (asks_for(message, MESSAGE_RELOAD)) {
        answer_reload(control, connection);
    } else if (asks_for(message, MESSAGE_HANDOVER)) {
        *out_keep = hand_over(control, connection, user);
    } else if (asks_for(message, MESSAGE_STOP)) {
        answer_stop(control, connection);
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
    uid_t user;
    struct message *message = malloc(sizeof(*message));
    if (message && is_allowed(connection, &user) &&
        message_receive(connection, message, REQUEST_WAIT_MS) > 0) {
        drop_descriptors(message);
        order = obey(control, connection, user, message, &keep);
    }
    free(message);
    if (!keep)
        (void)close(connection); /* answered */
    return order;
}

/* --- the successor ------------------------------------------------------------------------- */

/* The successor has ended before it has taken over. It may have got as far as to take the commands.
 */
static void go_on_serving(struct control *control)
{
    if (take_commands(control) != 0)
        error_log_errno(LOG_ERROR, errno, NULL, "commands do not reach this process any more");
    error_log(LOG_WARN, NULL, "a restart was given up; this process goes on serving");
}

static enum control_order note_end(struct control *control)
{
    close_descriptor(&control->successor);
    if (control->successor_parts || server_is_draining(control->target.server))
        return CONTROL_GO_ON;
    if (server_is_retiring(control->target.server))
        return CONTROL_STOP; /* whoever had taken over has ended: nobody waits for this one */
    go_on_serving(control);
    return CONTROL_GO_ON;
}

enum control_order control_hear_successor(struct control *control)
{
    enum control_order order = CONTROL_GO_ON;
    struct message *message = malloc(sizeof(*message));
    int result = message ? message_receive(control->successor, message, 0) : -1;
    if (result > 0) {
        drop_descriptors(message);
        if (asks_for(message, MESSAGE_RETIRE))
            order = CONTROL_RETIRE;
        else if (asks_for(message, MESSAGE_STOP))
            order = CONTROL_STOP;
        else if (asks_for(message, MESSAGE_FAREWELL))
            control->successor_parts = true;
    } else {
        order = note_end(control);
    }
    free(message);
    return order;
}
