#include "http/head.h"
#include "http/parser.h"
#include "tests/unit/assert_slice.h"

#include <string.h>

static const char request[] = "GET /x HTTP/1.1\r\n"
                              "Host: a\r\n"
                              "Accept: text/html;q=0.9, Text/Plain\r\n"
                              "Empty:\r\n"
                              "aCCept:\t application/json \t\r\n"
                              "Vary: \"a,b\", c\r\n"
                              "\r\n";

static struct head parse(const char *bytes)
{
    struct head head;
    struct parser parser;
    const struct parser_limits limits = {1024, 10};
    parser_init(&parser, &head);
    assert_int_equal(parser_run(&parser, &head, &limits, bytes, strlen(bytes)), PARSE_DONE);
    return head;
}

static void head_slice_gives_the_bytes_of_a_span(void **state)
{
    (void)state;
    struct head head = parse(request);
    assert_slice_is(head_slice(&head, head.request_line), "GET /x HTTP/1.1");
    assert_slice_is(head_slice(&head, head.method_name), "GET");
    assert_slice_is(head_slice(&head, head.target), "/x");
}

static void head_slice_after_a_move_gives_the_new_bytes(void **state)
{
    char copy[sizeof(request)];
    (void)state;
    struct head head = parse(request);
    memcpy(copy, request, sizeof(request));
    head.bytes = copy;
    struct slice target = head_slice(&head, head.target);
    assert_ptr_equal(target.data, copy + 4);
    assert_slice_is(target, "/x");
}

static void head_find_counts_and_gives_the_first_value(void **state)
{
    struct slice value = SLICE("untouched");
    (void)state;
    struct head head = parse(request);
    assert_int_equal(head_find(&head, SLICE("accept"), &value), 2);
    assert_slice_is(value, "text/html;q=0.9, Text/Plain");
    assert_int_equal(head_find(&head, SLICE("EMPTY"), &value), 1);
    assert_slice_is(value, "");
    assert_int_equal(head_find(&head, SLICE("host"), NULL), 1);
}

static void head_find_without_the_field_leaves_the_output(void **state)
{
    struct slice value = SLICE("untouched");
    (void)state;
    struct head head = parse(request);
    assert_int_equal(head_find(&head, SLICE("Hos"), &value), 0);
    assert_int_equal(head_find(&head, SLICE("Hosts"), &value), 0);
    assert_int_equal(head_find(&head, SLICE(""), &value), 0);
    assert_slice_is(value, "untouched");
}

static void head_next_walks_all_fields_of_a_name_in_order(void **state)
{
    unsigned cursor = 0;
    struct slice value;
    (void)state;
    struct head head = parse(request);
    assert_true(head_next(&head, SLICE("Accept"), &cursor, &value));
    assert_slice_is(value, "text/html;q=0.9, Text/Plain");
    assert_true(head_next(&head, SLICE("Accept"), &cursor, &value));
    assert_slice_is(value, "application/json");
    assert_false(head_next(&head, SLICE("Accept"), &cursor, &value));
    assert_slice_is(value, "application/json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_slice_gives_the_bytes_of_a_span),
        cmocka_unit_test(head_slice_after_a_move_gives_the_new_bytes),
        cmocka_unit_test(head_find_counts_and_gives_the_first_value),
        cmocka_unit_test(head_find_without_the_field_leaves_the_output),
        cmocka_unit_test(head_next_walks_all_fields_of_a_name_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
