/* The access log: form of the lines, hostile bytes, when lines are written, sinks that block or
 * fail, threads.
 */
#include "server/log/access_log.h"

#include "server/log/error_log.h"

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
    return (struct access_entry){
        .client = SLICE("192.0.2.7"),
        .time = WHEN,
        .request_line = SLICE("GET /a HTTP/1.1"),
        .status = 200,
        .body_bytes = 1234,
        .referer = SLICE("http://localhost:8080/"),
        .user_agent = SLICE("curl/7.88.1"),
    };
}

/* The text of a log that got these entries. */
static const char *log_of(const struct access_entry *entries, size_t count)
{
    (void)unlink(path);
    struct access_log *log = access_log_open(path, 1);
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

static void access_log_missing_fields_are_dashes(void **state)
{
    (void)state;
    struct access_entry entry = {.client = SLICE("::1"), .time = WHEN, .status = 408};
    assert_string_equal(log_of(&entry, 1),
                        "::1 - - [10/Oct/2000:13:55:36 +0000] \"-\" 408 - \"-\" \"-\"\n");
}

static void access_log_large_body_is_counted_in_full(void **state)
{
    (void)state;
    struct access_entry entry = usual_entry();
    entry.body_bytes = UINT64_MAX;
    assert_non_null(strstr(log_of(&entry, 1), " 200 18446744073709551615 \""));
}

static void access_log_time_is_local_with_its_offset(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        const char *stamp;
    } rows[] = {
        {"UTC0", "[10/Oct/2000:13:55:36 +0000]"},
        {"INDIA-5:30", "[10/Oct/2000:19:25:36 +0530]"},
        {"WEST3:30", "[10/Oct/2000:10:25:36 -0330]"},
        {"FAR-14", "[11/Oct/2000:03:55:36 +1400]"},
    };
    struct access_entry entry = usual_entry();
    for (size_t i = 0; i < COUNT(rows); i++) {
        set_zone(rows[i].zone);
        assert_non_null(strstr(log_of(&entry, 1), rows[i].stamp));
    }
}

static void access_log_each_line_has_its_own_time(void **state)
{
    (void)state;
    struct access_entry entries[4];
    static const time_t times[COUNT(entries)] = {WHEN, WHEN + 1, WHEN + 1, WHEN - 3600};
    for (size_t i = 0; i < COUNT(entries); i++) {
        entries[i] = (struct access_entry){.time = times[i], .status = 200};
    }
    assert_string_equal(log_of(entries, COUNT(entries)),
                        "- - - [10/Oct/2000:13:55:36 +0000] \"-\" 200 - \"-\" \"-\"\n"
                        "- - - [10/Oct/2000:13:55:37 +0000] \"-\" 200 - \"-\" \"-\"\n"
                        "- - - [10/Oct/2000:13:55:37 +0000] \"-\" 200 - \"-\" \"-\"\n"
                        "- - - [10/Oct/2000:12:55:36 +0000] \"-\" 200 - \"-\" \"-\"\n");
}

static void access_log_far_times_make_a_line(void **state)
{
    (void)state;
    struct access_entry entry = {.status = 200};
    entry.time = INT64_C(253402300800); /* the year 10000 */
    assert_non_null(strstr(log_of(&entry, 1), "[01/Jan/10000:00:00:00 +0000]"));
    entry.time = INT64_MAX;
    assert_int_equal(count_lines(log_of(&entry, 1)), 1);
    entry.time = INT64_MIN;
    assert_int_equal(count_lines(log_of(&entry, 1)), 1);
}

static void access_log_hostile_bytes_make_one_line(void **state)
{
    (void)state;
    struct access_entry entry = usual_entry();
    entry.client = SLICE("a\nb");
    entry.request_line = SLICE("GET /\r\n\0\" HTTP/1.1");
    entry.referer = SLICE("\x1b]0;x\x07\\");
    entry.user_agent = SLICE("\x7f\x80\xff \"\n1.2.3.4 - - [x]");
    assert_string_equal(log_of(&entry, 1),
                        "a\\x0ab - - [10/Oct/2000:13:55:36 +0000] "
                        "\"GET /\\x0d\\x0a\\x00\\x22 HTTP/1.1\" 200 1234 \"\\x1b]0;x\\x07\\x5c\" "
                        "\"\\x7f\\x80\\xff \\x22\\x0a1.2.3.4 - - [x]\"\n");
}

static void access_log_long_fields_are_cut(void **state)
{
    (void)state;
    static char long_field[8193];
    memset(long_field, 'x', sizeof long_field);
    for (size_t len = 8191; len <= 8193; len++) {
        struct access_entry entry = usual_entry();
        size_t usual_len = strlen(log_of(&entry, 1));
        size_t old_len = entry.user_agent.len;
        entry.user_agent = (struct slice){long_field, len};
        size_t wanted = usual_len - old_len + (len < 8192 ? len : 8192);
        assert_int_equal(strlen(log_of(&entry, 1)), wanted);
    }
}

/* -- Sinks -- */

static void access_log_file_is_appended_to(void **state)
{
    (void)state;
    struct access_entry entry = usual_entry();
    for (int i = 0; i < 2; i++) {
        struct access_log *log = access_log_open(path, 3);
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
    assert_null(access_log_open(wrong, 1));
    assert_int_equal(errno, ENOENT);
}

static void access_log_off_writes_nothing(void **state)
{
    (void)state;
    struct access_log *log = access_log_open("off", 1);
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

/* -- When lines are written -- */

static void pause_briefly(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

static void access_log_lines_are_written_without_a_close(void **state)
{
    (void)state;
    struct access_log *log = access_log_open(path, 2);
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
    struct access_log *log = access_log_open(path, 8);
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
    struct access_log *log = access_log_open(path, 1);
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
    struct access_log *log = access_log_open(path, 1);
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
    struct access_log *log = access_log_open(path, 1);
    write_until_dropped(log);
    read_more(reader);
    struct access_entry entry = {.client = SLICE("later"), .time = WHEN, .status = 204};
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
    struct access_log *log = access_log_open(path, 1);
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
    struct access_log *log = access_log_open(path, 1);
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
        char request[32];
        int len = snprintf(request, sizeof request, "w%u %u", writer->channel, i);
        struct access_entry entry = usual_entry();
        entry.request_line = (struct slice){request, (size_t)len};
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
    struct access_log *log = access_log_open(path, WRITERS);
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_logs, teardown_logs)
    const struct CMUnitTest tests[] = {
        TEST(access_log_line_has_the_combined_format),
        TEST(access_log_missing_fields_are_dashes),
        TEST(access_log_large_body_is_counted_in_full),
        TEST(access_log_time_is_local_with_its_offset),
        TEST(access_log_each_line_has_its_own_time),
        TEST(access_log_far_times_make_a_line),
        TEST(access_log_hostile_bytes_make_one_line),
        TEST(access_log_long_fields_are_cut),
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
        TEST(access_log_lines_of_a_channel_keep_their_order),
    };
    return cmocka_run_group_tests(tests, setup_folder, teardown_folder);
}
