#include "server/control/launch.h"

#include "pool/clock.h"
#include "server/config/locate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A server that has said nothing for so long hangs. */
#define PATIENCE_MS    60000

#define SAID_BYTES_MAX 4096

void launch_tell_ready(int ready, const char *text)
{
    /* Whoever has started this process may have gone: it serves all the same. */
    (void)!write(ready, text, strlen(text));
    (void)close(ready); /* which is what ends the waiting */
}

/* --- the new process ----------------------------------------------------------------------- */

/* Leaves the terminal; or stays with it, but so that its keys reach the first process only, which
 * passes them on, and that this one does not outlive it.
 */
static int choose_group(const char *output)
{
    if (output)
        return setsid() < 0 ? -1 : 0;
    if (setpgid(0, 0) != 0)
        return -1;
    return prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static int redirect(const char *output)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0)
        return -1;
    if (!output)
        return 0;
    int log = open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
        return -1;
    return 0;
}

static _Noreturn void become_server(const struct launch *launch, int ready, const char *executable)
{
    sigset_t none;
    struct inheritance inheritance = *launch->inheritance;
    inheritance.ready = ready;
    (void)sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) == 0 && choose_group(launch->output) == 0 &&
        redirect(launch->output) == 0 && (!launch->folder || chdir(launch->folder) == 0) &&
        inheritance_bequeath(&inheritance) == 0)
        (void)execv(executable, launch->arguments);
    _exit(EXIT_FAILURE);
}

/* --- this process -------------------------------------------------------------------------- */

/* Reads until the new process closes the pipe. Returns how many bytes, or -1 with errno. */
static ssize_t hear(int pipe, char *bytes, size_t size)
{
    size_t len = 0;
    int64_t deadline_ms = clock_now_ms() + PATIENCE_MS;
    while (len < size) {
        struct pollfd readable = {.fd = pipe, .events = POLLIN};
        int64_t rest_ms = deadline_ms - clock_now_ms();
        int ready = rest_ms > 0 ? poll(&readable, 1, (int)rest_ms) : 0;
        if (ready == 0)
            errno = ETIME;
        if (ready == 0 || (ready < 0 && errno != EINTR))
            return -1;
        ssize_t n = ready > 0 ? read(pipe, bytes + len, size - len) : -1;
        if (n == 0)
            break;
        if (n > 0)
            len += (size_t)n;
    }
    return (ssize_t)len;
}

static off_t size_of(const char *path)
{
    struct stat status;
    return path && stat(path, &status) == 0 ? status.st_size : 0;
}

/* The last line that was written to a file behind `from`, without its newline; NULL if there is
 * none.
 */
static char *last_line(const char *path, off_t from)
{
    char bytes[SAID_BYTES_MAX + 1];
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return NULL;
    off_t size = size_of(path);
    if (size - from > SAID_BYTES_MAX)
        from = size - SAID_BYTES_MAX;
    ssize_t len = pread(fd, bytes, SAID_BYTES_MAX, from);
    (void)close(fd); /* only read from */
    while (len > 0 && bytes[len - 1] == '\n')
        len--;
    if (len <= 0)
        return NULL;
    bytes[len] = '\0';
    const char *newline = strrchr(bytes, '\n');
    return strdup(newline ? newline + 1 : bytes);
}

static int status_of(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return EXIT_FAILURE;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

/* How long the files were before the new process wrote to them. */
struct sizes {
    off_t output;
    off_t log;
};

/* Waits for what the new process says. */
static int wait_for_server(const struct launch *launch, pid_t pid, int pipe,
                           const struct sizes *before, struct launched *out)
{
    char said[SAID_BYTES_MAX + 1];
    ssize_t len = hear(pipe, said, SAID_BYTES_MAX);
    if (len < 0) {
        int error = errno;
        (void)kill(pid, SIGKILL); /* our child, not waited for yet: the number is its own */
        (void)status_of(pid);
        errno = error;
        return -1;
    }
    said[len] = '\0';
    *out = (struct launched){.pid = pid};
    if (len > 0) {
        out->said = strdup(said);
        return 0;
    }
    out->pid = -1;
    out->status = status_of(pid);
    out->said = last_line(launch->output, before->output);
    if (!out->said)
        out->said = last_line(launch->log, before->log);
    return 0;
}

int launch_server(const struct launch *launch, struct launched *out)
{
    int ends[2];
    int result = -1;
    struct sizes before = {size_of(launch->output), size_of(launch->log)};
    char *executable = locate_executable();
    if (!executable || pipe2(ends, O_CLOEXEC) != 0)
        goto done;
    pid_t pid = fork();
    if (pid == 0)
        become_server(launch, ends[1], executable);
    (void)close(ends[1]); /* so that its end is the end of the new process's word */
    if (pid > 0)
        result = wait_for_server(launch, pid, ends[0], &before, out);
    int error = errno;
    (void)close(ends[0]); /* has been read */
    errno = error;
done:
    free(executable);
    return result;
}
