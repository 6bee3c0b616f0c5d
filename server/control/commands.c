#include "server/control/commands.h"

#include "pool/clock.h"
#include "server/control/launch.h"
#include "server/control/message.h"
#include "server/control/pid_file.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

/* The server answers between two looks at its connections. A reload may read much. */
#define ANSWER_WAIT_MS 60000

/* Whoever is asked to stop and does not answer hangs, and is ended. */
#define STOP_ANSWER_WAIT_MS 5000

/* Between two processes of a restart there may be a moment without either. */
#define LOOKS         100
#define LOOK_PAUSE_US 10000

/* Beyond the time for draining, a server that is asked to stop has so long. */
#define STOP_GRACE_MS 5000

static int complain(const struct command *command, const char *what, const char *name)
{
    (void)fprintf(stderr, "%s: %s %s: %s\n", command->program, what, name, strerrordesc_np(errno));
    return EXIT_FAILURE;
}

/* `holder`: what pid_file_holder() has returned, not a process. */
static int complain_of_none(const struct command *command, pid_t holder)
{
    if (holder < 0)
        return complain(command, "cannot read the pid file", command->config->pid_file);
    (void)fprintf(stderr, "%s: no server is running (pid file %s)\n", command->program,
                  command->config->pid_file);
    return EXIT_FAILURE;
}

/* --- talking to the server ----------------------------------------------------------------- */

static void pause_before_next_look(void)
{
    int error = errno;
    (void)usleep(LOOK_PAUSE_US);
    errno = error;
}

/* Connects to the server's control socket. Returns the descriptor, or -1 with errno. When a
 * successor dies just after it has taken the socket, the old process makes a new one.
 */
static int connect_to(const struct command *command)
{
    int connection = -1;
    char *path = pid_file_sibling(command->config->pid_file, ".sock");
    for (int i = 0; path && connection < 0 && i < LOOKS; i++) {
        if (i > 0)
            pause_before_next_look();
        connection = message_connect(path);
        if (connection < 0 && errno != ECONNREFUSED)
            break;
    }
    free(path);
    return connection;
}

/* Asks, and receives the answer. Returns its exit status, with its text in *out_text, which is in
 * the message; or -1 with errno.
 */
static int ask(int connection, const char *request, struct message *answer, const char **out_text)
{
    if (message_send(connection, request, strlen(request), NULL, 0) != 0)
        return -1;
    bool is_stop = strcmp(request, MESSAGE_STOP) == 0;
    int result =
        message_receive(connection, answer, is_stop ? STOP_ANSWER_WAIT_MS : ANSWER_WAIT_MS);
    if (result == 0)
        errno = ECONNRESET;
    if (result <= 0)
        return -1;
    char *newline = strchr(answer->bytes, '\n');
    long status = strtol(answer->bytes, NULL, 10);
    *out_text = newline ? newline + 1 : "";
    return status >= 0 && status <= 255 ? (int)status : EXIT_FAILURE;
}

/* Asks the server, again if it is replaced by another process just then. The same; the connection
 * is the caller's unless it returns -1.
 */
static int ask_server(const struct command *command, const char *request, struct message *answer,
                      const char **out_text, int *out_connection)
{
    for (int i = 0; i < LOOKS; i++) {
        int connection = connect_to(command);
        if (connection < 0)
            return -1;
        int status = ask(connection, request, answer, out_text);
        if (status >= 0) {
            *out_connection = connection;
            return status;
        }
        int error = errno;
        (void)close(connection); /* nobody has answered */
        errno = error;
        if (error != ECONNRESET && error != EPIPE)
            return -1;
    }
    return -1;
}

/* Asks once, and prints the answer. */
static int relay(const struct command *command, const char *request, const char *done)
{
    struct message answer;
    const char *text;
    int connection;
    pid_t holder = pid_file_holder(command->config->pid_file);
    if (holder <= 0)
        return complain_of_none(command, holder);
    int status = ask_server(command, request, &answer, &text, &connection);
    if (status < 0)
        return complain(command, "cannot reach the server of", command->config->pid_file);
    (void)close(connection); /* has been answered */
    (void)fputs(text[0] == '\0' && status == 0 ? done : text, status == 0 ? stdout : stderr);
    return status;
}

int command_status(const struct command *command)
{
    int status = relay(command, MESSAGE_STATUS, "");
    return fflush(stdout) == 0 ? status : complain(command, "cannot print", "the status");
}

int command_reload(const struct command *command)
{
    return relay(command, MESSAGE_RELOAD, "the configuration has been reloaded\n");
}

/* --- start --------------------------------------------------------------------------------- */

/* One fault is one line; several are a list. */
static int tell(const struct command *command, const struct launched *launched)
{
    const char *said = launched->said ? launched->said : "out of memory\n";
    if (launched->pid > 0) {
        (void)fputs(said, stdout);
        (void)fflush(stdout); /* a console goes on for long */
        return EXIT_SUCCESS;
    }
    const char *newline = strchr(said, '\n');
    (void)fprintf(stderr, "%s: the server did not start:%c%s", command->program,
                  newline && newline[1] != '\0' ? '\n' : ' ', said);
    return launched->status != EXIT_SUCCESS ? launched->status : EXIT_FAILURE;
}

/* Launches a server that inherits these. */
static int launch(const struct command *command, struct launch *launch, pid_t *out_pid)
{
    char *output = pid_file_sibling(command->config->pid_file, ".log");
    struct launched launched = {0};
    launch->output = command->detaches ? output : NULL;
    int status = EXIT_FAILURE;
    if (output && launch_server(launch, &launched) == 0)
        status = tell(command, &launched);
    else
        (void)complain(command, "cannot start", "a server");
    if (status == EXIT_SUCCESS && out_pid)
        *out_pid = launched.pid;
    free(launched.said);
    free(output);
    return status;
}

static int complain_of_another(const struct command *command)
{
    const char *path = command->config->pid_file;
    pid_t pid = pid_file_holder(path);
    if (pid > 0)
        (void)fprintf(stderr, "%s: a server is running already: process %d (pid file %s)\n",
                      command->program, (int)pid, path);
    else
        (void)fprintf(stderr, "%s: another start is under way (pid file %s)\n", command->program,
                      path);
    return EXIT_FAILURE;
}

int command_start(const struct command *command, pid_t *out_pid)
{
    const char *path = command->config->pid_file;
    struct inheritance inheritance = {.socket = -1, .predecessor = -1, .ready = -1};
    inheritance.pid_file = pid_file_claim(path);
    if (inheritance.pid_file < 0 && errno == EWOULDBLOCK)
        return complain_of_another(command);
    if (inheritance.pid_file < 0)
        return complain(command, "cannot open the pid file", path);
    int status = launch(command,
                        &(struct launch){
                            .arguments = command->arguments,
                            .inheritance = &inheritance,
                        },
                        out_pid);
    if (status != EXIT_SUCCESS)
        pid_file_remove(path);
    inheritance_close(&inheritance); /* the new process has the lock too */
    return status;
}

/* --- restart ------------------------------------------------------------------------------- */

/* Has the successor start as the running server was started, which it has told: a folder, then the
 * arguments. Each of them has a byte at least, so that `arguments` has room for a message full.
 */
static void imitate(struct message *message, const char *text, char **arguments,
                    struct launch *successor)
{
    size_t count = 0;
    char *string = message->bytes + (text - message->bytes);
    char *end = message->bytes + message->len;
    successor->folder = string;
    for (string += strlen(string) + 1; string < end; string += strlen(string) + 1)
        arguments[count++] = string;
    successor->arguments = arguments;
}

/* Starts the successor with what the running server has handed over: as the command line says, or,
 * if it says nothing, as the running one was started.
 */
static int succeed(const struct command *command, int connection, struct message *answer,
                   const char *text, pid_t *out_pid)
{
    if (answer->descriptor_count != 2) {
        errno = EPROTO;
        return complain(command, "no sockets came from the server of", command->config->pid_file);
    }
    struct inheritance inheritance = {
        .socket = answer->descriptors[0],
        .pid_file = answer->descriptors[1],
        .predecessor = connection,
        .ready = -1,
    };
    char **arguments = calloc(MESSAGE_BYTES_MAX, sizeof(char *));
    struct launch successor = {.arguments = command->arguments, .inheritance = &inheritance};
    if (arguments && !command->has_arguments)
        imitate(answer, text, arguments, &successor);
    int status = EXIT_FAILURE;
    if (arguments)
        status = launch(command, &successor, out_pid);
    else
        (void)complain(command, "cannot start", "a server");
    inheritance.predecessor = -1; /* the caller's */
    inheritance_close(&inheritance);
    free(arguments);
    return status;
}

int command_restart(const struct command *command, pid_t *out_pid)
{
    if (pid_file_holder(command->config->pid_file) <= 0)
        return command_start(command, out_pid);
    struct message answer;
    const char *text;
    int connection;
    int status = ask_server(command, MESSAGE_HANDOVER, &answer, &text, &connection);
    if (status < 0)
        return complain(command, "cannot reach the server of", command->config->pid_file);
    if (status == 0)
        status = succeed(command, connection, &answer, text, out_pid);
    else
        (void)fprintf(stderr, "%s: %s", command->program, text);
    (void)close(connection); /* the new process has it too, if there is one */
    return status;
}

/* --- stop ---------------------------------------------------------------------------------- */

/* Waits for the end of a process. Returns whether it came in time. */
static bool wait_for_end(int process, int64_t wait_ms)
{
    int64_t deadline_ms = clock_now_ms() + wait_ms;
    for (;;) {
        struct pollfd ended = {.fd = process, .events = POLLIN};
        int64_t rest_ms = deadline_ms - clock_now_ms();
        int ready = poll(&ended, 1, rest_ms > 0 ? (int)rest_ms : 0);
        if (ready > 0 || (ready == 0 && rest_ms <= 0))
            return ready > 0;
    }
}

/* Returns 0, also if the process has ended already, or -1 with errno. */
static int send_signal(int process, int signal)
{
    return pidfd_send_signal(process, signal, NULL, 0) == 0 || errno == ESRCH ? 0 : -1;
}

/* Tells the server to stop: over its socket, where it says how long that may take, or, if it cannot
 * be reached there, by a signal. One that has been reached and does not answer would not read the
 * signal any sooner; and it would mean a second stop, which cuts what is under way.
 */
static int send_stop(const struct command *command, int process, int64_t *out_wait_ms)
{
    struct message answer;
    const char *text;
    int connection;
    int64_t drain_s = command->config->limits.drain_timeout;
    int status = ask_server(command, MESSAGE_STOP, &answer, &text, &connection);
    if (status >= 0)
        (void)close(connection); /* has been answered */
    if (status == 0)
        drain_s = strtol(text, NULL, 10);
    bool is_told = status == 0 || (status < 0 && errno == ETIME);
    *out_wait_ms = drain_s * 1000 + STOP_GRACE_MS;
    return is_told ? 0 : send_signal(process, SIGTERM);
}

static int stop_process(const struct command *command, int process)
{
    int64_t wait_ms;
    if (send_stop(command, process, &wait_ms) != 0)
        return complain(command, "cannot stop the server of", command->config->pid_file);
    if (wait_for_end(process, wait_ms))
        return EXIT_SUCCESS;
    if (send_signal(process, SIGKILL) != 0 || !wait_for_end(process, STOP_GRACE_MS))
        return complain(command, "cannot end the server of", command->config->pid_file);
    (void)puts("ended by force: it did not stop in time");
    return EXIT_SUCCESS;
}

/* Returns a descriptor of the process that serves, or -1 if there is none. The number may have
 * passed to another process before the descriptor was opened: it is the server's as long as the
 * server holds its lock. That it is the server which holds it, its having the file open tells.
 */
static int find_process(const char *pid_file)
{
    for (int i = 0; i < LOOKS; i++) {
        pid_t pid = pid_file_holder(pid_file);
        if (pid <= 0)
            return -1;
        int process = pidfd_open(pid, 0);
        if (process >= 0 && pid_file_holder(pid_file) == pid && pid_file_is_open_in(pid_file, pid))
            return process;
        if (process >= 0)
            (void)close(process); /* of somebody else */
        pause_before_next_look();
    }
    return -1;
}

int command_stop(const struct command *command)
{
    const char *pid_file = command->config->pid_file;
    int process = find_process(pid_file);
    if (process < 0)
        return complain_of_none(command, pid_file_holder(pid_file));
    int status = EXIT_SUCCESS;
    while (process >= 0 && status == EXIT_SUCCESS) {
        status = stop_process(command, process);
        (void)close(process);             /* has ended */
        process = find_process(pid_file); /* may have been replaced meanwhile */
    }
    if (process >= 0)
        (void)close(process); /* it could not be stopped */
    if (status == EXIT_SUCCESS)
        (void)puts("stopped");
    return status;
}
