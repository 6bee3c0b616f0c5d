#include "server/control/launch.h"

#include "pool/clock.h"
#include "server/config/locate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A server that is not ready after so long hangs. */
#define PATIENCE_MS 60000

/* What stands before the text of a server that serves: no line of text has such a byte. */
#define READY_MARK '\0'

void launch_tell_ready(int ready, const char *text)
{
    char mark = READY_MARK;
    /* Whoever has started this process may have gone: it serves all the same. */
    (void)!write(ready, &mark, 1);
    (void)!write(ready, text, strlen(text));
    (void)close(ready); /* which is what ends the waiting */
}

FILE *launch_open_errors(int ready)
{
    int fd = fcntl(ready, F_DUPFD_CLOEXEC, 0);
    FILE *errors = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (fd >= 0 && !errors)
        (void)close(fd); /* nothing was written to it */
    return errors;
}

/* --- the new process ----------------------------------------------------------------------- */

static int fail(int ready, const char *what, const char *name)
{
    (void)dprintf(ready, "cannot %s%s: %s\n", what, name, strerrordesc_np(errno));
    return -1;
}

/* Leaves the terminal; or stays with it, but so that its keys reach the first process only, which
 * passes them on, and that this one does not outlive it. What it prints is no reason for a terminal
 * with `tostop` to stop it.
 */
static int choose_group(const char *output, pid_t parent)
{
    if (output)
        return setsid() < 0 ? -1 : 0;
    if (signal(SIGTTOU, SIG_IGN) == SIG_ERR || setpgid(0, 0) != 0 ||
        prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
        return -1;
    return getppid() == parent ? 0 : -1; /* else it has ended before it could be watched */
}

static int redirect(const char *output, int ready)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0)
        return fail(ready, "open ", "/dev/null");
    if (!output)
        return 0;
    int log = open(output, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_CLOEXEC, 0640);
    if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
        return fail(ready, "open ", output);
    return 0;
}

static int prepare(const struct launch *launch, int ready, pid_t parent)
{
    sigset_t none;
    (void)sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) != 0 || choose_group(launch->output, parent) != 0)
        return fail(ready, "become a process of its own", "");
    if (redirect(launch->output, ready) != 0)
        return -1;
    if (launch->folder && chdir(launch->folder) != 0)
        return fail(ready, "go to the folder ", launch->folder);
    return 0;
}

static _Noreturn void become_server(const struct launch *launch, int ready, const char *executable,
                                    pid_t parent)
{
    struct inheritance inheritance = *launch->inheritance;
    inheritance.ready = ready;
    if (prepare(launch, ready, parent) == 0) {
        if (inheritance_bequeath(&inheritance) == 0)
            (void)execv(executable, launch->arguments);
        (void)fail(ready, "execute ", executable);
    }
    _exit(EXIT_FAILURE);
}

/* --- this process -------------------------------------------------------------------------- */

/* Writes what comes out of the pipe to `said` until it is closed. Returns 0, or -1 with errno. */
static int hear(int pipe, FILE *said)
{
    char bytes[4096];
    int64_t deadline_ms = clock_now_ms() + PATIENCE_MS;
    for (;;) {
        struct pollfd readable = {.fd = pipe, .events = POLLIN};
        int64_t rest_ms = deadline_ms - clock_now_ms();
        int ready = rest_ms > 0 ? poll(&readable, 1, (int)rest_ms) : 0;
        if (ready == 0)
            errno = ETIME;
        if (ready == 0 || (ready < 0 && errno != EINTR))
            return -1;
        ssize_t len = ready > 0 ? read(pipe, bytes, sizeof(bytes)) : -1;
        if (len == 0)
            return 0;
        if (len > 0)
            (void)fwrite(bytes, 1, (size_t)len, said);
    }
}

/* The same, into memory that is the caller's, a NUL behind it. */
static int hear_all(int pipe, char **out_said, size_t *out_len)
{
    char *bytes = NULL;
    FILE *said = open_memstream(&bytes, out_len);
    if (!said)
        return -1;
    int result = hear(pipe, said);
    int error = errno;
    if (fclose(said) == 0 && result == 0) {
        *out_said = bytes;
        return 0;
    }
    free(bytes);
    errno = result != 0 ? error : ENOMEM;
    return -1;
}

static int wait_for_end(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            break;
    }
    return status;
}

/* A process that ends without a word was killed, or has crashed. */
static char *describe_end(int status, const char *output)
{
    char *text = NULL;
    const char *hint = output ? "; see " : "";
    int len = WIFSIGNALED(status)
                  ? asprintf(&text, "it was ended by signal %d (%s)%s%s\n", WTERMSIG(status),
                             sigdescr_np(WTERMSIG(status)), hint, output ? output : "")
                  : asprintf(&text, "it has ended with exit status %d%s%s\n", WEXITSTATUS(status),
                             hint, output ? output : "");
    return len < 0 ? NULL : text;
}

/* Waits for what the new process says. */
static int wait_for_server(const struct launch *launch, pid_t pid, int pipe, struct launched *out)
{
    char *said;
    size_t len;
    if (hear_all(pipe, &said, &len) != 0) {
        int error = errno;
        (void)kill(pid, SIGKILL); /* our child, not waited for yet: the number is its own */
        (void)wait_for_end(pid);
        errno = error;
        return -1;
    }
    const char *mark = memchr(said, READY_MARK, len);
    if (mark) {
        *out = (struct launched){.pid = pid, .said = strdup(mark + 1)};
        free(said);
        return 0;
    }
    int status = wait_for_end(pid);
    *out = (struct launched){.pid = -1, .said = said};
    out->status = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
    if (len == 0) {
        out->said = describe_end(status, launch->output);
        free(said);
    }
    return 0;
}

int launch_server(const struct launch *launch, struct launched *out)
{
    int ends[2];
    int result = -1;
    pid_t parent = getpid();
    char *executable = locate_executable();
    if (!executable || pipe2(ends, O_CLOEXEC) != 0)
        goto done;
    pid_t pid = fork();
    if (pid == 0)
        become_server(launch, ends[1], executable, parent);
    (void)close(ends[1]); /* so that its end is the end of the new process's word */
    if (pid > 0)
        result = wait_for_server(launch, pid, ends[0], out);
    int error = errno;
    (void)close(ends[0]); /* has been read */
    errno = error;
done:
    free(executable);
    return result;
}
