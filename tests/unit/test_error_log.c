/* The error log: form of the lines, formats, levels, hostile bytes, sinks that block or fail, files
 * that are opened again, threads.
 */
#include "server/log/error_log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static char folder[] = "/tmp/test_error_log_XXXXXX";
static char path[64];
static char content[1 << 20];

static int setup_folder(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/log", folder);
    return 0;
}

static int teardown_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int remove_file(void **state)
{
    (void)state;
    error_log_close();
    (void)unlink(path);
    return 0;
}

/* Reads what there is; the descriptor may be a pipe that does not block. */
static const char *read_all(int fd)
{
    size_t len = 0;
    ssize_t count;
    while ((count = read(fd, content + len, sizeof content - 1 - len)) > 0)
        len += (size_t)count;
    content[len] = '\0';
    return content;
}

static const char *read_log(void)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    (void)read_all(fd);
    assert_int_equal(close(fd), 0);
    return content;
}

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

static void assert_matches(const char *text, const char *pattern)
{
    regex_t compiled;
    assert_int_equal(regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB), 0);
    int result = regexec(&compiled, text, 0, NULL, 0);
    regfree(&compiled);
    if (result != 0)
        fail_msg("\"%s\" does not match %s", text, pattern);
}

#define PREFIX(level)                                                                              \
    "^\\[20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{3}Z\\] "         \
    "\\[" level "\\] \\[[0-9]+:[0-9]+\\] "

/* -- Lines -- */

static void error_log_line_has_the_documented_form(void **state)
{
    (void)state;
    assert_int_equal(error_log_open(path, LOG_INFO), 0);
    error_log(LOG_WARN, "192.0.2.7", "%d of %s", 3, "those");
    assert_matches(read_log(), PREFIX("warn") "\\[192\\.0\\.2\\.7\\] 3 of those\n$");
    char ids[32];
    snprintf(ids, sizeof ids, "[%d:%d]", (int)getpid(), (int)gettid());
    assert_non_null(strstr(content, ids));
}

static void error_log_no_client_is_a_dash(void **state)
{
    (void)state;
    assert_int_equal(error_log_open(path, LOG_INFO), 0);
    error_log(LOG_ERROR, NULL, "x");
    assert_matches(read_log(), PREFIX("error") "\\[-\\] x\n$");
}

static void error_log_errno_is_described(void **state)
{
    (void)state;
    assert_int_equal(error_log_open(path, LOG_INFO), 0);
    error_log_errno(LOG_INFO, ENOSPC, NULL, "cannot write");
    error_log_errno(LOG_INFO, 99999, NULL, "odd");
    assert_matches(read_log(), PREFIX("info") "\\[-\\] cannot write: No space left on device\n");
    assert_non_null(strstr(content, "odd: error 99999\n"));
}

/* Whoever has started the server reads the errors of the main thread, and only these. */
static void error_log_errors_are_also_told(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(error_log_open("off", LOG_INFO), 0);
    error_log_tell(ends[1], false);
    error_log(LOG_WARN, NULL, "a warning");
    error_log(LOG_ERROR, NULL, "no %s", "room");
    error_log_errno(LOG_ERROR, ENOENT, NULL, "cannot open %s", "it");
    error_log_tell(-1, false);
    error_log(LOG_ERROR, NULL, "later");
    assert_int_equal(close(ends[1]), 0);
    assert_string_equal(read_all(ends[0]), "no room\ncannot open it: No such file or directory\n");
    assert_int_equal(close(ends[0]), 0);
}

static void error_log_errors_are_only_told_where_the_log_would_show_them_again(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(error_log_open(path, LOG_INFO), 0);
    error_log_tell(ends[1], true);
    error_log(LOG_WARN, NULL, "a warning");
    error_log(LOG_ERROR, NULL, "no room");
    error_log_tell(-1, false);
    assert_int_equal(close(ends[1]), 0);
    assert_string_equal(read_all(ends[0]), "no room\n");
    assert_int_equal(close(ends[0]), 0);
    assert_matches(read_log(), PREFIX("warn") "\\[-\\] a warning\n");
    assert_null(strstr(content, "no room"));
}

static void error_log_keeps_errno(void **state)
{
    (void)state;
    assert_int_equal(error_log_open(path, LOG_INFO), 0);
    errno = EXDEV;
    error_log(LOG_ERROR, NULL, "x");
    assert_int_equal(errno, EXDEV);
    error_log_errno(LOG_ERROR, ENOSPC, NULL, "x");
    assert_int_equal(errno, EXDEV);
}

static void error_log_hostile_bytes_make_one_line(void **state)
{
    (void)state;
    assert_int_equal(error_log_open(path, LOG_INFO), 0);
    error_log(LOG_ERROR, "a\nb", "GET /\r\n[x] \x1b]0;x\x07 \"\\ \x7f\x80\xff");
    assert_int_equal(count_lines(read_log()), 1);
    assert_non_null(strstr(content, "[a\\x0ab] GET /\\x0d\\x0a[x] \\x1b]0;x\\x07 \\x22\\x5c "
                                    "\\x7f\\x80\\xff\n"));
}

static void error_log_long_line_is_cut(void **state)
{
    (void)state;
    assert_int_equal(error_log_open(path, LOG_INFO), 0);
    char message[4096];
    memset(message, 'x', sizeof message - 1);
    message[sizeof message - 1] = '\0';
    error_log(LOG_ERROR, NULL, "%s", message);
    error_log(LOG_ERROR, NULL, "next");
    assert_int_equal(count_lines(read_log()), 2);
    assert_int_equal(strchr(content, '\n') - content + 1, 1024);
    assert_non_null(strstr(content, "xxx\n["));
}

/* -- Formats -- */

static void error_log_format_is_that_of_the_lines(void **state)
{
    static const struct {
        const char *format;
        const char *pattern;
    } rows[] = {
        {"[%t] [%m:%l] [pid %P:tid %T] [%a] [%M]",
         "^\\[20[0-9-]{8}T[0-9:]{8}\\.[0-9]{3}Z\\] \\[core:warn\\] \\[pid [0-9]+:tid [0-9]+\\] "
         "\\[192\\.0\\.2\\.7\\] \\[hello: No space left on device\\]\n$"},
        {"%{%Y}t 100%% %M", "^20[0-9]{2} 100% hello: No space left on device\n$"},
        {"%M", "^hello: No space left on device\n$"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(error_log_set_format(rows[i].format), 0);
        assert_int_equal(error_log_open(path, LOG_INFO), 0);
        error_log_errno(LOG_WARN, ENOSPC, "192.0.2.7", "hello");
        assert_matches(read_log(), rows[i].pattern);
        (void)remove_file(state);
    }
}

static void error_log_wrong_format_is_refused(void **state)
{
    static const char *const formats[] = {"", "[%t]", "%M %r", "%M\n"};
    (void)state;
    for (size_t i = 0; i < COUNT(formats); i++) {
        errno = 0;
        assert_int_equal(error_log_set_format(formats[i]), -1);
        assert_int_equal(errno, EINVAL);
    }
    assert_int_equal(error_log_open(path, LOG_INFO), 0);
    error_log(LOG_WARN, NULL, "x");
    assert_matches(read_log(), PREFIX("warn") "\\[-\\] x\n$"); /* the usual one */
}

static void error_log_close_ends_the_format(void **state)
{
    (void)state;
    assert_int_equal(error_log_set_format("%M"), 0);
    error_log_close();
    assert_int_equal(error_log_open(path, LOG_INFO), 0);
    error_log(LOG_WARN, NULL, "x");
    assert_matches(read_log(), PREFIX("warn") "\\[-\\] x\n$");
}

/* -- Levels -- */

static void error_log_level_names_are_parsed(void **state)
{
    (void)state;
    static const char *const names[] = {"error", "warn", "info", "debug"};
    for (int i = 0; i < 4; i++) {
        enum log_level level = LOG_ERROR;
        assert_int_equal(error_log_level_parse(names[i], &level), 0);
        assert_int_equal(level, i);
    }
}

static void error_log_level_parse_refuses_other_names(void **state)
{
    (void)state;
    static const char *const names[] = {"", "Error", "warning", "infos", "inf"};
    for (size_t i = 0; i < COUNT(names); i++) {
        enum log_level level = LOG_DEBUG;
        assert_int_equal(error_log_level_parse(names[i], &level), -1);
        assert_int_equal(level, LOG_DEBUG);
    }
}

static void error_log_levels_above_the_wanted_are_left_out(void **state)
{
    (void)state;
    for (int wanted = LOG_ERROR; wanted <= LOG_DEBUG; wanted++) {
        assert_int_equal(error_log_open(path, (enum log_level)wanted), 0);
        for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
            assert_int_equal(error_log_wants((enum log_level)level), level <= wanted);
            error_log((enum log_level)level, NULL, "level %d", level);
        }
        assert_int_equal(count_lines(read_log()), (size_t)wanted + 1);
        (void)remove_file(state);
    }
}

/* -- Sinks -- */

static void error_log_file_is_appended_to(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(error_log_open(path, LOG_INFO), 0);
        error_log(LOG_ERROR, NULL, "x");
        error_log_close();
    }
    assert_int_equal(count_lines(read_log()), 2);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0137, 0);
}

static void error_log_open_fails_for_a_path_that_cannot_be(void **state)
{
    (void)state;
    char wrong[80];
    snprintf(wrong, sizeof wrong, "%s/missing/log", folder);
    errno = 0;
    assert_int_equal(error_log_open(wrong, LOG_INFO), -1);
    assert_int_equal(errno, ENOENT);
}

static void error_log_off_writes_nothing(void **state)
{
    (void)state;
    assert_int_equal(error_log_open("off", LOG_DEBUG), 0);
    assert_false(error_log_wants(LOG_ERROR));
    error_log(LOG_ERROR, NULL, "x");
}

/* Runs with stdout or stderr (`number`) being another descriptor. */
static int swap_descriptor(int number, int fd)
{
    int saved = fcntl(number, F_DUPFD_CLOEXEC, 10);
    assert_true(saved >= 0);
    assert_int_equal(dup2(fd, number), number);
    return saved;
}

static void restore_descriptor(int number, int saved)
{
    assert_int_equal(dup2(saved, number), number);
    assert_int_equal(close(saved), 0);
}

static void error_log_before_open_goes_to_stderr(void **state)
{
    (void)state;
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int saved = swap_descriptor(STDERR_FILENO, file);
    error_log(LOG_INFO, NULL, "early");
    error_log(LOG_DEBUG, NULL, "too much");
    restore_descriptor(STDERR_FILENO, saved);
    assert_int_equal(close(file), 0);
    assert_matches(read_log(), PREFIX("info") "\\[-\\] early\n$");
}

static void write_to_inherited(const char *where, int number, const int ends[2])
{
    int saved = swap_descriptor(number, ends[1]);
    int opened = error_log_open(where, LOG_INFO);
    error_log(LOG_ERROR, NULL, "through %s", where);
    error_log_close();
    int flags = fcntl(number, F_GETFL);
    restore_descriptor(number, saved);
    assert_int_equal(opened, 0);
    assert_int_equal(flags & O_NONBLOCK, 0); /* of those who share it */
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_non_null(strstr(read_all(ends[0]), "through "));
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

static void error_log_inherited_pipe_is_written_to_and_left_as_it_was(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    write_to_inherited("stderr", STDERR_FILENO, ends);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    write_to_inherited("-", STDOUT_FILENO, ends);
}

static void error_log_inherited_socket_is_written_to(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    write_to_inherited("stderr", STDERR_FILENO, ends);
}

static void error_log_pipe_without_reader_cannot_be_opened(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(error_log_open(path, LOG_INFO), -1);
    assert_int_equal(errno, ENXIO);
}

static void error_log_full_pipe_loses_lines_and_says_so_later(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    assert_int_equal(error_log_open(path, LOG_INFO), 0);
    char filling[900];
    memset(filling, 'x', sizeof filling - 1);
    filling[sizeof filling - 1] = '\0';
    for (int i = 0; i < 200; i++) /* more than a pipe holds */
        error_log(LOG_ERROR, NULL, "%s", filling);
    size_t taken = count_lines(read_all(reader));
    assert_in_range(taken, 1, 199);

    error_log(LOG_ERROR, NULL, "after");
    assert_int_equal(count_lines(read_all(reader)), 2);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "] %zu lines of this log were lost here\n", 200 - taken);
    assert_non_null(strstr(content, wanted));
    assert_non_null(strstr(content, "] after\n"));

    error_log(LOG_ERROR, NULL, "once only");
    assert_int_equal(count_lines(read_all(reader)), 1);
    assert_int_equal(close(reader), 0);
}

static void error_log_survives_a_reader_that_went_away(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_int_equal(error_log_open(path, LOG_INFO), 0);
    assert_int_equal(close(reader), 0);
    errno = EXDEV;
    error_log(LOG_ERROR, NULL, "to nobody");
    assert_int_equal(errno, EXDEV);
    reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    error_log(LOG_ERROR, NULL, "to somebody");
    assert_non_null(strstr(read_all(reader), "1 lines of this log were lost"));
    assert_non_null(strstr(content, "to somebody\n"));
    assert_int_equal(close(reader), 0);
}

/* A limit of the file's size stands for a full disk. */
static void error_log_line_after_a_torn_one_is_whole(void **state)
{
    struct rlimit usual;
    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
    assert_int_equal(error_log_open(path, LOG_INFO), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){50, usual.rlim_max}), 0);
    error_log(LOG_INFO, NULL, "torn, since there is room for fifty bytes only");
    error_log(LOG_INFO, NULL, "lost");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
    error_log(LOG_INFO, NULL, "whole");
    assert_int_equal(strcspn(read_log(), "\n"), 50);
    assert_int_equal(count_lines(content), 3);
    assert_non_null(strstr(content + 51, "] 2 lines of this log were lost here\n["));
    assert_int_equal(content[51], '[');
    assert_non_null(strstr(content + 51, "] whole\n"));
}

/* -- Opened again -- */

static void error_log_reopened_file_is_a_new_one(void **state)
{
    char moved[80];
    (void)state;
    snprintf(moved, sizeof moved, "%s.1", path);
    assert_int_equal(error_log_open(path, LOG_INFO), 0);
    error_log(LOG_INFO, NULL, "before");
    assert_int_equal(rename(path, moved), 0);
    error_log(LOG_INFO, NULL, "moved");
    error_log_reopen();
    error_log(LOG_INFO, NULL, "after");
    assert_int_equal(count_lines(read_log()), 1);
    assert_non_null(strstr(content, "] after\n"));
    assert_int_equal(rename(moved, path), 0);
    assert_int_equal(count_lines(read_log()), 2);
}

static void error_log_that_cannot_be_reopened_keeps_its_file(void **state)
{
    char moved[80];
    (void)state;
    snprintf(moved, sizeof moved, "%s.1", path);
    assert_int_equal(error_log_open(path, LOG_INFO), 0);
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    error_log_reopen();
    error_log(LOG_INFO, NULL, "after");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rename(moved, path), 0);
    assert_int_equal(count_lines(read_log()), 2);
    assert_non_null(strstr(content, "the old error log stays in use, cannot open "));
    assert_non_null(strstr(content, "/log: Is a directory\n"));
}

static void error_log_without_a_path_is_not_reopened(void **state)
{
    static const char *const places[] = {"off", "-", "stderr"};
    (void)state;
    error_log_reopen(); /* not open yet */
    for (size_t i = 0; i < COUNT(places); i++) {
        assert_int_equal(error_log_open(places[i], LOG_ERROR), 0);
        error_log_reopen();
    }
}

/* -- Threads -- */

#define THREADS      4
#define THREAD_LINES 500

static void *write_lines(void *argument)
{
    const char *name = argument;
    for (int i = 0; i < THREAD_LINES; i++)
        error_log(LOG_INFO, name, "line %03d of %s", i, name);
    return NULL;
}

static void error_log_lines_of_threads_do_not_mix(void **state)
{
    (void)state;
    static char names[THREADS][2] = {"a", "b", "c", "d"};
    pthread_t threads[THREADS];
    assert_int_equal(error_log_open(path, LOG_INFO), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, names[i]), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    char *rest = content;
    (void)read_log();
    assert_int_equal(count_lines(content), THREADS * THREAD_LINES);
    for (char *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0';)
        assert_matches(line, PREFIX("info") "\\[([abcd])\\] line [0-9]{3} of \\1$");
}

static void error_log_reopening_loses_and_tears_no_line(void **state)
{
    enum { ROUNDS = 20 };
    static char name[] = "a";
    pthread_t thread;
    char moved[80];
    size_t lines = 0;
    assert_int_equal(error_log_open(path, LOG_INFO), 0);
    assert_int_equal(pthread_create(&thread, NULL, write_lines, name), 0);
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(moved, sizeof moved, "%s.%d", path, i);
        assert_int_equal(rename(path, moved), 0);
        error_log_reopen();
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    for (int i = 0; i <= ROUNDS; i++) {
        char *rest = content;
        (void)read_log();
        for (char *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0'; lines++)
            assert_matches(line, PREFIX("info") "\\[a\\] line [0-9]{3} of a$");
        snprintf(moved, sizeof moved, "%s.%d", path, i);
        if (i < ROUNDS)
            assert_int_equal(rename(moved, path), 0);
    }
    assert_int_equal(lines, THREAD_LINES);
    (void)state;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, remove_file)
    const struct CMUnitTest tests[] = {
        TEST(error_log_line_has_the_documented_form),
        TEST(error_log_no_client_is_a_dash),
        TEST(error_log_errno_is_described),
        TEST(error_log_errors_are_also_told),
        TEST(error_log_errors_are_only_told_where_the_log_would_show_them_again),
        TEST(error_log_keeps_errno),
        TEST(error_log_hostile_bytes_make_one_line),
        TEST(error_log_long_line_is_cut),
        TEST(error_log_level_names_are_parsed),
        TEST(error_log_level_parse_refuses_other_names),
        TEST(error_log_levels_above_the_wanted_are_left_out),
        TEST(error_log_file_is_appended_to),
        TEST(error_log_open_fails_for_a_path_that_cannot_be),
        TEST(error_log_off_writes_nothing),
        TEST(error_log_before_open_goes_to_stderr),
        TEST(error_log_inherited_pipe_is_written_to_and_left_as_it_was),
        TEST(error_log_inherited_socket_is_written_to),
        TEST(error_log_pipe_without_reader_cannot_be_opened),
        TEST(error_log_full_pipe_loses_lines_and_says_so_later),
        TEST(error_log_survives_a_reader_that_went_away),
        TEST(error_log_line_after_a_torn_one_is_whole),
        TEST(error_log_format_is_that_of_the_lines),
        TEST(error_log_wrong_format_is_refused),
        TEST(error_log_close_ends_the_format),
        TEST(error_log_reopened_file_is_a_new_one),
        TEST(error_log_that_cannot_be_reopened_keeps_its_file),
        TEST(error_log_without_a_path_is_not_reopened),
        TEST(error_log_lines_of_threads_do_not_mix),
        TEST(error_log_reopening_loses_and_tears_no_line),
    };
    return cmocka_run_group_tests(tests, setup_folder, teardown_folder);
}
