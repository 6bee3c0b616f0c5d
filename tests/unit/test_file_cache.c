/* server/handlers/file_cache: what it takes in, and that it never answers what is not so. */
#include "server/handlers/file_cache.h"

#include "pool/clock.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/tarn-cache-XXXXXX";
static int root;
static struct file_cache *cache;
static const struct file_look look = {.media_type = {"text/css", 8},
                                      .cache_control = {"no-cache", 8}};

static int begin(void **state)
{
    (void)state;
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    cache = file_cache_create(0);
    root = mkdtemp(folder) ? open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    return cache && root >= 0 ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "link"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        (void)unlinkat(root, names[i], 0);
    file_cache_destroy(cache);
    (void)close(root);
    return rmdir(folder);
}

static void write_file(const char *name, const void *bytes, size_t len)
{
    int file = openat(root, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, len), len);
    assert_int_equal(close(file), 0);
}

/* Offers a file once as if so many seconds had passed since its last change. */
static void offer_once(const char *name, time_t age)
{
    struct stat stat;
    int file = openat(root, name, O_RDONLY | O_CLOEXEC);
    assert_int_equal(fstat(file, &stat), 0);
    file_cache_offer(cache, name, file, &stat, &look, stat.st_ctim.tv_sec + age);
    assert_int_equal(close(file), 0);
}

static void offer(const char *name, time_t age)
{
    offer_once(name, age);
    offer_once(name, age);
}

static bool finds_for(const char *name, const char *bytes, int64_t waiting_since_us)
{
    struct cached_file *cached = file_cache_find(cache, root, name, waiting_since_us);
    if (!cached)
        return false;
    assert_true(slice_equal(cached->bytes, slice_from_string(bytes)));
    assert_int_equal(cached->whole.len, strlen(bytes));
    cached_file_release(cached);
    return true;
}

static bool finds(const char *name, const char *bytes)
{
    return finds_for(name, bytes, INT64_MAX);
}

static void file_cache_finds_what_it_was_offered(void **state)
{
    (void)state;
    write_file("a", "hello", 5);
    assert_false(finds("a", ""));
    offer("a", 10);
    assert_true(finds("a", "hello"));
    assert_true(finds("a", "hello"));
    assert_false(finds("b", ""));
}

/* Otherwise each file that is asked for once would cost a copy, and drive out another. */
static void file_cache_takes_in_what_is_offered_twice_in_a_row(void **state)
{
    (void)state;
    write_file("a", "hello", 5);
    offer_once("a", 10);
    assert_false(finds("a", ""));
    offer_once("a", 10);
    assert_true(finds("a", "hello"));
}

static void file_cache_has_what_answers_need(void **state)
{
    (void)state;
    write_file("a", "hello", 5);
    offer("a", 10);
    struct cached_file *cached = file_cache_find(cache, root, "a", INT64_MAX);
    assert_non_null(cached);
    assert_true(slice_equal(cached->media_type, look.media_type));
    assert_non_null(memmem(cached->validators.data, cached->validators.len, "ETag: \"", 7));
    assert_non_null(
        memmem(cached->validators.data, cached->validators.len, "Cache-Control: no-cache\r\n", 25));
    assert_true(slice_equal(cached->look, SLICE("Accept-Ranges: bytes\r\n")));
    cached_file_release(cached);
}

/* A file that is being sent stays what it was. */
static void file_cache_file_outlives_its_place(void **state)
{
    (void)state;
    write_file("a", "hello", 5);
    offer("a", 10);
    struct cached_file *cached = file_cache_find(cache, root, "a", INT64_MAX);
    write_file("a", "world", 5);
    assert_false(finds("a", ""));
    assert_true(slice_equal(cached->bytes, SLICE("hello")));
    cached_file_release(cached);
}

/* --- checks -------------------------------------------------------------------------------- */

/* Waits until the clock shows another microsecond. */
static int64_t next_us(void)
{
    int64_t before_us = clock_now_us();
    while (clock_now_us() == before_us)
        ;
    return clock_now_us();
}

static void file_cache_check_serves_those_that_were_waiting(void **state)
{
    (void)state;
    write_file("a", "hello", 5);
    offer("a", 10);
    int64_t before_us = clock_now_us();
    assert_false(next_us() == before_us);
    assert_true(finds("a", "hello")); /* checks */
    int64_t after_us = next_us();
    write_file("a", "world", 5);
    assert_true(finds_for("a", "hello", before_us));
    assert_false(finds_for("a", "", after_us));
}

static void file_cache_is_checked_before_its_first_hit(void **state)
{
    (void)state;
    write_file("a", "hello", 5);
    offer("a", 10);
    write_file("a", "world", 5);
    assert_false(finds_for("a", "", 0));
}

static void file_cache_hits_are_not_checked_for_some_time(void **state)
{
    (void)state;
    file_cache_destroy(cache);
    cache = file_cache_create(INT64_C(3600) * 1000000);
    write_file("a", "hello", 5);
    offer("a", 10);
    assert_true(finds("a", "hello"));
    write_file("a", "world", 5);
    assert_true(finds("a", "hello"));
    file_cache_destroy(cache);
    cache = file_cache_create(1);
    offer("a", 10);
    assert_true(finds("a", "world"));
    write_file("a", "other", 5);
    assert_int_equal(usleep(1000), 0);
    assert_false(finds("a", ""));
}

static void file_cache_takes_in_only_what_has_settled(void **state)
{
    (void)state;
    write_file("a", "hello", 5);
    for (time_t age = -1; age <= 2; age++) {
        offer("a", age);
        assert_false(finds("a", ""));
    }
    offer("a", 3);
    assert_true(finds("a", "hello"));
}

static void file_cache_size_is_limited(void **state)
{
    static char large[CACHED_FILE_BYTES_MAX + 2];
    (void)state;
    memset(large, 'x', sizeof(large) - 1);
    write_file("a", large, CACHED_FILE_BYTES_MAX + 1);
    offer("a", 10);
    assert_false(finds("a", ""));
    large[CACHED_FILE_BYTES_MAX] = '\0';
    write_file("a", large, CACHED_FILE_BYTES_MAX);
    offer("a", 10);
    assert_true(finds("a", large));
    write_file("b", "", 0);
    offer("b", 10);
    assert_true(finds("b", ""));
}

static void file_cache_forgets_what_has_changed(void **state)
{
    (void)state;
    write_file("a", "hello", 5);
    offer("a", 10);
    assert_true(finds("a", "hello"));
    write_file("a", "world", 5);
    assert_false(finds("a", ""));
    offer("a", 10);
    assert_true(finds("a", "world"));
}

static void file_cache_forgets_what_is_gone_or_replaced(void **state)
{
    (void)state;
    write_file("a", "hello", 5);
    write_file("b", "other", 5);
    offer("a", 10);
    assert_int_equal(renameat(root, "b", root, "a"), 0);
    assert_false(finds("a", ""));
    offer("a", 10);
    assert_true(finds("a", "other"));
    assert_int_equal(unlinkat(root, "a", 0), 0);
    assert_false(finds("a", ""));
}

static void file_cache_forgets_what_may_not_be_read_any_more(void **state)
{
    (void)state;
    write_file("a", "hello", 5);
    offer("a", 10);
    assert_int_equal(fchmodat(root, "a", 0, 0), 0);
    assert_false(finds("a", ""));
}

static void file_cache_follows_a_link_to_where_it_leads_now(void **state)
{
    (void)state;
    write_file("a", "hello", 5);
    write_file("b", "other", 5);
    assert_int_equal(symlinkat("a", root, "link"), 0);
    offer("link", 10);
    assert_true(finds("link", "hello"));
    assert_int_equal(unlinkat(root, "link", 0), 0);
    assert_int_equal(symlinkat("b", root, "link"), 0);
    assert_false(finds("link", ""));
}

#define CACHE_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(file_cache_finds_what_it_was_offered),
        CACHE_TEST(file_cache_takes_in_what_is_offered_twice_in_a_row),
        CACHE_TEST(file_cache_has_what_answers_need),
        CACHE_TEST(file_cache_file_outlives_its_place),
        CACHE_TEST(file_cache_check_serves_those_that_were_waiting),
        CACHE_TEST(file_cache_is_checked_before_its_first_hit),
        CACHE_TEST(file_cache_hits_are_not_checked_for_some_time),
        CACHE_TEST(file_cache_takes_in_only_what_has_settled),
        CACHE_TEST(file_cache_size_is_limited),
        CACHE_TEST(file_cache_forgets_what_has_changed),
        CACHE_TEST(file_cache_forgets_what_is_gone_or_replaced),
        CACHE_TEST(file_cache_forgets_what_may_not_be_read_any_more),
        CACHE_TEST(file_cache_follows_a_link_to_where_it_leads_now),
    };
    file_cache_destroy(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
