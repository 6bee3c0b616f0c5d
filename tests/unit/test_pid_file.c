/* Who has the pid file: whoever holds its lock, whatever stands in it. */
#include "server/control/pid_file.h"

#include "tests/unit/config_fixture.h"

#include <errno.h>
#include <sys/wait.h>

#define PATH "tarn.pid"

static void pid_file_has_no_holder_when_it_is_not_there(void **state)
{
    (void)state;
    assert_int_equal(pid_file_holder(PATH), 0);
}

static void pid_file_left_behind_has_no_holder(void **state)
{
    (void)state;
    fixture_write(PATH, "1\n"); /* a process that is there, but not ours */
    assert_int_equal(pid_file_holder(PATH), 0);
}

static void pid_file_claimed_has_the_holder_that_was_written(void **state)
{
    (void)state;
    fixture_write(PATH, "99999999999\nolder and longer\n");
    int claim = pid_file_claim(PATH);
    assert_true(claim >= 0);
    assert_int_equal(pid_file_write(claim, 1234), 0);
    assert_int_equal(pid_file_holder(PATH), 1234);
    assert_int_equal(close(claim), 0);
    assert_int_equal(pid_file_holder(PATH), 0);
}

static void pid_file_claimed_without_a_number_has_no_holder_yet(void **state)
{
    static const char *const texts[] = {"", "\n", "x\n", "12", "-1\n", "99999999999\n"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int claim = pid_file_claim(PATH);
        assert_true(claim >= 0);
        fixture_write(PATH, texts[i]);
        assert_int_equal(pid_file_holder(PATH), 0);
        assert_int_equal(close(claim), 0);
    }
}

/* A claim is for a server that is about to start: till then a number of old is nobody's. */
static void pid_file_claim_forgets_the_number_of_a_crashed_server(void **state)
{
    (void)state;
    fixture_write(PATH, "1\n");
    int claim = pid_file_claim(PATH);
    assert_true(claim >= 0);
    assert_int_equal(pid_file_holder(PATH), 0);
    assert_int_equal(close(claim), 0);
}

static void pid_file_number_replaces_a_longer_one(void **state)
{
    (void)state;
    int claim = pid_file_claim(PATH);
    assert_int_equal(pid_file_write(claim, 123456), 0);
    assert_true(pid_file_names(claim, 123456));
    assert_int_equal(pid_file_write(claim, 99), 0);
    assert_true(pid_file_names(claim, 99));
    assert_false(pid_file_names(claim, 123456));
    assert_int_equal(pid_file_holder(PATH), 99);
    struct stat status;
    assert_int_equal(stat(PATH, &status), 0);
    assert_int_equal(status.st_size, 3);
    assert_int_equal(close(claim), 0);
    assert_false(pid_file_names(-1, 99));
}

static void pid_file_that_was_moved_is_not_at_its_path(void **state)
{
    (void)state;
    int claim = pid_file_claim(PATH);
    assert_true(pid_file_is_at(claim, PATH));
    assert_false(pid_file_is_at(claim, "other"));
    assert_int_equal(rename(PATH, "other"), 0);
    fixture_write(PATH, "");
    assert_false(pid_file_is_at(claim, PATH));
    assert_int_equal(close(claim), 0);
}

static void pid_file_second_claim_is_refused(void **state)
{
    (void)state;
    int claim = pid_file_claim(PATH);
    assert_true(claim >= 0);
    assert_int_equal(pid_file_claim(PATH), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    assert_int_equal(close(claim), 0);
    claim = pid_file_claim(PATH);
    assert_true(claim >= 0);
    assert_int_equal(close(claim), 0);
}

/* The lock belongs to the open file, not to the process. */
static void pid_file_claim_is_inherited(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int claim = pid_file_claim(PATH);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char byte;
        (void)close(ends[1]);
        _exit(read(ends[0], &byte, 1) == 0 ? 0 : 1); /* until the parent closes its end */
    }
    assert_int_equal(pid_file_write(claim, child), 0);
    assert_int_equal(close(claim), 0);
    assert_int_equal(pid_file_holder(PATH), child);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(pid_file_holder(PATH), 0);
    assert_int_equal(close(ends[0]), 0);
}

static void pid_file_is_open_in_the_process_that_has_claimed_it(void **state)
{
    (void)state;
    assert_false(pid_file_is_open_in(PATH, getpid()));
    int claim = pid_file_claim(PATH);
    assert_true(pid_file_is_open_in(PATH, getpid()));
    assert_false(pid_file_is_open_in("other", getpid()));
    assert_false(pid_file_is_open_in(PATH, INT32_MAX)); /* no process has that number */
    fixture_write("other", "");
    assert_false(pid_file_is_open_in("other", getpid()));
    assert_int_equal(close(claim), 0);
    assert_false(pid_file_is_open_in(PATH, getpid()));
}

static void pid_file_that_is_a_link_is_not_claimed(void **state)
{
    (void)state;
    fixture_write("other", "x");
    assert_int_equal(symlink("other", PATH), 0);
    assert_int_equal(pid_file_claim(PATH), -1);
    assert_int_equal(errno, ELOOP);
    assert_int_equal(pid_file_holder(PATH), -1);
}

static void pid_file_in_no_folder_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(pid_file_claim("nowhere/" PATH), -1);
    assert_int_equal(errno, ENOENT);
}

static void pid_file_sibling_has_its_name(void **state)
{
    static const struct {
        const char *path;
        const char *sibling;
    } rows[] = {
        {"tarn.pid", "tarn.log"},   {"/run/x.pid", "/run/x.log"}, {"tarn", "tarn.log"},
        {"a.pid.b", "a.pid.b.log"}, {".pid", ".pid.log"},         {"pid", "pid.log"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *sibling = pid_file_sibling(rows[i].path, ".log");
        assert_string_equal(sibling, rows[i].sibling);
        free(sibling);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(pid_file_has_no_holder_when_it_is_not_there),
        FIXTURE_TEST(pid_file_left_behind_has_no_holder),
        FIXTURE_TEST(pid_file_claimed_has_the_holder_that_was_written),
        FIXTURE_TEST(pid_file_claimed_without_a_number_has_no_holder_yet),
        FIXTURE_TEST(pid_file_claim_forgets_the_number_of_a_crashed_server),
        FIXTURE_TEST(pid_file_number_replaces_a_longer_one),
        FIXTURE_TEST(pid_file_that_was_moved_is_not_at_its_path),
        FIXTURE_TEST(pid_file_second_claim_is_refused),
        FIXTURE_TEST(pid_file_claim_is_inherited),
        FIXTURE_TEST(pid_file_is_open_in_the_process_that_has_claimed_it),
        FIXTURE_TEST(pid_file_that_is_a_link_is_not_claimed),
        FIXTURE_TEST(pid_file_in_no_folder_is_an_error),
        FIXTURE_TEST(pid_file_sibling_has_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
