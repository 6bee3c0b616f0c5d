/* Starting another process and learning how that went. The other process is this program again: its
 * first argument says what it does.
 */
#include "server/control/launch.h"

#include "tests/unit/config_fixture.h"

#include <signal.h>
#include <sys/wait.h>

static char program[] = "test_launch";

/* --- the other process ---------------------------------------------------------------------- */

static void say_where(const struct inheritance *inheritance)
{
    char folder[256];
    char text[512];
    (void)snprintf(text, sizeof text, "in %s, session %d, pid file %d\nsecond line\n",
                   getcwd(folder, sizeof folder), getsid(0) == getpid(),
                   inheritance->pid_file >= 0);
    launch_tell_ready(inheritance->ready, text);
    (void)puts("on the output");
    (void)fflush(stdout);
}

static void say_faults(const struct inheritance *inheritance, unsigned count)
{
    FILE *errors = launch_open_errors(inheritance->ready);
    for (unsigned i = 0; i < count; i++)
        (void)fprintf(errors, "a.conf:%u: unknown key\n", i);
    (void)fclose(errors);
}

static int act(const char *what)
{
    struct inheritance inheritance = inheritance_take();
    if (strcmp(what, "serve") == 0) {
        say_where(&inheritance);
        return 0;
    }
    if (strcmp(what, "one fault") == 0)
        say_faults(&inheritance, 1);
    else if (strcmp(what, "many faults") == 0)
        say_faults(&inheritance, 10000);
    else if (strcmp(what, "fault and serve") == 0) {
        say_faults(&inheritance, 1);
        launch_tell_ready(inheritance.ready, "it serves\n");
        return 0;
    } else if (strcmp(what, "crash") == 0)
        (void)raise(SIGKILL);
    return strcmp(what, "silent") == 0 ? 7 : CONFIG_EXIT_INVALID;
}

/* --- the tests ------------------------------------------------------------------------------ */

static struct launched launch(const char *what, const char *output, const char *folder)
{
    char *arguments[] = {program, (char *)what, NULL};
    struct inheritance inheritance = {.socket = -1, .predecessor = -1, .ready = -1};
    struct launched launched = {0};
    inheritance.pid_file = open("held", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(inheritance.pid_file >= 0);
    assert_int_equal(launch_server(
                         &(struct launch){
                             .arguments = arguments,
                             .folder = folder,
                             .output = output,
                             .inheritance = &inheritance,
                         },
                         &launched),
                     0);
    assert_int_equal(close(inheritance.pid_file), 0);
    assert_non_null(launched.said);
    return launched;
}

static void assert_file_holds(const char *path, const char *expected)
{
    char bytes[256];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t len = read(fd, bytes, sizeof bytes - 1);
    assert_true(len >= 0);
    bytes[len] = '\0';
    assert_string_equal(bytes, expected);
    assert_int_equal(close(fd), 0);
}

static void launch_tells_what_the_new_process_says_when_it_serves(void **state)
{
    struct fixture *fixture = *state;
    char expected[256];
    struct launched launched = launch("serve", "output", "/");
    (void)fixture;
    assert_true(launched.pid > 0);
    (void)snprintf(expected, sizeof expected, "in /, session 1, pid file 1\nsecond line\n");
    assert_string_equal(launched.said, expected);
    free(launched.said);
    assert_int_equal(waitpid(launched.pid, NULL, 0), launched.pid);
    assert_file_holds("output", "on the output\n");
}

static void launch_tells_each_fault(void **state)
{
    (void)state;
    struct launched launched = launch("one fault", "output", NULL);
    assert_int_equal(launched.pid, -1);
    assert_int_equal(launched.status, CONFIG_EXIT_INVALID);
    assert_string_equal(launched.said, "a.conf:0: unknown key\n");
    free(launched.said);

    launched = launch("many faults", "output", NULL); /* more than a pipe holds */
    assert_int_equal(launched.status, CONFIG_EXIT_INVALID);
    assert_non_null(strstr(launched.said, "a.conf:9999: unknown key\n"));
    free(launched.said);
}

static void launch_of_one_that_serves_all_the_same_succeeds(void **state)
{
    (void)state;
    struct launched launched = launch("fault and serve", "output", NULL);
    assert_true(launched.pid > 0);
    assert_string_equal(launched.said, "it serves\n");
    free(launched.said);
    assert_int_equal(waitpid(launched.pid, NULL, 0), launched.pid);
}

static void launch_tells_of_an_end_without_a_word(void **state)
{
    (void)state;
    struct launched launched = launch("silent", "output", NULL);
    assert_int_equal(launched.pid, -1);
    assert_int_equal(launched.status, 7);
    assert_string_equal(launched.said, "it has ended with exit status 7; see output\n");
    free(launched.said);

    launched = launch("crash", NULL, NULL);
    assert_int_equal(launched.pid, -1);
    assert_int_equal(launched.status, 1);
    assert_string_equal(launched.said, "it was ended by signal 9 (Killed)\n");
    free(launched.said);
}

static void launch_that_cannot_be_prepared_is_told(void **state)
{
    (void)state;
    struct launched launched = launch("serve", "nowhere/output", NULL);
    assert_int_equal(launched.pid, -1);
    assert_int_equal(launched.status, 1);
    assert_string_equal(launched.said, "cannot open nowhere/output: No such file or directory\n");
    free(launched.said);

    launched = launch("serve", "output", "nowhere");
    assert_string_equal(launched.said,
                        "cannot go to the folder nowhere: No such file or directory\n");
    free(launched.said);
}

/* Nobody is left to hear it. */
static void launch_ready_without_a_listener_is_no_error(void **state)
{
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(close(ends[0]), 0);
    launch_tell_ready(ends[1], "it serves\n");
    assert_int_equal(fcntl(ends[1], F_GETFD), -1);
}

int main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc == 2)
        return act(argv[1]);
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(launch_tells_what_the_new_process_says_when_it_serves),
        FIXTURE_TEST(launch_tells_each_fault),
        FIXTURE_TEST(launch_of_one_that_serves_all_the_same_succeeds),
        FIXTURE_TEST(launch_tells_of_an_end_without_a_word),
        FIXTURE_TEST(launch_that_cannot_be_prepared_is_told),
        FIXTURE_TEST(launch_ready_without_a_listener_is_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
