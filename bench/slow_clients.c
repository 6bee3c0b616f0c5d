/* Latency of an ordinary client beside many that are idle or slow; bench/slow runs it.
 *
 *     slow_clients PORT SECONDS IDLE SLOW RATE
 *
 * Opens IDLE connections to 127.0.0.1:PORT that ask for /small.html once and stay, and SLOW ones
 * that read /large.png at RATE bytes a second. Meanwhile one connection asks for /small.html
 * again and again for SECONDS. Prints: requests, p50, p99 and the highest latency in
 * microseconds, and how many of the idle and slow connections were closed or refused.
 *
 * The slow readers have a thread of their own that does little: one small recv for each of them
 * ten times a second. Everything else is blocking and plain.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TICKS_A_SECOND 10
#define SAMPLES_MAX    10000000
#define SLOW_WINDOW_BYTES                                                                          \
    16384 /* of a slow reader's socket; more would hide it from the server                         \
           */
#define RESPONSE_BYTES_MAX 65536

static uint16_t port;
static atomic_bool stopping;

struct slow_readers {
    int *fds;
    size_t count;
    size_t bytes_a_tick;
    size_t lost_count; /* owned by the reading thread until it is joined */
};

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now))
        fail("clock_gettime");
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* Connects, with a receive buffer of that many bytes (0: the system's choice). */
static int connect_to_server(int window_bytes)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fail("socket");
    if (window_bytes && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window_bytes, sizeof window_bytes))
        fail("SO_RCVBUF");
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(fd, (const struct sockaddr *)&address, sizeof address))
        fail("connect");
    return fd;
}

static void send_request(int fd, const char *path)
{
    char request[256];
    const int len = snprintf(request, sizeof request,
                             "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", path, (unsigned)port);
    if (send(fd, request, (size_t)len, MSG_NOSIGNAL) != len)
        fail("send");
}

/* Length of the whole answer that begins in `bytes`, 0 if its head is not complete. */
static size_t response_len(const char *bytes)
{
    const char *end = strstr(bytes, "\r\n\r\n");
    const char *field = strstr(bytes, "\r\nContent-Length: ");
    if (!end)
        return 0;
    if (!field || field > end) {
        fputs("an answer without Content-Length\n", stderr);
        exit(1);
    }
    return (size_t)(end + 4 - bytes) + strtoul(field + 18, NULL, 10);
}

/* Reads one answer. Returns false if the connection ended instead. */
static bool read_response(int fd)
{
    char bytes[RESPONSE_BYTES_MAX];
    size_t len = 0;
    size_t wanted = 0;
    do {
        const ssize_t received = recv(fd, bytes + len, sizeof bytes - 1 - len, 0);
        if (received <= 0)
            return false;
        len += (size_t)received;
        bytes[len] = '\0';
        wanted = response_len(bytes);
    } while (!wanted || len < wanted);
    return strncmp(bytes, "HTTP/1.1 200 ", 13) == 0;
}

static int *open_idle(size_t count)
{
    int *fds = calloc(count + 1, sizeof *fds);
    if (!fds)
        fail("calloc");
    for (size_t i = 0; i < count; i++) {
        fds[i] = connect_to_server(0);
        send_request(fds[i], "/small.html");
        if (!read_response(fds[i])) {
            fputs("an idle connection was refused\n", stderr);
            exit(1);
        }
    }
    return fds;
}

/* How many of the connections the server has closed. */
static size_t count_closed(const int *fds, size_t count)
{
    size_t closed = 0;
    for (size_t i = 0; i < count; i++) {
        char byte;
        if (recv(fds[i], &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0 || errno != EAGAIN)
            closed++;
    }
    return closed;
}

static void open_slow(struct slow_readers *readers)
{
    readers->fds = calloc(readers->count + 1, sizeof *readers->fds);
    if (!readers->fds)
        fail("calloc");
    for (size_t i = 0; i < readers->count; i++) {
        readers->fds[i] = connect_to_server(SLOW_WINDOW_BYTES);
        send_request(readers->fds[i], "/large.png");
    }
}

/* Reads one tick's share from each connection that is still open. */
static void read_share(struct slow_readers *readers)
{
    char bytes[RESPONSE_BYTES_MAX];
    for (size_t i = 0; i < readers->count; i++) {
        if (readers->fds[i] < 0)
            continue;
        const ssize_t received = recv(readers->fds[i], bytes, readers->bytes_a_tick, MSG_DONTWAIT);
        if (received > 0 || (received < 0 && errno == EAGAIN))
            continue;
        (void)close(readers->fds[i]); /* what it would say is of no interest */
        readers->fds[i] = -1;
        readers->lost_count++;
    }
}

static void *run_slow(void *argument)
{
    struct slow_readers *readers = argument;
    const struct timespec tick = {.tv_nsec = 1000000000L / TICKS_A_SECOND};
    while (!atomic_load(&stopping)) {
        read_share(readers);
        (void)nanosleep(&tick, NULL); /* a signal would only shorten a tick */
    }
    return NULL;
}

/* Asks again and again for `seconds`; returns how many latencies it wrote into samples. */
static size_t probe(double seconds, uint64_t *samples)
{
    const uint64_t end = now_ns() + (uint64_t)(seconds * 1e9);
    size_t count = 0;
    int fd = connect_to_server(0);
    while (now_ns() < end && count < SAMPLES_MAX) {
        const uint64_t start = now_ns();
        send_request(fd, "/small.html");
        if (!read_response(fd)) {
            fputs("an ordinary request was refused\n", stderr);
            exit(1);
        }
        samples[count++] = now_ns() - start;
    }
    (void)close(fd); /* only read from */
    return count;
}

static int compare_samples(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left;
    const uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        fail("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit))
        fail("setrlimit");
}

static unsigned long number(const char *text)
{
    char *end;
    const unsigned long value = strtoul(text, &end, 10);
    if (*end || end == text) {
        fprintf(stderr, "not a number: %s\n", text);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fputs("usage: slow_clients PORT SECONDS IDLE SLOW RATE\n", stderr);
        return 2;
    }
    port = (uint16_t)number(argv[1]);
    const size_t idle_count = number(argv[3]);
    struct slow_readers readers = {.count = number(argv[4]),
                                   .bytes_a_tick = number(argv[5]) / TICKS_A_SECOND};
    uint64_t *samples = malloc(SAMPLES_MAX * sizeof *samples);
    if (!samples || readers.bytes_a_tick > RESPONSE_BYTES_MAX)
        return 1;
    raise_descriptor_limit();

    int *idle = open_idle(idle_count);
    open_slow(&readers);
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_slow, &readers))
        return 1;
    const size_t count = probe((double)number(argv[2]), samples);
    atomic_store(&stopping, true);
    if (pthread_join(thread, NULL) || !count)
        return 1;

    qsort(samples, count, sizeof *samples, compare_samples);
    printf("%zu %.1f %.1f %.1f %zu\n", count, (double)samples[count / 2] / 1e3,
           (double)samples[count - 1 - count / 100] / 1e3, (double)samples[count - 1] / 1e3,
           count_closed(idle, idle_count) + readers.lost_count);
    free(samples);
    free(idle);
    free(readers.fds);
    return 0;
}
