#include "http/input.h"
#include "tests/support/failing_memory.h"
#include "tests/support/memory_transport.h"
#include "tests/unit/assert_slice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SIZE 64

static char buffer[SIZE];
static struct memory_transport peer;
static struct transport transport;

static int begin(void **state)
{
    (void)state;
    memset(buffer, '#', sizeof(buffer));
    memory_transport_init(&peer);
    transport = memory_transport(&peer, false);
    return 0;
}

static int end(void **state)
{
    (void)state;
    memory_transport_deinit(&peer);
    return 0;
}

static struct input empty_input(void)
{
    struct input_rest rest = {0};
    return input_resume(buffer, sizeof(buffer), &rest);
}

/* Lets the peer send that, and receives it. */
static void receive(struct input *input, const char *bytes)
{
    memory_transport_feed(&peer, slice_from_string(bytes));
    assert_int_equal(input_receive(input, &transport, SIZE_MAX), strlen(bytes));
}

static void input_receives_behind_what_is_unused(void **state)
{
    (void)state;
    struct input input = empty_input();
    assert_slice_is(input_unused(&input), "");
    receive(&input, "abc");
    receive(&input, "def");
    assert_slice_is(input_unused(&input), "abcdef");
    input_use(&input, 2);
    assert_slice_is(input_unused(&input), "cdef");
    receive(&input, "gh");
    assert_slice_is(input_unused(&input), "cdefgh");
    input_use(&input, 6);
    assert_slice_is(input_unused(&input), "");
}

static void input_tells_what_the_transport_tells(void **state)
{
    (void)state;
    struct input input = empty_input();
    receive(&input, "abc");
    assert_int_equal(input_receive(&input, &transport, SIZE_MAX), -1);
    assert_int_equal(errno, EAGAIN);
    peer.receive_error = ECONNRESET;
    assert_int_equal(input_receive(&input, &transport, SIZE_MAX), -1);
    assert_int_equal(errno, ECONNRESET);
    peer.ended = true;
    assert_int_equal(input_receive(&input, &transport, SIZE_MAX), 0);
    assert_slice_is(input_unused(&input), "abc");
}

static void input_makes_room_by_moving_what_is_unused(void **state)
{
    (void)state;
    struct input input = empty_input();
    char many[SIZE + 1] = {0};
    memset(many, 'x', SIZE);
    memcpy(many + SIZE - 3, "end", 3);
    receive(&input, many);
    input_use(&input, SIZE - 3);
    receive(&input, "more");
    assert_slice_is(input_unused(&input), "endmore");
    assert_ptr_equal(input_unused(&input).data, buffer);
}

static void input_full_of_unused_bytes_cannot_receive(void **state)
{
    (void)state;
    struct input input = empty_input();
    char many[SIZE + 1] = {0};
    memset(many, 'x', SIZE);
    receive(&input, many);
    memory_transport_feed(&peer, SLICE("more"));
    assert_int_equal(input_receive(&input, &transport, SIZE_MAX), -1);
    assert_int_equal(errno, ENOBUFS);
    assert_memory_equal(buffer, many, SIZE);
    input_use(&input, 1);
    assert_int_equal(input_receive(&input, &transport, SIZE_MAX), 1);
}

static void input_receives_no_more_than_it_is_told(void **state)
{
    (void)state;
    struct input input = empty_input();
    memory_transport_feed(&peer, SLICE("abcdefgh"));
    assert_int_equal(input_receive(&input, &transport, 3), 3);
    assert_slice_is(input_unused(&input), "abc");
    assert_true(input_is_full(&input, 3));
    assert_false(input_is_full(&input, 4));
    assert_int_equal(input_receive(&input, &transport, 3), -1);
    assert_int_equal(errno, ENOBUFS);
    input_use(&input, 2);
    assert_int_equal(input_receive(&input, &transport, 3), 2);
    assert_slice_is(input_unused(&input), "cde");
}

static void input_that_is_held_stays_where_it_is(void **state)
{
    (void)state;
    struct input input = empty_input();
    receive(&input, "head");
    input_use(&input, 4);
    input_hold(&input);
    for (int i = 0; i < 100; i++) {
        receive(&input, "content");
        assert_slice_is(input_unused(&input), "content");
        input_use(&input, 7);
        assert_memory_equal(buffer, "head", 4);
    }
    receive(&input, "last");
    assert_ptr_equal(input_unused(&input).data, buffer + 4);
    input_use(&input, 4);
    input_release(&input);
    receive(&input, "next");
    assert_ptr_equal(input_unused(&input).data, buffer);
}

static void input_room_behind_what_is_held_is_all_used(void **state)
{
    (void)state;
    struct input input = empty_input();
    receive(&input, "head");
    input_use(&input, 4);
    input_hold(&input);
    char many[SIZE - 4 + 1] = {0};
    memset(many, 'x', sizeof(many) - 1);
    receive(&input, many);
    memory_transport_feed(&peer, SLICE("y"));
    assert_int_equal(input_receive(&input, &transport, SIZE_MAX), -1);
    assert_int_equal(errno, ENOBUFS);
    assert_memory_equal(buffer, "headxxx", 7);
}

static void input_rest_comes_back_in_another_buffer(void **state)
{
    (void)state;
    char other[SIZE];
    struct input_rest rest = {0};
    struct input input = empty_input();
    receive(&input, "used and unused");
    input_use(&input, strlen("used and "));
    assert_int_equal(input_suspend(&input, &rest), 0);
    assert_int_equal(rest.len, strlen("unused"));
    memset(buffer, '#', sizeof(buffer));

    input = input_resume(other, sizeof(other), &rest);
    assert_null(rest.bytes);
    assert_int_equal(rest.len, 0);
    receive(&input, " before");
    assert_slice_is(input_unused(&input), "unused before");
}

static void input_without_a_rest_owns_nothing(void **state)
{
    (void)state;
    struct input_rest rest = {0};
    struct input input = empty_input();
    receive(&input, "used");
    input_use(&input, 4);
    assert_int_equal(input_suspend(&input, &rest), 0);
    assert_null(rest.bytes);
    assert_int_equal(rest.len, 0);
}

static void input_rest_may_fill_the_buffer(void **state)
{
    (void)state;
    struct input_rest rest = {0};
    struct input input = empty_input();
    char many[SIZE + 1] = {0};
    memset(many, 'x', SIZE);
    receive(&input, many);
    assert_int_equal(input_suspend(&input, &rest), 0);
    input = input_resume(buffer, sizeof(buffer), &rest);
    assert_slice_is(input_unused(&input), many);
}

static void input_rest_without_memory_is_an_error(void **state)
{
    (void)state;
    struct input_rest rest = {0};
    struct input input = empty_input();
    receive(&input, "abc");
    failing_memory_after(0);
    int result = input_suspend(&input, &rest);
    assert_true(failing_memory_end());
    assert_int_equal(result, -1);
    assert_null(rest.bytes);
}

#define INPUT_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        INPUT_TEST(input_receives_behind_what_is_unused),
        INPUT_TEST(input_tells_what_the_transport_tells),
        INPUT_TEST(input_makes_room_by_moving_what_is_unused),
        INPUT_TEST(input_full_of_unused_bytes_cannot_receive),
        INPUT_TEST(input_receives_no_more_than_it_is_told),
        INPUT_TEST(input_that_is_held_stays_where_it_is),
        INPUT_TEST(input_room_behind_what_is_held_is_all_used),
        INPUT_TEST(input_rest_comes_back_in_another_buffer),
        INPUT_TEST(input_without_a_rest_owns_nothing),
        INPUT_TEST(input_rest_may_fill_the_buffer),
        INPUT_TEST(input_rest_without_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
