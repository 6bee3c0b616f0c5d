/* server/handlers/file_cache: what it takes in, and that it never answers what is not so. */
#include "server/handlers/file_cache.h"

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
static char buffer[FILE_CACHE_BYTES_MAX];

static int begin(void **state)
{
    (void)state;
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    cache = file_cache_create();
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

/* Offers a file as if so many seconds had passed since its last change. */
static void offer(const char *name, time_t age)
{
    struct stat stat;
    int file = openat(root, name, O_RDONLY | O_CLOEXEC);
    assert_int_equal(fstat(file, &stat), 0);
    file_cache_offer(cache, name, file, stat.st_ctim.tv_sec + age);
    assert_int_equal(close(file), 0);
}

static bool finds(const char *name, const char *bytes)
{
    struct stat stat;
    struct text text = text_over(buffer, sizeof(buffer));
    if (!file_cache_find(cache, root, name, &text, &stat))
        return false;
    assert_true(slice_equal(text_slice(&text), slice_from_string(bytes)));
    assert_int_equal(stat.st_size, strlen(bytes));
    return true;
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
    static char large[FILE_CACHE_BYTES_MAX + 2];
    (void)state;
    memset(large, 'x', sizeof(large) - 1);
    write_file("a", large, FILE_CACHE_BYTES_MAX + 1);
    offer("a", 10);
    assert_false(finds("a", ""));
    large[FILE_CACHE_BYTES_MAX] = '\0';
    write_file("a", large, FILE_CACHE_BYTES_MAX);
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

static void file_cache_path_may_stand_in_the_buffer(void **state)
{
    (void)state;
    struct stat stat;
    struct text text = text_over(buffer, sizeof(buffer));
    write_file("a", "hello", 5);
    offer("a", 10);
    memcpy(buffer, "a", 2);
    assert_true(file_cache_find(cache, root, buffer, &text, &stat));
    assert_true(slice_equal(text_slice(&text), SLICE("hello")));
}

#define CACHE_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(file_cache_finds_what_it_was_offered),
        CACHE_TEST(file_cache_takes_in_only_what_has_settled),
        CACHE_TEST(file_cache_size_is_limited),
        CACHE_TEST(file_cache_forgets_what_has_changed),
        CACHE_TEST(file_cache_forgets_what_is_gone_or_replaced),
        CACHE_TEST(file_cache_forgets_what_may_not_be_read_any_more),
        CACHE_TEST(file_cache_follows_a_link_to_where_it_leads_now),
        CACHE_TEST(file_cache_path_may_stand_in_the_buffer),
    };
    file_cache_destroy(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
