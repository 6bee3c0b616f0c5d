/* The limit case: what epoll, recv and send cost when nothing else is done.
 *
 *     limit PORT THREADS RESPONSE [FILE]
 *
 * Listens on 127.0.0.1:PORT and answers whatever ends in an empty line with the bytes of the file
 * RESPONSE, followed by those of FILE, if given, by sendfile. If the response says `Connection:
 * close`, the connection is closed after it. Nothing is parsed, checked, timed or logged: a server
 * that does its job costs more. Each thread has an epoll instance of its own, and the kernel
 * spreads the connections over them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/client.h"

#define RESPONSE_BYTES_MAX (1 << 20)
#define REQUEST_BYTES_MAX  8192
#define EVENTS_MAX         512
#define DESCRIPTORS_MAX    65536

/* How much of the answer is sent; -1 between two answers. Only the thread of a connection looks. */
static ptrdiff_t sent[DESCRIPTORS_MAX];

/* Constant once the threads run. */
static uint16_t port;
static char response[RESPONSE_BYTES_MAX];
static ptrdiff_t response_len;
static ptrdiff_t file_len;
static int file = -1;
static bool closes;

static void check(bool good, const char *what)
{
    if (!good)
        client_fail(what);
}

static int listen_on_port(void)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    check(fd >= 0, "socket");
    check(!setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), "SO_REUSEPORT");
    check(!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
    check(!bind(fd, (const struct sockaddr *)&address, sizeof address), "bind");
    check(!listen(fd, 4096), "listen");
    return fd;
}

static void watch(int epoll, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    check(!epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static void accept_all(int epoll, int listener)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (fd >= DESCRIPTORS_MAX) {
            (void)close(fd); /* nothing was read or written */
            continue;
        }
        sent[fd] = -1;
        watch(epoll, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    }
}

/* Sends what fits. Returns false when the socket is full or the connection has failed. */
static bool send_answer(int fd)
{
    while (sent[fd] < response_len + file_len) {
        ssize_t count;
        if (sent[fd] < response_len) {
            count = send(fd, response + sent[fd], (size_t)(response_len - sent[fd]),
                         MSG_NOSIGNAL | (file_len ? MSG_MORE : 0));
        } else {
            off_t offset = sent[fd] - response_len;
            count = sendfile(fd, file, &offset, (size_t)(file_len - offset));
        }
        if (count <= 0)
            return false;
        sent[fd] += count;
    }
    sent[fd] = -1;
    return true;
}

/* Reads a request and answers it, or goes on with an answer. A client that asks again before it has
 * the whole answer is not served: wrk and h2load do not. */
static void serve(int fd)
{
    char request[REQUEST_BYTES_MAX];
    bool open = true;
    if (sent[fd] < 0) {
        const ssize_t count = recv(fd, request, sizeof request, 0);
        if (count >= 4 && memcmp(request + count - 4, "\r\n\r\n", 4) == 0)
            sent[fd] = 0;
        else
            open = count > 0 || (count < 0 && errno == EAGAIN);
    }
    if (sent[fd] >= 0)
        open = send_answer(fd) ? !closes : errno == EAGAIN;
    if (!open)
        (void)close(fd); /* the peer is gone, or has all it asked for */
}

static void *run(void *unused)
{
    struct epoll_event events[EVENTS_MAX];
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    const int listener = listen_on_port();
    (void)unused;
    check(epoll >= 0, "epoll_create1");
    watch(epoll, listener, EPOLLIN);
    for (;;) {
        const int count = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                accept_all(epoll, listener);
            else
                serve(events[i].data.fd);
        }
    }
    return NULL;
}

static int open_file(const char *path, ptrdiff_t *out_len)
{
    struct stat status;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    check(fd >= 0 && !fstat(fd, &status), path);
    *out_len = status.st_size;
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 4 && argc != 5) {
        fputs("usage: limit PORT THREADS RESPONSE [FILE]\n", stderr);
        return 2;
    }
    port = (uint16_t)client_number(argv[1], UINT16_MAX);
    const int fd = open_file(argv[3], &response_len);
    check(response_len < RESPONSE_BYTES_MAX && read(fd, response, sizeof response) == response_len,
          argv[3]);
    closes = strstr(response, "\r\nConnection: close\r\n") != NULL;
    if (argc == 5)
        file = open_file(argv[4], &file_len);
    for (unsigned long i = client_number(argv[2], 64); i > 1; i--) {
        pthread_t thread;
        check(!pthread_create(&thread, NULL, run, NULL), "pthread_create");
    }
    (void)run(NULL);
    return 0;
}
