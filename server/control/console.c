#include "server/control/console.h"

#include "server/control/pid_file.h"
#include "server/control/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_SIZE 128

struct console {
    const struct command *command;
    pid_t server; /* our child; 0: it has ended */
    int process;  /* a descriptor of it */
    int signals;
    bool has_terminal; /* that it can lose */
    int input;         /* -1 after its end */
    char line[LINE_SIZE];
    size_t len;
    int status;
};

static int open_signals(void)
{
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGQUIT);
    (void)sigaddset(&signals, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) != 0)
        return -1;
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Watches over another server. The one before, if it has not ended, drains. */
static int watch(struct console *console, pid_t server)
{
    int process = pidfd_open(server, 0);
    if (process < 0)
        return -1;
    if (console->process >= 0)
        (void)close(console->process); /* it is waited for at the end */
    console->process = process;
    console->server = server;
    return 0;
}

static void pass_on(const struct console *console, int signal)
{
    (void)pidfd_send_signal(console->process, signal, NULL, 0); /* or it has ended */
}

/* HUP also comes when the window of the terminal is closed: nobody would see the server then. */
static void pass_signal_on(const struct console *console)
{
    struct signalfd_siginfo info;
    if (read(console->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return;
    bool is_lost = info.ssi_signo == SIGHUP && console->has_terminal && !terminal_is_there();
    pass_on(console, is_lost ? SIGTERM : (int)info.ssi_signo);
}

/* --- commands ------------------------------------------------------------------------------ */

/* No arguments are typed here: the new server is started as the running one was. */
static void restart(struct console *console)
{
    pid_t server = 0;
    struct command command = *console->command;
    command.has_arguments = false;
    if (command_restart(&command, &server) == EXIT_SUCCESS && watch(console, server) != 0)
        (void)fprintf(stderr, "the new server, process %d, is not watched\n", (int)server);
}

static void obey(struct console *console, const char *word)
{
    if (strcmp(word, "status") == 0)
        (void)command_status(console->command);
    else if (strcmp(word, "reload") == 0)
        (void)command_reload(console->command);
    else if (strcmp(word, "restart") == 0)
        restart(console);
    else if (strcmp(word, "quit") == 0 || strcmp(word, "stop") == 0)
        pass_on(console, SIGTERM); /* and goes on: a second one ends it at once */
    else if (word[0] != '\0')
        (void)puts("status, reload, restart, quit");
    (void)fflush(stdout);
}

/* Takes one byte of what is typed. */
static void take(struct console *console, char byte)
{
    if (byte != '\n' && console->len < LINE_SIZE - 1) {
        console->line[console->len++] = byte;
        return;
    }
    if (byte != '\n')
        return; /* longer than any command: it will be none */
    while (console->len > 0 && strchr(" \t\r", console->line[console->len - 1]))
        console->len--;
    console->line[console->len] = '\0';
    obey(console, console->line + strspn(console->line, " \t"));
    console->len = 0;
}

static void read_input(struct console *console)
{
    char bytes[256];
    ssize_t len = read(console->input, bytes, sizeof(bytes));
    if (len == 0 || (len < 0 && errno != EINTR && errno != EAGAIN))
        console->input = -1; /* nobody types any more: the server runs on */
    for (ssize_t i = 0; i < len && console->server > 0; i++)
        take(console, bytes[i]);
}

/* --- the loop ------------------------------------------------------------------------------ */

static void note_end(struct console *console)
{
    int status = 0;
    if (waitpid(console->server, &status, 0) == console->server)
        console->status = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
    pid_t other = pid_file_holder(console->command->config->pid_file);
    if (other > 0) /* somebody else has asked for a restart */
        (void)printf("process %d serves now, in the background\n", (int)other);
    else
        (void)puts(console->status == EXIT_SUCCESS ? "stopped" : "the server has failed");
    console->server = 0;
}

static void run(struct console *console)
{
    while (console->server > 0) {
        struct pollfd ready[] = {
            {.fd = console->process, .events = POLLIN},
            {.fd = console->signals, .events = POLLIN},
            {.fd = console->input, .events = POLLIN},
        };
        if (poll(ready, 3, -1) < 0)
            continue;
        if (ready[1].revents)
            pass_signal_on(console);
        if (ready[2].revents)
            read_input(console);
        else if (ready[0].revents)
            note_end(console);
    }
}

int console_run(const struct command *command)
{
    struct console console = {
        .command = command,
        .process = -1,
        .has_terminal = terminal_can_hang_up(),
        .input = STDIN_FILENO,
        .status = EXIT_FAILURE,
    };
    pid_t server = 0;
    console.signals = open_signals();
    if (console.signals < 0)
        return EXIT_FAILURE;
    int status = command_start(command, &server);
    if (status == EXIT_SUCCESS && watch(&console, server) == 0) {
        run(&console);
        status = console.status;
        while (wait(NULL) > 0) /* those that a restart has replaced and that still drain */
            ;
        (void)close(console.process); /* has ended */
    }
    (void)close(console.signals); /* nobody is left to pass them on to */
    return status;
}
