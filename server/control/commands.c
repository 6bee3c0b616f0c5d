#include "server/control/commands.h"

#include "server/control/dialogue.h"
#include "server/control/launch.h"
#include "server/control/message.h"
#include "server/control/pid_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Asks once, and prints the answer. */
static int relay(const struct command *command, const char *request, const char *done)
{
    struct message answer;
    const char *text;
    int connection;
    pid_t holder = pid_file_holder(command->config->pid_file);
    if (holder <= 0)
        return dialogue_complain_of_none(command, holder);
    int status = dialogue_ask(command, request, &answer, &text, &connection);
    if (status < 0)
        return dialogue_complain(command, "cannot reach the server of", command->config->pid_file);
    (void)close(connection); /* has been answered */
    (void)fputs(text[0] == '\0' && status == 0 ? done : text, status == 0 ? stdout : stderr);
    return status;
}

int command_status(const struct command *command)
{
    int status = relay(command, MESSAGE_STATUS, "");
    return fflush(stdout) == 0 ? status : dialogue_complain(command, "cannot print", "the status");
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
        (void)dialogue_complain(command, "cannot start", "a server");
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
        return dialogue_complain(command, "cannot open the pid file", path);
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
        return dialogue_complain(command, "no sockets came from the server of",
                                 command->config->pid_file);
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
        (void)dialogue_complain(command, "cannot start", "a server");
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
    int status = dialogue_ask(command, MESSAGE_HANDOVER, &answer, &text, &connection);
    if (status < 0)
        return dialogue_complain(command, "cannot reach the server of", command->config->pid_file);
    if (status == 0)
        status = succeed(command, connection, &answer, text, out_pid);
    else
        (void)fprintf(stderr, "%s: %s", command->program, text);
    (void)close(connection); /* the new process has it too, if there is one */
    return status;
}
