/* Descriptors that one program hands to the next: what is put into the environment comes out of it.
 */
#include "server/control/inheritance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct inheritance nothing = {
    .socket = -1, .pid_file = -1, .predecessor = -1, .ready = -1};

static void set(const char *pid, const char *count, const char *names)
{
    char own[16];
    (void)snprintf(own, sizeof own, "%d", (int)getpid());
    assert_int_equal(setenv("LISTEN_PID", pid ? pid : own, 1), 0);
    assert_int_equal(setenv("LISTEN_FDS", count, 1), 0);
    if (names)
        assert_int_equal(setenv("LISTEN_FDNAMES", names, 1), 0);
    else
        assert_int_equal(unsetenv("LISTEN_FDNAMES"), 0);
}

/* Opens files at 3, 4, ... */
static void open_files(int count)
{
    int file = open("/dev/null", O_RDONLY);
    assert_true(file >= 0);
    for (int fd = 3; fd < 3 + count; fd++) {
        if (file != fd)
            assert_int_equal(dup2(file, fd), fd);
    }
    if (file >= 3 + count)
        assert_int_equal(close(file), 0);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void assert_taken(const struct inheritance *taken, int socket, int pid_file, int predecessor,
                         int ready)
{
    assert_int_equal(taken->socket, socket);
    assert_int_equal(taken->pid_file, pid_file);
    assert_int_equal(taken->predecessor, predecessor);
    assert_int_equal(taken->ready, ready);
}

/* These tests use up low descriptors, so each runs in a process of its own. */
static void run_apart(void (*test)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        test();
        _exit(0);
    }
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void take_from_manager(void)
{
    open_files(2);
    set(NULL, "2", NULL);
    struct inheritance taken = inheritance_take();
    assert_taken(&taken, 3, -1, -1, -1);
    assert_true(taken.is_from_manager);
    assert_false(is_open(4)); /* only one is served */
    assert_int_equal(fcntl(3, F_GETFD), FD_CLOEXEC);
    assert_null(getenv("LISTEN_PID"));
    assert_null(getenv("LISTEN_FDS"));
    inheritance_close(&taken);
    assert_false(is_open(3));
}

static void take_by_name(void)
{
    open_files(4);
    set(NULL, "4", "ready:listen:pid_file:predecessor");
    struct inheritance taken = inheritance_take();
    assert_taken(&taken, 4, 5, 6, 3);
    assert_false(taken.is_from_manager);
}

static void take_of_another_process(void)
{
    open_files(1);
    set("1", "1", NULL);
    struct inheritance taken = inheritance_take();
    assert_taken(&taken, -1, -1, -1, -1);
    assert_true(is_open(3));
}

static void take_nonsense(void)
{
    static const char *const counts[] = {"", "-1", "x", "99999999999999999999", "0"};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        set(NULL, counts[i], "listen");
        struct inheritance taken = inheritance_take();
        assert_taken(&taken, -1, -1, -1, -1);
    }
    for (int fd = 3; fd < 100; fd++)
        (void)close(fd); /* none of these is open then */
    set(NULL, "3", "listen::");
    struct inheritance taken = inheritance_take();
    assert_taken(&taken, -1, -1, -1, -1);
}

static void bequeath_all(void)
{
    int ends[2];
    struct inheritance given = nothing;
    open_files(3);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    given.socket = ends[0];
    given.ready = 3; /* stands where another has to go */
    given.pid_file = ends[1];
    assert_int_equal(inheritance_bequeath(&given), 0);
    assert_int_equal(fcntl(3, F_GETFD), 0); /* stays open in the next program */
    struct inheritance taken = inheritance_take();
    assert_taken(&taken, 3, 4, -1, 5);
    assert_false(taken.is_from_manager);
    struct stat status;
    assert_int_equal(fstat(3, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
    assert_int_equal(fstat(5, &status), 0);
    assert_true(S_ISCHR(status.st_mode));
}

/* Such as the lock of a script that starts the server. */
static void bequeath_nothing_else(void)
{
    struct inheritance given = nothing;
    open_files(60);
    given.pid_file = 40;
    assert_int_equal(inheritance_bequeath(&given), 0);
    for (int fd = 0; fd < 63; fd++)
        assert_int_equal(fcntl(fd, F_GETFD), fd <= 3 ? 0 : FD_CLOEXEC);
}

static void inheritance_of_a_manager_is_its_first_socket(void **state)
{
    (void)state;
    run_apart(take_from_manager);
}

static void inheritance_is_told_apart_by_names(void **state)
{
    (void)state;
    run_apart(take_by_name);
}

static void inheritance_of_another_process_is_left_alone(void **state)
{
    (void)state;
    run_apart(take_of_another_process);
}

static void inheritance_that_makes_no_sense_is_none(void **state)
{
    (void)state;
    run_apart(take_nonsense);
}

static void inheritance_that_is_bequeathed_can_be_taken(void **state)
{
    (void)state;
    run_apart(bequeath_all);
}

static void inheritance_has_nothing_else_with_it(void **state)
{
    (void)state;
    run_apart(bequeath_nothing_else);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inheritance_of_a_manager_is_its_first_socket),
        cmocka_unit_test(inheritance_is_told_apart_by_names),
        cmocka_unit_test(inheritance_of_another_process_is_left_alone),
        cmocka_unit_test(inheritance_that_makes_no_sense_is_none),
        cmocka_unit_test(inheritance_that_is_bequeathed_can_be_taken),
        cmocka_unit_test(inheritance_has_nothing_else_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
