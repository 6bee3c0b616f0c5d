#include "server/control/inheritance.h"

#include "http/slice.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_DESCRIPTOR 3

/* Descriptors that a manager may hand over; the first socket is taken, the others are closed. */
#define DESCRIPTORS_MAX 64

static void close_owned(int fd)
{
    if (fd >= 0)
        (void)close(fd); /* nothing was written through it that could be lost */
}

/* --- taking -------------------------------------------------------------------------------- */

/* A variable of the environment as a number; -1 if it is none. */
static long read_number(const char *name)
{
    const char *text = getenv(name);
    uint64_t number;
    if (!text || slice_to_u64(slice_from_string(text), &number) != 0 || number > INT32_MAX)
        return -1;
    return (long)number;
}

/* Cuts the next name off a list with ':' between its names. */
static struct slice next_name(struct slice *list)
{
    const char *colon = list->len > 0 ? memchr(list->data, ':', list->len) : NULL;
    size_t len = colon ? (size_t)(colon - list->data) : list->len;
    struct slice name = {list->data, len};
    size_t used = colon ? len + 1 : len;
    *list = (struct slice){list->data + used, list->len - used};
    return name;
}

/* Where a descriptor of this name belongs. Any other name is one that a manager gave to a socket.
 */
static int *place_of(struct inheritance *inheritance, struct slice name)
{
    if (slice_equal(name, SLICE(INHERITANCE_PID_FILE)))
        return &inheritance->pid_file;
    if (slice_equal(name, SLICE(INHERITANCE_PREDECESSOR)))
        return &inheritance->predecessor;
    if (slice_equal(name, SLICE(INHERITANCE_READY)))
        return &inheritance->ready;
    return &inheritance->socket;
}

static void take(struct inheritance *inheritance, int fd, struct slice name)
{
    int *place = place_of(inheritance, name);
    if (*place >= 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        close_owned(fd);
        return;
    }
    *place = fd;
    if (place == &inheritance->socket)
        inheritance->is_from_manager = !slice_equal(name, SLICE(INHERITANCE_SOCKET));
}

struct inheritance inheritance_take(void)
{
    struct inheritance inheritance = {.socket = -1, .pid_file = -1, .predecessor = -1, .ready = -1};
    long count = read_number("LISTEN_PID") == (long)getpid() ? read_number("LISTEN_FDS") : 0;
    const char *text = getenv("LISTEN_FDNAMES");
    struct slice names = slice_from_string(text ? text : "");
    for (int i = 0; i < count && i < DESCRIPTORS_MAX; i++)
        take(&inheritance, FIRST_DESCRIPTOR + i, next_name(&names));
    (void)unsetenv("LISTEN_PID"); /* fails for wrong names only */
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    return inheritance;
}

void inheritance_close(struct inheritance *inheritance)
{
    close_owned(inheritance->socket);
    close_owned(inheritance->pid_file);
    close_owned(inheritance->predecessor);
    close_owned(inheritance->ready);
    *inheritance =
        (struct inheritance){.socket = -1, .pid_file = -1, .predecessor = -1, .ready = -1};
}

/* --- bequeathing --------------------------------------------------------------------------- */

/* Moves the descriptors above the places that they shall have, and then down to these: so none is
 * overwritten before it was moved. What else is open, such as the lock of a script that starts the
 * server, is closed on exec.
 */
static int arrange(int *descriptors, int count)
{
    for (int i = 0; i < count; i++) {
        descriptors[i] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR + count);
        if (descriptors[i] < 0)
            return -1;
    }
    for (int i = 0; i < count; i++) {
        if (dup2(descriptors[i], FIRST_DESCRIPTOR + i) < 0) /* which is not closed on exec */
            return -1;
    }
    /* A sandbox may forbid it; then the server lives with what is open. */
    (void)close_range((unsigned)(FIRST_DESCRIPTOR + count), UINT_MAX, CLOSE_RANGE_CLOEXEC);
    return 0;
}

static int set_environment(int count, const char *names)
{
    char pid[16];
    char number[16];
    (void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
    (void)snprintf(number, sizeof(number), "%d", count);
    if (setenv("LISTEN_PID", pid, 1) != 0 || setenv("LISTEN_FDS", number, 1) != 0)
        return -1;
    return setenv("LISTEN_FDNAMES", names, 1);
}

int inheritance_bequeath(const struct inheritance *inheritance)
{
    const struct {
        const char *name;
        int fd;
    } all[INHERITANCE_MAX] = {
        {INHERITANCE_SOCKET, inheritance->socket},
        {INHERITANCE_PID_FILE, inheritance->pid_file},
        {INHERITANCE_PREDECESSOR, inheritance->predecessor},
        {INHERITANCE_READY, inheritance->ready},
    };
    int descriptors[INHERITANCE_MAX];
    char names[128] = "";
    int count = 0;
    size_t len = 0;
    for (int i = 0; i < INHERITANCE_MAX; i++) {
        if (all[i].fd < 0)
            continue;
        descriptors[count++] = all[i].fd;
        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", len > 0 ? ":" : "",
                                all[i].name);
    }
    return arrange(descriptors, count) != 0 ? -1 : set_environment(count, names);
}
