#include "http/socket_transport.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static int near;
static int far;
static struct transport transport;

/* A pair of sockets of TCP: the count of unacknowledged bytes is TCP's. */
static int connect_pair(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    (void)state;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || far < 0 ||
        bind(listener, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
        connect(far, (const struct sockaddr *)&address, sizeof(address)) != 0)
        return -1;
    near = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    transport = socket_transport(&near, true);
    return near < 0 || close(listener) != 0;
}

static int close_pair(void **state)
{
    (void)state;
    return close(near) | (far >= 0 && close(far) != 0);
}

static ssize_t send_text(const char *text, bool more)
{
    struct iovec part = {(void *)text, strlen(text)};
    return transport.send(transport.context, &part, 1, more);
}

/* Waits until the near side has something to be told. */
static void await(short events)
{
    struct pollfd ready = {.fd = near, .events = events};
    assert_int_equal(poll(&ready, 1, 10000), 1);
}

static void hear(const char *text)
{
    char bytes[256];
    assert_int_equal(recv(far, bytes, strlen(text), MSG_WAITALL), strlen(text));
    assert_memory_equal(bytes, text, strlen(text));
}

static void socket_transport_receives_what_has_come(void **state)
{
    char bytes[16];
    (void)state;
    assert_int_equal(transport.receive(transport.context, bytes, sizeof(bytes)), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(send(far, "hello", 5, 0), 5);
    await(POLLIN);
    assert_int_equal(transport.receive(transport.context, bytes, 3), 3);
    assert_int_equal(transport.receive(transport.context, bytes + 3, sizeof(bytes) - 3), 2);
    assert_memory_equal(bytes, "hello", 5);
}

static void socket_transport_receives_the_end(void **state)
{
    char bytes[16];
    (void)state;
    assert_int_equal(shutdown(far, SHUT_WR), 0);
    await(POLLIN);
    assert_int_equal(transport.receive(transport.context, bytes, sizeof(bytes)), 0);
}

static void socket_transport_sends_the_parts_in_order(void **state)
{
    struct iovec parts[] = {{(void *)"one", 3}, {(void *)" two", 4}, {(void *)" three", 6}};
    (void)state;
    assert_int_equal(transport.send(transport.context, parts, 3, false), 13);
    hear("one two three");
}

/* What waits for more is not lost: it goes with the next bytes. */
static void socket_transport_sends_what_follows_with_it(void **state)
{
    (void)state;
    assert_int_equal(send_text("one", true), 3);
    assert_int_equal(send_text(" two", false), 4);
    hear("one two");
}

static void socket_transport_sends_a_part_of_a_file(void **state)
{
    (void)state;
    int file = memfd_create("file", MFD_CLOEXEC);
    assert_int_equal(write(file, "0123456789", 10), 10);
    assert_int_equal(transport.send_file(transport.context, file, 3, 4), 4);
    hear("3456");
    assert_int_equal(transport.send_file(transport.context, file, 8, 4), 2);
    assert_int_equal(transport.send_file(transport.context, file, 10, 4), 0);
    assert_int_equal(close(file), 0);
}

static void socket_transport_may_be_without_files(void **state)
{
    (void)state;
    assert_null(socket_transport(&near, false).send_file);
}

static void socket_transport_full_socket_would_block(void **state)
{
    static char block[65536];
    struct iovec part = {block, sizeof(block)};
    ssize_t n;
    (void)state;
    uint64_t taken = 0;
    while ((n = transport.send(transport.context, &part, 1, false)) > 0)
        taken += (uint64_t)n;
    assert_int_equal(errno, EAGAIN);

    /* The peer reads nothing, but its kernel has taken some of it. */
    uint64_t left = transport.unacknowledged(transport.context);
    assert_in_range(left, 1, taken);
    int file = memfd_create("file", MFD_CLOEXEC);
    assert_int_equal(ftruncate(file, 1000), 0);
    assert_int_equal(transport.send_file(transport.context, file, 0, 1000), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(close(file), 0);
}

static void socket_transport_bytes_that_arrived_are_acknowledged(void **state)
{
    (void)state;
    assert_int_equal(transport.unacknowledged(transport.context), 0);
    assert_int_equal(send_text("hello", false), 5);
    hear("hello");
    /* On loopback the acknowledgement is there before or with the bytes, at the latest after the
     * longest delay of TCP.
     */
    for (int tries = 0; tries < 1000 && transport.unacknowledged(transport.context) > 0; tries++)
        (void)poll(NULL, 0, 1);
    assert_int_equal(transport.unacknowledged(transport.context), 0);
}

static void socket_transport_finish_ends_one_direction(void **state)
{
    char bytes[16];
    (void)state;
    assert_int_equal(send_text("bye", false), 3);
    transport.finish(transport.context);
    hear("bye");
    assert_int_equal(recv(far, bytes, sizeof(bytes), 0), 0);
    assert_int_equal(send(far, "still here", 10, 0), 10);
    await(POLLIN);
    assert_int_equal(transport.receive(transport.context, bytes, sizeof(bytes)), 10);
}

static void socket_transport_limit_of_unsent_bytes_can_be_lifted(void **state)
{
    int unsent = 65536;
    socklen_t size = sizeof(unsent);
    (void)state;
    assert_int_equal(setsockopt(near, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, size), 0);
    transport.hold_more(transport.context, true);
    assert_int_equal(getsockopt(near, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, &size), 0);
    assert_int_equal(unsent, 0);
    transport.hold_more(transport.context, false);
    assert_int_equal(getsockopt(near, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, &size), 0);
    assert_int_equal(unsent, SOCKET_UNSENT_BYTES);
}

/* An error and no signal: SIGPIPE would end the test. */
static void socket_transport_peer_that_has_gone_is_an_error(void **state)
{
    struct linger now = {.l_onoff = 1};
    char bytes[16];
    (void)state;
    assert_int_equal(setsockopt(far, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
    assert_int_equal(close(far), 0);
    far = -1;
    await(POLLIN);
    assert_int_equal(transport.receive(transport.context, bytes, sizeof(bytes)), -1);
    assert_int_equal(errno, ECONNRESET);
    assert_int_equal(send_text("hello", false), -1);
    assert_int_equal(errno, EPIPE);
    assert_int_equal(transport.unacknowledged(transport.context), 0);
    transport.finish(transport.context);
}

#define SOCKET_TEST(test) cmocka_unit_test_setup_teardown(test, connect_pair, close_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SOCKET_TEST(socket_transport_receives_what_has_come),
        SOCKET_TEST(socket_transport_receives_the_end),
        SOCKET_TEST(socket_transport_sends_the_parts_in_order),
        SOCKET_TEST(socket_transport_sends_what_follows_with_it),
        SOCKET_TEST(socket_transport_sends_a_part_of_a_file),
        SOCKET_TEST(socket_transport_may_be_without_files),
        SOCKET_TEST(socket_transport_full_socket_would_block),
        SOCKET_TEST(socket_transport_bytes_that_arrived_are_acknowledged),
        SOCKET_TEST(socket_transport_finish_ends_one_direction),
        SOCKET_TEST(socket_transport_limit_of_unsent_bytes_can_be_lifted),
        SOCKET_TEST(socket_transport_peer_that_has_gone_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
