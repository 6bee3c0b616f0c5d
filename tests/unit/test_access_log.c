/* The access log: when lines are written, sinks that block or fail, files that are opened again,
 * threads. What a line looks like is in test_access_line.c.
 */
#include "server/log/access_log.h"

#include "server/log/access_format.h"
#include "server/log/error_log.h"
#include "tests/support/crafted_head.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])
#define WHEN        971186136 /* 10 October 2000, 13:55:36 UTC */

static char folder[] = "/tmp/test_access_log_XXXXXX";
static char path[64];
static char errors_path[64];
static char content[32 << 20]; /* what was read last, with a NUL */
static size_t content_len;

static int setup_folder(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/log", folder);
    snprintf(errors_path, sizeof errors_path, "%s/errors", folder);
    return 0;
}

static int teardown_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void set_zone(const char *zone)
{
    assert_int_equal(setenv("TZ", zone, 1), 0);
    tzset();
}

static int setup_logs(void **state)
{
    (void)state;
    content_len = 0;
    set_zone("UTC0");
    return error_log_open(errors_path, LOG_INFO);
}

static int teardown_logs(void **state)
{
    (void)state;
    error_log_close();
    (void)unlink(path);
    (void)unlink(errors_path);
    return 0;
}

/* Appends what there is to read to the content; the descriptor may be a pipe that does not block.
 */
static void read_more(int fd)
{
    ssize_t count;
    while ((count = read(fd, content + content_len, sizeof content - 1 - content_len)) > 0)
        content_len += (size_t)count;
    content[content_len] = '\0';
}

static const char *read_file(const char *name)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    content_len = 0;
    read_more(fd);
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

static struct access_entry usual_entry(void)
{
    static struct crafted_head crafted;
    crafted_head_begin(&crafted, SLICE("GET"), SLICE("/a"), SLICE("HTTP/1.1"));
    crafted_head_add(&crafted, SLICE("Referer"), SLICE("http://localhost:8080/"));
    crafted_head_add(&crafted, SLICE("User-Agent"), SLICE("curl/7.88.1"));
    return (struct access_entry){
        .head = &crafted.head,
        .client = SLICE("192.0.2.7"),
        .time = WHEN,
        .status = 200,
        .body_bytes = 1234,
        .ending = '+',
    };
}

/* The text of a log that got these entries. */
static const char *log_of(const struct access_entry *entries, size_t count)
{
    (void)unlink(path);
    struct access_log *log = access_log_open(path, "combined", 1);
    assert_non_null(log);
    for (size_t i = 0; i < count; i++)
        access_log_write(log, 0, &entries[i]);
    assert_int_equal(access_log_dropped(log), 0);
    access_log_close(log);
    return read_file(path);
}

/* -- Lines -- */

static void access_log_line_has_the_combined_format(void **state)
{
    (void)state;
    struct access_entry entry = usual_entry();
    assert_string_equal(log_of(&entry, 1),
                        "192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] \"GET /a HTTP/1.1\" 200 1234 "
                        "\"http://localhost:8080/\" \"curl/7.88.1\"\n");
}

static void access_log_each_line_has_its_own_time(void **state)
{
    (void)state;
    struct access_entry entries[4];
    static const time_t times[COUNT(entries)] = {WHEN, WHEN + 1, WHEN + 1, WHEN - 3600};
    for (size_t i = 0; i < COUNT(entries); i++) {
        entries[i] = usual_entry();
        entries[i].time = times[i];
        entries[i].client = SLICE("-");
    }
    const char *line = log_of(entries, COUNT(entries));
    for (size_t i = 0; i < COUNT(entries); i++) {
        static const char *const stamps[] = {
            "- - - [10/Oct/2000:13:55:36 +0000] ",
            "- - - [10/Oct/2000:13:55:37 +0000] ",
            "- - - [10/Oct/2000:13:55:37 +0000] ",
            "- - - [10/Oct/2000:12:55:36 +0000] ",
        };
        assert_int_equal(strncmp(line, stamps[i], strlen(stamps[i])), 0);
        line = strchr(line, '\n') + 1;
    }
}

/* -- Sinks -- */

static void access_log_file_is_appended_to(void **state)
{
    (void)state;
    struct access_entry entry = usual_entry();
    for (int i = 0; i < 2; i++) {
        struct access_log *log = access_log_open(path, "combined", 3);
        assert_non_null(log);
        access_log_write(log, 2, &entry);
        access_log_close(log);
    }
    assert_int_equal(count_lines(read_file(path)), 2);
}

static void access_log_open_fails_for_a_path_that_cannot_be(void **state)
{
    (void)state;
    char wrong[80];
    snprintf(wrong, sizeof wrong, "%s/missing/log", folder);
    errno = 0;
    assert_null(access_log_open(wrong, "combined", 1));
    assert_int_equal(errno, ENOENT);
}

static void access_log_off_writes_nothing(void **state)
{
    (void)state;
    struct access_log *log = access_log_open("off", "combined", 1);
    assert_non_null(log);
    struct access_entry entry = usual_entry();
    access_log_write(log, 0, &entry);
    assert_int_equal(access_log_dropped(log), 0);
    access_log_close(log);
}

static void access_log_close_of_null_is_allowed(void **state)
{
    (void)state;
    access_log_close(NULL);
}

static void access_log_open_refuses_a_wrong_format(void **state)
{
    (void)state;
    errno = 0;
    assert_null(access_log_open(path, "%y", 1));
    assert_int_equal(errno, EINVAL);
    assert_int_equal(access(path, F_OK), -1);
}

static void access_log_format_is_that_of_the_lines(void **state)
{
    (void)state;
    struct access_log *log = access_log_open(path, "%m %s", 1);
    struct access_entry entry = usual_entry();
    access_log_write(log, 0, &entry);
    access_log_close(log);
    assert_string_equal(read_file(path), "GET 200\n");
}

/* So that nobody reads a clock for nothing. */
static void access_log_needs_what_the_format_shows(void **state)
{
    static const struct {
        const char *format;
        const char *where;
        unsigned needs;
    } rows[] = {
        {"combined", "-", 0},
        {"common", "-", 0},
        {"json", "-", ACCESS_NEEDS_FRACTION | ACCESS_NEEDS_DURATION},
        {"json", "off", 0},
        {"%a %{ms}T", "-", ACCESS_NEEDS_DURATION},
        {"%A %{msec_frac}t", "-", ACCESS_NEEDS_LOCAL | ACCESS_NEEDS_FRACTION},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct access_log *log = access_log_open(rows[i].where, rows[i].format, 1);
        assert_non_null(log);
        assert_int_equal(access_log_needs(log), rows[i].needs);
        access_log_close(log);
    }
}

/* -- When lines are written -- */

static void pause_briefly(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

static void access_log_lines_are_written_without_a_close(void **state)
{
    (void)state;
    struct access_log *log = access_log_open(path, "combined", 2);
    struct access_entry entry = usual_entry();
    for (size_t lines = 1; lines <= 2; lines++) { /* the second wakes the thread from its sleep */
        access_log_write(log, 1, &entry);
        while (count_lines(read_file(path)) < lines) /* else the test's time runs out */
            pause_briefly();
    }
    access_log_close(log);
    assert_int_equal(count_lines(read_file(path)), 2);
}

static void access_log_all_lines_are_written_at_close(void **state)
{
    (void)state;
    struct access_log *log = access_log_open(path, "combined", 8);
    struct access_entry entry = usual_entry();
    for (unsigned i = 0; i < 800; i++)
        access_log_write(log, i % 8, &entry);
    access_log_close(log);
    assert_int_equal(count_lines(read_file(path)), 800);
}

/* -- Sinks that block or fail -- */

#define MANY_LINES 20000 /* far more than a pipe and both buffers hold */

static int open_fifo_reader(void)
{
    (void)unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    return reader;
}

static void write_many(struct access_log *log)
{
    struct access_entry entry = usual_entry();
    for (unsigned i = 0; i < MANY_LINES; i++)
        access_log_write(log, 0, &entry);
}

/* How many lines of the content are whole. */
static size_t count_whole_lines(void)
{
    static const char begin[] = "192.0.2.7 - - [";
    static const char end[] = "\"curl/7.88.1\"";
    size_t whole = 0;
    const char *line = content;
    for (const char *newline; (newline = strchr(line, '\n')) != NULL; line = newline + 1)
        whole += newline - line > (ptrdiff_t)sizeof end &&
                 strncmp(line, begin, sizeof begin - 1) == 0 &&
                 strncmp(newline - (sizeof end - 1), end, sizeof end - 1) == 0;
    return whole;
}

static void write_until_dropped(struct access_log *log)
{
    write_many(log);
    while (access_log_dropped(log) == 0)
        pause_briefly();
}

static void access_log_full_pipe_drops_and_counts_lines(void **state)
{
    (void)state;
    int reader = open_fifo_reader();
    struct access_log *log = access_log_open(path, "combined", 1);
    assert_non_null(log);
    write_until_dropped(log);
    access_log_close(log); /* must not wait for the reader */
    read_more(reader);
    assert_in_range(count_whole_lines(), 1, MANY_LINES - 1);
    assert_int_equal(close(reader), 0);
    assert_non_null(strstr(read_file(errors_path), "lines dropped, its sink is too slow\n"));
}

static void access_log_every_line_is_written_or_counted(void **state)
{
    (void)state;
    int reader = open_fifo_reader();
    struct access_log *log = access_log_open(path, "combined", 1);
    write_until_dropped(log);
    for (; count_whole_lines() + access_log_dropped(log) < MANY_LINES; pause_briefly())
        read_more(reader);
    access_log_close(log);
    read_more(reader);
    assert_in_range(count_whole_lines(), 1, MANY_LINES - 1);
    assert_int_equal(close(reader), 0);
}

/* A line that was cut by a full pipe must not run into the next. */
static void access_log_lines_after_a_block_begin_on_their_own(void **state)
{
    (void)state;
    int reader = open_fifo_reader();
    struct access_log *log = access_log_open(path, "combined", 1);
    write_until_dropped(log);
    read_more(reader);
    struct access_entry entry = usual_entry();
    entry.client = SLICE("later");
    access_log_write(log, 0, &entry);
    const char *later;
    for (; (later = strstr(content, "later - - ")) == NULL; pause_briefly())
        read_more(reader);
    assert_int_equal(later[-1], '\n');
    access_log_close(log);
    assert_int_equal(close(reader), 0);
}

static void access_log_reader_that_went_away_costs_lines_only(void **state)
{
    (void)state;
    int reader = open_fifo_reader();
    struct access_log *log = access_log_open(path, "combined", 1);
    assert_int_equal(close(reader), 0);
    struct access_entry entry = usual_entry();
    access_log_write(log, 0, &entry);
    access_log_close(log);
    assert_non_null(strstr(read_file(errors_path), "1 lines dropped: Broken pipe\n"));
}

static void access_log_file_that_may_not_grow_costs_lines_only(void **state)
{
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct access_log *log = access_log_open(path, "combined", 1);
    struct access_entry entry = usual_entry();
    struct rlimit small = {.rlim_cur = 250, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int i = 0; i < 3; i++) /* of about 120 bytes */
        access_log_write(log, 0, &entry);
    while (access_log_dropped(log) == 0)
        pause_briefly();
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    access_log_write(log, 0, &entry);
    access_log_close(log);
    assert_int_equal(count_lines(read_file(path)), 4); /* one of them torn */
    assert_int_equal(count_whole_lines(), 3);
    assert_non_null(strstr(read_file(errors_path), "1 lines dropped: File too large\n"));
}

/* -- Opened again -- */

static void wait_for_errors(const char *text)
{
    while (strstr(read_file(errors_path), text) == NULL) /* else the test's time runs out */
        pause_briefly();
}

static void access_log_reopened_file_is_a_new_one(void **state)
{
    char moved[80];
    struct access_entry entry = usual_entry();
    struct access_log *log = access_log_open(path, "combined", 1);
    (void)state;
    snprintf(moved, sizeof moved, "%s.1", path);
    access_log_write(log, 0, &entry);
    assert_int_equal(rename(path, moved), 0);
    access_log_reopen(log);
    wait_for_errors("access log opened again\n");
    access_log_write(log, 0, &entry);
    access_log_write(log, 0, &entry);
    access_log_close(log);
    assert_int_equal(count_lines(read_file(moved)), 1);
    assert_int_equal(count_lines(read_file(path)), 2);
    assert_int_equal(unlink(moved), 0);
}

static void access_log_that_cannot_be_reopened_keeps_its_file(void **state)
{
    char moved[80];
    struct access_entry entry = usual_entry();
    struct access_log *log = access_log_open(path, "combined", 1);
    (void)state;
    snprintf(moved, sizeof moved, "%s.1", path);
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    access_log_reopen(log);
    wait_for_errors("the old access log stays in use, cannot open ");
    wait_for_errors("/log: Is a directory\n");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0); /* of another kind */
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    access_log_reopen(log);
    wait_for_errors("/log: Operation not supported\n");
    access_log_write(log, 0, &entry);
    access_log_close(log);
    assert_int_equal(close(reader), 0);
    assert_int_equal(count_lines(read_file(moved)), 1);
    assert_int_equal(unlink(moved), 0);
}

static void access_log_without_a_path_is_not_reopened(void **state)
{
    static const char *const places[] = {"off", "-", "stderr"};
    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        struct access_log *log = access_log_open(places[i], "combined", 1);
        access_log_reopen(log);
        access_log_close(log);
    }
    assert_null(strstr(read_file(errors_path), "stays in use"));
}

/* -- Threads -- */

#define WRITERS      4
#define WRITER_LINES 20000

struct writer {
    struct access_log *log;
    unsigned channel;
};

static void *write_numbered_lines(void *argument)
{
    const struct writer *writer = argument;
    for (unsigned i = 0; i < WRITER_LINES; i++) {
        char method[32];
        char target[32];
        struct crafted_head crafted;
        struct access_entry entry = {.head = &crafted.head, .status = 200};
        snprintf(method, sizeof method, "w%u", writer->channel);
        snprintf(target, sizeof target, "%u", i);
        crafted_head_begin(&crafted, slice_from_string(method), slice_from_string(target),
                           SLICE("HTTP/1.1"));
        access_log_write(writer->log, writer->channel, &entry);
    }
    return NULL;
}

static void run_writers(struct access_log *log)
{
    pthread_t threads[WRITERS];
    struct writer writers[WRITERS];
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){log, i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_numbered_lines, &writers[i]), 0);
    }
    for (unsigned i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* The number after "wCHANNEL " in a line, and the channel. */
static unsigned long parse_numbered_line(const char *line, unsigned *out_channel)
{
    const char *request = strstr(line, "\"w");
    assert_non_null(request);
    char *end;
    *out_channel = (unsigned)strtoul(request + 2, &end, 10);
    assert_in_range(*out_channel, 0, WRITERS - 1);
    return strtoul(end, NULL, 10);
}

static void access_log_lines_of_a_channel_keep_their_order(void **state)
{
    (void)state;
    struct access_log *log = access_log_open(path, "combined", WRITERS);
    run_writers(log);
    uint64_t dropped = access_log_dropped(log);
    access_log_close(log);
    (void)read_file(path);
    assert_int_equal(count_lines(content) + dropped, WRITERS * WRITER_LINES);
    unsigned long next[WRITERS] = {0};
    char *rest = content;
    for (char *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0';) {
        unsigned channel;
        unsigned long number = parse_numbered_line(line, &channel);
        assert_true(number >= next[channel]);
        next[channel] = number + 1;
    }
}

/* However often the file is moved away, each line is in one of them, and whole. */
static void access_log_reopening_loses_and_tears_no_line(void **state)
{
    enum { ROUNDS = 20 };
    struct access_log *log = access_log_open(path, "combined", WRITERS);
    pthread_t thread;
    struct writer writer = {log, 1};
    size_t lines = 0;
    char moved[80];
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, write_numbered_lines, &writer), 0);
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(moved, sizeof moved, "%s.%d", path, i);
        assert_int_equal(rename(path, moved), 0);
        access_log_reopen(log);
        while (access(path, F_OK) != 0)
            pause_briefly();
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    uint64_t dropped = access_log_dropped(log);
    access_log_close(log);
    for (int i = 0; i <= ROUNDS; i++) {
        if (i < ROUNDS)
            snprintf(moved, sizeof moved, "%s.%d", path, i);
        else
            snprintf(moved, sizeof moved, "%s", path);
        char *rest = (char *)read_file(moved);
        for (char *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0'; lines++)
            assert_string_equal(line + strlen(line) - 7, "\"-\" \"-\"");
        assert_int_equal(unlink(moved), 0);
    }
    assert_int_equal(lines + dropped, WRITER_LINES);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_logs, teardown_logs)
    const struct CMUnitTest tests[] = {
        TEST(access_log_line_has_the_combined_format),
        TEST(access_log_each_line_has_its_own_time),
        TEST(access_log_file_is_appended_to),
        TEST(access_log_open_fails_for_a_path_that_cannot_be),
        TEST(access_log_off_writes_nothing),
        TEST(access_log_close_of_null_is_allowed),
        TEST(access_log_lines_are_written_without_a_close),
        TEST(access_log_all_lines_are_written_at_close),
        TEST(access_log_full_pipe_drops_and_counts_lines),
        TEST(access_log_every_line_is_written_or_counted),
        TEST(access_log_lines_after_a_block_begin_on_their_own),
        TEST(access_log_reader_that_went_away_costs_lines_only),
        TEST(access_log_file_that_may_not_grow_costs_lines_only),
        TEST(access_log_open_refuses_a_wrong_format),
        TEST(access_log_format_is_that_of_the_lines),
        TEST(access_log_needs_what_the_format_shows),
        TEST(access_log_reopened_file_is_a_new_one),
        TEST(access_log_that_cannot_be_reopened_keeps_its_file),
        TEST(access_log_without_a_path_is_not_reopened),
        TEST(access_log_lines_of_a_channel_keep_their_order),
        TEST(access_log_reopening_loses_and_tears_no_line),
    };
    return cmocka_run_group_tests(tests, setup_folder, teardown_folder);
}
