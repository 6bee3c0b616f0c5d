#include "server/control/dialogue.h"

#include "server/control/pid_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The server answers between two looks at its connections. A reload may read much. */
#define ANSWER_WAIT_MS 60000

/* Whoever is asked to stop and does not answer hangs, and is ended. */
#define STOP_ANSWER_WAIT_MS 10000

#define LOOK_PAUSE_US       10000

int dialogue_complain(const struct command *command, const char *what, const char *name)
{
    (void)fprintf(stderr, "%s: %s %s: %s\n", command->program, what, name, strerrordesc_np(errno));
    return EXIT_FAILURE;
}

int dialogue_complain_of_none(const struct command *command, pid_t holder)
{
    if (holder < 0)
        return dialogue_complain(command, "cannot read the pid file", command->config->pid_file);
    (void)fprintf(stderr, "%s: no server is running (pid file %s)\n", command->program,
                  command->config->pid_file);
    return EXIT_FAILURE;
}

/* --- talking to the server ----------------------------------------------------------------- */

void dialogue_pause(void)
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
    for (int i = 0; path && connection < 0 && i < DIALOGUE_LOOKS; i++) {
        if (i > 0)
            dialogue_pause();
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

int dialogue_ask(const struct command *command, const char *request, struct message *answer,
                 const char **out_text, int *out_connection)
{
    for (int i = 0; i < DIALOGUE_LOOKS; i++) {
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
