/* Messages over the control socket: their bounds, their descriptors, and who may connect. */
#include "server/control/message.h"

#include "tests/unit/config_fixture.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

static struct message message;

/* Both ends of a connection. */
struct ends {
    int here;
    int there;
};

static struct ends connect_to(const char *path)
{
    struct ends ends;
    int listening = message_listen(path);
    assert_true(listening >= 0);
    ends.here = message_connect(path);
    assert_true(ends.here >= 0);
    ends.there = accept(listening, NULL, NULL);
    assert_true(ends.there >= 0);
    assert_int_equal(close(listening), 0);
    return ends;
}

static void disconnect(struct ends ends)
{
    assert_int_equal(close(ends.here), 0);
    assert_int_equal(close(ends.there), 0);
}

static void message_arrives_whole_and_apart_from_the_next(void **state)
{
    (void)state;
    struct ends ends = connect_to("s");
    assert_int_equal(message_send(ends.here, "one", 3, NULL, 0), 0);
    assert_int_equal(message_send(ends.here, "three", 5, NULL, 0), 0);
    assert_int_equal(message_receive(ends.there, &message, 1000), 1);
    assert_string_equal(message.bytes, "one");
    assert_int_equal(message_receive(ends.there, &message, 1000), 1);
    assert_string_equal(message.bytes, "three");
    assert_int_equal(message.len, 5);
    assert_int_equal(message.descriptor_count, 0);
    disconnect(ends);
}

static void message_of_the_largest_size_arrives(void **state)
{
    (void)state;
    static char bytes[MESSAGE_BYTES_MAX];
    memset(bytes, 'x', sizeof bytes);
    struct ends ends = connect_to("s");
    assert_int_equal(message_send(ends.here, bytes, sizeof bytes, NULL, 0), 0);
    assert_int_equal(message_receive(ends.there, &message, 1000), 1);
    assert_int_equal(message.len, sizeof bytes);
    assert_memory_equal(message.bytes, bytes, sizeof bytes);
    disconnect(ends);
}

static void message_carries_descriptors(void **state)
{
    (void)state;
    int pipe_ends[2];
    char byte = 0;
    struct ends ends = connect_to("s");
    assert_int_equal(pipe(pipe_ends), 0);
    assert_int_equal(message_send(ends.here, "x", 1, pipe_ends, 2), 0);
    assert_int_equal(message_receive(ends.there, &message, 1000), 1);
    assert_int_equal(message.descriptor_count, 2);
    assert_int_equal(write(message.descriptors[1], "y", 1), 1);
    assert_int_equal(read(pipe_ends[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(fcntl(message.descriptors[i], F_GETFD), FD_CLOEXEC);
        assert_int_equal(close(message.descriptors[i]), 0);
        assert_int_equal(close(pipe_ends[i]), 0);
    }
    disconnect(ends);
}

static void message_that_does_not_come_is_not_waited_for(void **state)
{
    (void)state;
    struct ends ends = connect_to("s");
    assert_int_equal(message_receive(ends.there, &message, 0), -1);
    assert_int_equal(errno, ETIME);
    assert_int_equal(shutdown(ends.here, SHUT_WR), 0);
    assert_int_equal(message_receive(ends.there, &message, 1000), 0);
    disconnect(ends);
}

static void message_socket_is_the_users_own(void **state)
{
    (void)state;
    struct stat status;
    struct ends ends = connect_to("s");
    assert_int_equal(stat("s", &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    disconnect(ends);
}

static void message_listen_takes_the_place_of_another(void **state)
{
    (void)state;
    fixture_write("s", "left behind");
    int first = message_listen("s");
    assert_true(first >= 0);
    struct ends ends = connect_to("s");
    struct pollfd waiting = {.fd = first, .events = POLLIN};
    assert_int_equal(poll(&waiting, 1, 0), 0);
    assert_int_equal(close(first), 0);
    disconnect(ends);
}

/* Longer than an address has room for. */
static void message_path_may_be_long(void **state)
{
    (void)state;
    char folder[151];
    char path[170];
    memset(folder, 'f', sizeof folder - 1);
    folder[sizeof folder - 1] = '\0';
    assert_int_equal(mkdir(folder, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/control", folder);
    disconnect(connect_to(path));
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(message_listen(path), -1);
    assert_int_equal(errno, ENAMETOOLONG);
}

static void message_connect_without_a_server_fails(void **state)
{
    (void)state;
    assert_int_equal(message_connect("s"), -1);
    assert_int_equal(errno, ENOENT);
    disconnect(connect_to("s"));
    assert_int_equal(message_connect("s"), -1);
    assert_int_equal(errno, ECONNREFUSED);
    assert_int_equal(message_listen("nowhere/s"), -1);
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(message_arrives_whole_and_apart_from_the_next),
        FIXTURE_TEST(message_of_the_largest_size_arrives),
        FIXTURE_TEST(message_carries_descriptors),
        FIXTURE_TEST(message_that_does_not_come_is_not_waited_for),
        FIXTURE_TEST(message_socket_is_the_users_own),
        FIXTURE_TEST(message_listen_takes_the_place_of_another),
        FIXTURE_TEST(message_path_may_be_long),
        FIXTURE_TEST(message_connect_without_a_server_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
