/* Which names of documents are known to a window, in which order, and what it does not know. */
#include "server/store/store_window.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static struct store_window window;
static char names[10][STORE_NAME_SIZE];

static int teardown(void **state)
{
    (void)state;
    store_window_deinit(&window);
    return 0;
}

#define WINDOW_TEST(test) cmocka_unit_test_teardown(test, teardown)

static const char *name_of(unsigned number)
{
    static char texts[4][STORE_NAME_SIZE]; /* so that some can be compared with others */
    static unsigned next;
    char *name = texts[next++ % 4];
    (void)snprintf(name, STORE_NAME_SIZE, "n%06u", number);
    return name;
}

static void begin(const char *below)
{
    assert_int_equal(store_window_init(&window, below), 0);
}

/* What the window says of the names before this one, as "c b a". */
static const char *read_before(const char *before, size_t most)
{
    static char said[sizeof(names)];
    int count = store_window_read(&window, before, names, most);
    if (count < 0)
        return "unknown";
    said[0] = '\0';
    for (int i = 0; i < count; i++) {
        size_t len = strlen(said);
        (void)snprintf(said + len, sizeof(said) - len, "%s%s", i > 0 ? " " : "", names[i]);
    }
    return said;
}

static void store_window_names_are_newest_first(void **state)
{
    (void)state;
    begin("");
    store_window_add(&window, "b");
    store_window_add(&window, "d");
    store_window_add(&window, "a");
    store_window_add(&window, "c");
    assert_string_equal(read_before("", 10), "d c b a");
    assert_string_equal(read_before("", 2), "d c");
    assert_string_equal(read_before("c", 10), "b a");
    assert_string_equal(read_before("bb", 10), "b a"); /* is not there (any more) */
    assert_string_equal(read_before("a", 10), "");
}

static void store_window_name_that_is_there_is_not_added_again(void **state)
{
    (void)state;
    begin("");
    store_window_add(&window, "a");
    store_window_add(&window, "a");
    assert_string_equal(read_before("", 10), "a");
}

static void store_window_removed_name_is_gone(void **state)
{
    (void)state;
    begin("");
    store_window_add(&window, "a");
    store_window_add(&window, "b");
    store_window_remove(&window, "a");
    store_window_remove(&window, "c"); /* was not there */
    assert_string_equal(read_before("", 10), "b");
}

static void store_window_below_a_name_knows_nothing_above_it(void **state)
{
    (void)state;
    begin("c");
    store_window_add(&window, "a");
    store_window_add(&window, "c");
    store_window_add(&window, "d");
    store_window_collect(&window, "b");
    store_window_collect(&window, "c");
    assert_string_equal(read_before("c", 10), "b a");
    assert_string_equal(read_before("cc", 10), "unknown");
    assert_string_equal(read_before("", 10), "unknown");
}

static void store_window_collected_names_are_sorted(void **state)
{
    (void)state;
    begin("");
    store_window_collect(&window, "b");
    store_window_collect(&window, "c");
    store_window_collect(&window, "a");
    store_window_sort(&window);
    assert_string_equal(read_before("", 10), "c b a");
}

/* Adds the names of so many numbers, from 1 on, the newest last. */
static void fill(unsigned count, void (*take)(struct store_window *window, const char *name))
{
    for (unsigned i = 1; i <= count; i++)
        take(&window, name_of(i));
}

static void store_window_that_overflows_keeps_the_newest(void **state)
{
    (void)state;
    begin("");
    fill(2 * STORE_WINDOW_NAMES, store_window_add);
    assert_true(window.is_last);
    store_window_add(&window, name_of(2 * STORE_WINDOW_NAMES + 1));
    assert_false(window.is_last);
    assert_int_equal(window.count, STORE_WINDOW_NAMES + 1);
    assert_int_equal(store_window_read(&window, "", names, 10), 10);
    assert_string_equal(names[0], name_of(2 * STORE_WINDOW_NAMES + 1));
    assert_string_equal(window.names[0], name_of(STORE_WINDOW_NAMES + 1));
}

/* It cannot say that there are no more, and a name older than these belongs to what it left out. */
static void store_window_does_not_know_what_it_left_out(void **state)
{
    (void)state;
    begin("");
    fill(2 * STORE_WINDOW_NAMES + 1, store_window_add);
    size_t count = window.count;
    store_window_add(&window, "n000000");
    assert_int_equal(window.count, count);
    assert_string_equal(read_before(name_of(STORE_WINDOW_NAMES + 2), 1),
                        name_of(STORE_WINDOW_NAMES + 1));
    assert_string_equal(read_before(name_of(STORE_WINDOW_NAMES + 2), 2), "unknown");
}

static void store_window_collecting_many_keeps_the_newest_whatever_their_order(void **state)
{
    (void)state;
    begin("");
    unsigned total = 5 * STORE_WINDOW_NAMES;
    for (unsigned i = 0; i < total; i++)
        store_window_collect(&window, name_of(i * 7919 % total)); /* 7919 is prime: each once */
    store_window_sort(&window);
    assert_false(window.is_last);
    assert_in_range(window.count, STORE_WINDOW_NAMES, 2 * STORE_WINDOW_NAMES);
    for (unsigned i = 0; i < window.count; i++)
        assert_string_equal(window.names[window.count - 1 - i], name_of(total - 1 - i));
}

static void store_window_without_names_knows_nothing(void **state)
{
    (void)state;
    store_window_add(&window, "a"); /* nobody has asked for a list yet */
    store_window_remove(&window, "a");
    assert_string_equal(read_before("", 10), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WINDOW_TEST(store_window_names_are_newest_first),
        WINDOW_TEST(store_window_name_that_is_there_is_not_added_again),
        WINDOW_TEST(store_window_removed_name_is_gone),
        WINDOW_TEST(store_window_below_a_name_knows_nothing_above_it),
        WINDOW_TEST(store_window_collected_names_are_sorted),
        WINDOW_TEST(store_window_that_overflows_keeps_the_newest),
        WINDOW_TEST(store_window_does_not_know_what_it_left_out),
        WINDOW_TEST(store_window_collecting_many_keeps_the_newest_whatever_their_order),
        WINDOW_TEST(store_window_without_names_knows_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
