#include "server/listen_socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static int option_of(int fd, int level, int name)
{
    int value = 0;
    socklen_t size = sizeof(value);
    assert_int_equal(getsockopt(fd, level, name, &value, &size), 0);
    return value;
}

/* Connects to the port on the IPv4 loopback address. */
static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void listen_socket_takes_connections(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "0.0.0.0", "*"};
    (void)state;
    for (size_t i = 0; i < ROWS(hosts); i++) {
        int listener = listen_socket_open(hosts[i], 0, 10);
        if (listener < 0)
            fail_msg("%s: errno %d", hosts[i], errno);
        uint16_t port = listen_socket_port(listener);
        assert_int_not_equal(port, 0);
        int client = connect_to(port);
        int server = accept(listener, NULL, NULL);
        assert_true(server >= 0);
        assert_int_equal(close(server) | close(client) | close(listener), 0);
    }
}

static void listen_socket_neither_blocks_nor_is_inherited(void **state)
{
    (void)state;
    int listener = listen_socket_open("127.0.0.1", 0, 10);
    assert_int_equal(accept(listener, NULL, NULL), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(fcntl(listener, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(close(listener), 0);
}

static void listen_socket_options_are_inherited_by_connections(void **state)
{
    (void)state;
    int listener = listen_socket_open("127.0.0.1", 0, 10);
    int client = connect_to(listen_socket_port(listener));
    int server = accept(listener, NULL, NULL);
    assert_int_equal(option_of(server, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(option_of(server, IPPROTO_TCP, TCP_NOTSENT_LOWAT),
                     option_of(listener, IPPROTO_TCP, TCP_NOTSENT_LOWAT));
    assert_in_range(option_of(server, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 1, 1048576);
    assert_int_equal(close(server) | close(client) | close(listener), 0);
}

static void listen_socket_port_that_is_taken_is_an_error(void **state)
{
    (void)state;
    int listener = listen_socket_open("127.0.0.1", 0, 10);
    assert_int_equal(listen_socket_open("127.0.0.1", listen_socket_port(listener), 10), -1);
    assert_int_equal(errno, EADDRINUSE);
    assert_int_equal(close(listener), 0);
}

/* Connections of the server that ran before are still closing: the port can be had all the same. */
static void listen_socket_port_can_be_had_again_at_once(void **state)
{
    (void)state;
    int listener = listen_socket_open("127.0.0.1", 0, 10);
    uint16_t port = listen_socket_port(listener);
    int client = connect_to(port);
    int server = accept(listener, NULL, NULL);
    assert_int_equal(close(server) | close(listener), 0);
    listener = listen_socket_open("127.0.0.1", port, 10);
    assert_true(listener >= 0);
    assert_int_equal(listen_socket_port(listener), port);
    assert_int_equal(close(client) | close(listener), 0);
}

static void listen_socket_other_names_are_no_address(void **state)
{
    static const char *const hosts[] = {"example.org", "", "127.0.0.1.1", "[::1]", "300.0.0.1"};
    (void)state;
    for (size_t i = 0; i < ROWS(hosts); i++) {
        assert_int_equal(listen_socket_open(hosts[i], 0, 10), -1);
        assert_int_equal(errno, EADDRNOTAVAIL);
    }
}

static void listen_socket_port_of_what_is_no_socket_is_none(void **state)
{
    (void)state;
    assert_int_equal(listen_socket_port(-1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listen_socket_takes_connections),
        cmocka_unit_test(listen_socket_neither_blocks_nor_is_inherited),
        cmocka_unit_test(listen_socket_options_are_inherited_by_connections),
        cmocka_unit_test(listen_socket_port_that_is_taken_is_an_error),
        cmocka_unit_test(listen_socket_port_can_be_had_again_at_once),
        cmocka_unit_test(listen_socket_other_names_are_no_address),
        cmocka_unit_test(listen_socket_port_of_what_is_no_socket_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
