/* server stop. */
#include "pool/clock.h"
#include "server/control/dialogue.h"
#include "server/control/pid_file.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <unistd.h>

/* Beyond the time for draining, a server that is asked to stop has so long. */
#define STOP_GRACE_MS 5000

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
    int status = dialogue_ask(command, MESSAGE_STOP, &answer, &text, &connection);
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
        return dialogue_complain(command, "cannot stop the server of", command->config->pid_file);
    if (wait_for_end(process, wait_ms))
        return EXIT_SUCCESS;
    if (send_signal(process, SIGKILL) != 0 || !wait_for_end(process, STOP_GRACE_MS))
        return dialogue_complain(command, "cannot end the server of", command->config->pid_file);
    (void)puts("ended by force: it did not stop in time");
    return EXIT_SUCCESS;
}

/* Returns a descriptor of the process that serves, or -1 if there is none. The number may have
 * passed to another process before the descriptor was opened: it is the server's as long as the
 * server holds its lock. That it is the server which holds it, its having the file open tells.
 */
static int find_process(const char *pid_file)
{
    for (int i = 0; i < DIALOGUE_LOOKS; i++) {
        pid_t pid = pid_file_holder(pid_file);
        if (pid <= 0)
            return -1;
        int process = pidfd_open(pid, 0);
        if (process >= 0 && pid_file_holder(pid_file) == pid && pid_file_is_open_in(pid_file, pid))
            return process;
        if (process >= 0)
            (void)close(process); /* of somebody else */
        dialogue_pause();
    }
    return -1;
}

int command_stop(const struct command *command)
{
    const char *pid_file = command->config->pid_file;
    int process = find_process(pid_file);
    if (process < 0)
        return dialogue_complain_of_none(command, pid_file_holder(pid_file));
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
