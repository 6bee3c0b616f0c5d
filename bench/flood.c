/* Requests at a fixed rate, each on a connection of its own, whatever the server makes of them.
 *
 *     flood PORT PATH RATE SECONDS
 *
 * Other clients wait for an answer before they ask again, so that a slow server is asked less. This
 * one does not: it opens RATE connections a second, and then waits for the last answers for up to
 * 10 seconds. Prints a line of JSON: how many requests were offered, answered (200) in all, in the
 * second half of the time (when the queue has long been full) and after it, refused (503), reset
 * (closed without an answer) and silent (still waiting), and the times from the connection's begin
 * to its end in microseconds.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/client.h"

#define EVENTS_MAX      256
#define DESCRIPTORS_MAX 65536
#define DRAIN_NS        10000000000U

struct exchange {
    uint64_t start_ns;
    bool asked;
    char status[13]; /* the beginning of the answer, "HTTP/1.1 200" */
    size_t status_len;
};

struct times {
    double *us;
    size_t count;
};

static struct exchange exchanges[DESCRIPTORS_MAX]; /* by descriptor */
static struct times answered, refused;
static size_t half_count, late_count, reset_count, open_count, open_most;
static uint64_t half_ns, end_ns; /* of the time of the rate */

static void begin(int epoll, uint16_t port)
{
    const int fd = client_connect(port, SOCK_NONBLOCK, 0);
    if (fd >= DESCRIPTORS_MAX) {
        fputs("flood: too many connections are open\n", stderr);
        exit(1);
    }
    exchanges[fd] = (struct exchange){.start_ns = client_now_ns()};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
        client_fail("epoll_ctl");
    if (++open_count > open_most)
        open_most = open_count;
}

static void count_end(const struct exchange *exchange)
{
    const uint64_t now = client_now_ns();
    const double us = (double)(now - exchange->start_ns) / 1e3;
    if (strcmp(exchange->status, "HTTP/1.1 200") == 0) {
        answered.us[answered.count++] = us;
        half_count += now > half_ns && now <= end_ns;
        late_count += now > end_ns;
    } else if (strcmp(exchange->status, "HTTP/1.1 503") == 0) {
        refused.us[refused.count++] = us;
    } else {
        reset_count++;
    }
}

/* Keeps the first bytes and drops the others. False once the connection has ended. */
static bool read_answer(int fd, struct exchange *exchange)
{
    static char bytes[1 << 18];
    ssize_t count;
    while ((count = recv(fd, bytes, sizeof bytes, 0)) > 0) {
        const size_t room = sizeof exchange->status - 1 - exchange->status_len;
        const size_t kept = (size_t)count < room ? (size_t)count : room;
        memcpy(exchange->status + exchange->status_len, bytes, kept);
        exchange->status_len += kept;
    }
    return count < 0 && errno == EAGAIN;
}

static void go_on(int fd, uint32_t events, const char *request)
{
    struct exchange *exchange = &exchanges[fd];
    bool open = true;
    if (!exchange->asked && (events & EPOLLOUT)) {
        const size_t len = strlen(request);
        exchange->asked = true;
        open = send(fd, request, len, MSG_NOSIGNAL) == (ssize_t)len;
    }
    /* Who is refused may find the answer already there, and his request unwanted. */
    if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) || !open)
        open = read_answer(fd, exchange);
    if (open)
        return;
    count_end(exchange);
    (void)close(fd); /* the answer has been read */
    open_count--;
}

static int compare_times(const void *left, const void *right)
{
    const double a = *(const double *)left;
    const double b = *(const double *)right;
    return (a > b) - (a < b);
}

static void print_times(const char *name, struct times times)
{
    if (times.count)
        qsort(times.us, times.count, sizeof *times.us, compare_times);
    else
        times.us[times.count++] = 0;
    printf(", \"%s_p50_us\": %.0f, \"%s_p99_us\": %.0f, \"%s_most_us\": %.0f", name,
           times.us[times.count / 2], name, times.us[times.count - 1 - times.count / 100], name,
           times.us[times.count - 1]);
}

static void flood(uint16_t port, const char *request, size_t offered, uint64_t seconds)
{
    struct epoll_event events[EVENTS_MAX];
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    const uint64_t start = client_now_ns();
    size_t begun = 0;
    half_ns = start + seconds * 500000000U;
    end_ns = start + seconds * 1000000000U;
    if (epoll < 0)
        client_fail("epoll_create1");
    while ((begun < offered || open_count) && client_now_ns() < end_ns + DRAIN_NS) {
        const double share = (double)(client_now_ns() - start) / ((double)seconds * 1e9);
        while (begun < offered && (double)begun < share * (double)offered) {
            begin(epoll, port);
            begun++;
        }
        const int count = epoll_wait(epoll, events, EVENTS_MAX, 1);
        for (int i = 0; i < count; i++)
            go_on(events[i].data.fd, events[i].events, request);
    }
    (void)close(epoll); /* the program ends */
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: flood PORT PATH RATE SECONDS\n", stderr);
        return 2;
    }
    char request[512];
    const uint16_t port = (uint16_t)client_number(argv[1], UINT16_MAX);
    const uint64_t seconds = client_number(argv[4], 3600);
    const size_t offered = client_number(argv[3], 1000000) * seconds;
    const int len = snprintf(request, sizeof request,
                             "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n\r\n",
                             argv[2], (unsigned)port);
    answered.us = calloc(offered + 1, sizeof *answered.us);
    refused.us = calloc(offered + 1, sizeof *refused.us);
    if (!answered.us || !refused.us || len >= (int)sizeof request)
        client_fail("flood");
    client_raise_descriptors();
    flood(port, request, offered, seconds);
    printf("{\"offered\": %zu, \"answered\": %zu, \"answered_half\": %zu, \"answered_late\": %zu, "
           "\"refused\": %zu, \"reset\": %zu, \"silent\": %zu, \"open_most\": %zu",
           offered, answered.count, half_count, late_count, refused.count, reset_count, open_count,
           open_most);
    print_times("answered", answered);
    print_times("refused", refused);
    puts("}");
    free(answered.us);
    free(refused.us);
    return 0;
}
