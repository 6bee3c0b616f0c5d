/* The file that a background server's output goes to. Standard output and errors are changed here,
 * so each test runs in a process of its own.
 */
#include "server/control/output.h"

#include "tests/unit/config_fixture.h"

#include <sys/wait.h>

static void in_a_process(bool (*test)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(test() ? 0 : 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static bool is_file(const char *path)
{
    char *found = output_file("tarn.pid");
    bool result = path ? found && strcmp(found, path) == 0 : !found;
    free(found);
    return result;
}

static long size_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (long)status.st_size : -1;
}

static bool find_and_open_again(void)
{
    if (output_reopen("tarn.log") != 0 || !is_file("tarn.log"))
        return false;
    if (write(STDOUT_FILENO, "one\n", 4) != 4 || rename("tarn.log", "moved") != 0)
        return false;
    if (!is_file(NULL) || output_reopen("tarn.log") != 0 || !is_file("tarn.log"))
        return false;
    return write(STDERR_FILENO, "three\n", 6) == 6 && size_of("moved") == 4 &&
           size_of("tarn.log") == 6;
}

static bool keep_the_old_one(void)
{
    return output_reopen("tarn.log") == 0 && output_reopen("nowhere/tarn.log") == -1 &&
           is_file("tarn.log");
}

static bool find_none(void)
{
    int other = open("other", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    return is_file(NULL) && output_reopen("tarn.log") == 0 && dup2(other, STDERR_FILENO) >= 0 &&
           is_file(NULL);
}

static void output_is_found_and_opened_again(void **state)
{
    (void)state;
    in_a_process(find_and_open_again);
}

static void output_that_cannot_be_opened_again_stays(void **state)
{
    (void)state;
    in_a_process(keep_the_old_one);
}

static void output_elsewhere_is_none(void **state)
{
    (void)state;
    in_a_process(find_none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(output_is_found_and_opened_again),
        FIXTURE_TEST(output_that_cannot_be_opened_again_stays),
        FIXTURE_TEST(output_elsewhere_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
