/* The check of a batch, line by line: what counts, what is wrong and where, however it is split. */
#include "server/handlers/upload_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static const struct upload_lines_limits limits = {.depth = 8, .values = 8, .documents = 100};

static struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

/* Checks a content that comes in two pieces. Returns whether it is right. */
static bool check_split(struct upload_lines *lines, struct slice content, size_t at)
{
    upload_lines_init(lines, &limits);
    (void)upload_lines_feed(lines, (struct slice){content.data, at});
    (void)upload_lines_feed(lines, (struct slice){content.data + at, content.len - at});
    return upload_lines_finish(lines);
}

static bool check_bytes(struct upload_lines *lines, struct slice content)
{
    upload_lines_init(lines, &limits);
    for (size_t i = 0; i < content.len; i++)
        (void)upload_lines_feed(lines, (struct slice){content.data + i, 1});
    return upload_lines_finish(lines);
}

static bool check(struct upload_lines *lines, const char *content)
{
    struct slice whole = slice_of(content);
    return check_split(lines, whole, whole.len);
}

/* --- right --------------------------------------------------------------------------------- */

struct right_row {
    const char *label, *content;
    uint64_t documents, longest_len;
};

static void assert_right(const struct right_row *row, const struct upload_lines *lines, bool right)
{
    if (!right || lines->documents != row->documents || lines->longest_len != row->longest_len)
        fail_msg("%s: %d, %ju documents, longest %ju", row->label, right,
                 (uintmax_t)lines->documents, (uintmax_t)lines->longest_len);
}

static void upload_lines_right_content_is_counted_however_split(void **state)
{
    (void)state;
    static const struct right_row rows[] = {
        {"one that does not end", "{}", 1, 2},
        {"one that ends", "{}\n", 1, 2},
        {"CRLF", "{}\r\n[1]\r\n", 2, 4},
        {"any values", "1\n\"a\"\nnull\n", 3, 4},
        {"white space around", " 1 \n\t[ 2 ]\t\n", 2, 7},
        {"blank lines", "\n\r\n  \t\n1\n\n", 1, 3},
        {"a blank line is the longest", "1\n      \n2", 2, 6},
        {"the last is blank", "1\n ", 1, 1},
        {"the last is the longest", "1\n[2, 3]", 2, 6},
    };
    struct upload_lines lines;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct slice content = slice_of(rows[i].content);
        for (size_t at = 0; at <= content.len; at++) {
            bool right = check_split(&lines, content, at);
            assert_right(&rows[i], &lines, right);
        }
        bool right = check_bytes(&lines, content);
        assert_right(&rows[i], &lines, right);
    }
}

/* --- wrong --------------------------------------------------------------------------------- */

struct wrong_row {
    const char *label, *content;
    uint64_t fault_count, line, column, offset; /* the latter of the last fault */
    const char *excerpt;
};

static void assert_wrong(const struct wrong_row *row, const struct upload_lines *lines, bool right)
{
    if (right || lines->fault_count != row->fault_count)
        fail_msg("%s: %d, %ju faults", row->label, right, (uintmax_t)lines->fault_count);
    const struct upload_lines_fault *fault = &lines->faults[row->fault_count - 1];
    if (fault->line != row->line || fault->column != row->column || fault->offset != row->offset)
        fail_msg("%s: line %ju, column %ju, offset %ju", row->label, (uintmax_t)fault->line,
                 (uintmax_t)fault->column, (uintmax_t)fault->offset);
    if (fault->expected[0] == '\0' || !strstr(fault->excerpt, row->excerpt))
        fail_msg("%s: \"%s\" in \"%s\"", row->label, fault->expected, fault->excerpt);
}

static void upload_lines_fault_has_its_place_however_split(void **state)
{
    (void)state;
    static const struct wrong_row rows[] = {
        {"the first line", "{x}\n1\n", 1, 1, 2, 1, "{x}"},
        {"a later line", "1\n\n[2,]\n3\n", 1, 3, 4, 6, "[2,]"},
        {"behind CRLF", "1\r\n[2,]\r\n", 1, 2, 4, 6, "[2,]"},
        {"behind longer characters", "\"\xc3\xa4\"\n\"\xc3\xa4\" x\n", 1, 2, 5, 10, "x"},
        {"a document over two lines", "[1,\n2]\n", 2, 2, 2, 5, "2]"},
        {"two documents on a line", "1 2\n", 1, 1, 3, 2, "1 2"},
        {"one that is not finished", "1\n[2", 1, 2, 3, 4, "[2"},
        {"two lines", "x\n1\nyy\n", 2, 3, 1, 4, "yy"},
        {"two faults on a line are one", "x x\n", 1, 1, 1, 0, "x x"},
        {"no document", "", 1, 1, 1, 0, ""},
    };
    struct upload_lines lines;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct slice content = slice_of(rows[i].content);
        for (size_t at = 0; at <= content.len; at++) {
            bool right = check_split(&lines, content, at);
            assert_wrong(&rows[i], &lines, right);
        }
        bool right = check_bytes(&lines, content);
        assert_wrong(&rows[i], &lines, right);
    }
}

static void upload_lines_fault_is_told_by_the_feed_that_finds_it(void **state)
{
    (void)state;
    struct upload_lines lines;
    upload_lines_init(&lines, &limits);
    assert_true(upload_lines_feed(&lines, slice_of("1\n[2")));
    assert_false(upload_lines_feed(&lines, slice_of("}")));
    assert_false(upload_lines_feed(&lines, slice_of("\n3\n")));
    assert_int_equal(lines.documents, 3);
}

static void upload_lines_nothing_but_blank_lines_is_a_fault(void **state)
{
    (void)state;
    struct upload_lines lines;
    assert_false(check(&lines, "\n \n\r\n"));
    assert_int_equal(lines.fault_count, 1);
    assert_false(lines.is_too_large);
}

static void upload_lines_more_faults_than_are_kept_are_counted(void **state)
{
    (void)state;
    struct upload_lines lines;
    for (uint64_t count = UPLOAD_LINES_FAULTS_MAX - 1; count <= UPLOAD_LINES_FAULTS_MAX + 1;
         count++) {
        upload_lines_init(&lines, &limits);
        for (uint64_t i = 0; i < count; i++)
            (void)upload_lines_feed(&lines, slice_of("x\n"));
        assert_false(upload_lines_finish(&lines));
        assert_int_equal(lines.fault_count, count);
        uint64_t kept = count < UPLOAD_LINES_FAULTS_MAX ? count : UPLOAD_LINES_FAULTS_MAX;
        assert_int_equal(lines.faults[kept - 1].line, kept);
    }
}

/* --- limits -------------------------------------------------------------------------------- */

static void upload_lines_documents_up_to_the_limit_are_taken(void **state)
{
    (void)state;
    struct upload_lines lines;
    for (uint64_t count = 2; count <= 4; count++) {
        upload_lines_init(&lines, &(struct upload_lines_limits){8, 8, .documents = 3});
        for (uint64_t i = 0; i < count; i++)
            (void)upload_lines_feed(&lines, slice_of("\n1\n"));
        assert_int_equal(upload_lines_finish(&lines), count <= 3);
        assert_int_equal(lines.is_too_large, count > 3);
    }
}

static void upload_lines_values_are_limited_on_each_line(void **state)
{
    (void)state;
    struct upload_lines lines;
    assert_true(check(&lines, "[1,2,3,4,5,6]\n[1,2,3,4,5,6,7]\n[1,2,3,4,5,6,7]\n"));
    assert_false(check(&lines, "1\n[1,2,3,4,5,6,7,8]\n"));
    assert_true(lines.is_too_large);
}

static void upload_lines_depth_is_limited_and_that_is_a_fault(void **state)
{
    (void)state;
    struct upload_lines lines;
    assert_true(check(&lines, "[[[[[[[1]]]]]]]\n[[[[[[[[]]]]]]]]\n"));
    assert_false(check(&lines, "[[[[[[[[[]]]]]]]]]\n"));
    assert_int_equal(lines.faults[0].column, 9);
    assert_false(lines.is_too_large);
}

/* --- the document -------------------------------------------------------------------------- */

static void upload_lines_document_is_the_line_without_its_end(void **state)
{
    (void)state;
    static const struct {
        const char *line, *document;
    } rows[] = {
        {"", ""},     {"\r", ""},     {" \t\r", ""},    {"1", "1"},
        {"1\r", "1"}, {" 1 ", " 1 "}, {"1\r\r", "1\r"}, {"[\r1]\r", "[\r1]"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct slice document = upload_lines_document(slice_of(rows[i].line));
        assert_int_equal(document.len, strlen(rows[i].document));
        assert_memory_equal(document.data, rows[i].document, document.len);
        assert_ptr_equal(document.data, rows[i].line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upload_lines_right_content_is_counted_however_split),
        cmocka_unit_test(upload_lines_fault_has_its_place_however_split),
        cmocka_unit_test(upload_lines_fault_is_told_by_the_feed_that_finds_it),
        cmocka_unit_test(upload_lines_nothing_but_blank_lines_is_a_fault),
        cmocka_unit_test(upload_lines_more_faults_than_are_kept_are_counted),
        cmocka_unit_test(upload_lines_documents_up_to_the_limit_are_taken),
        cmocka_unit_test(upload_lines_values_are_limited_on_each_line),
        cmocka_unit_test(upload_lines_depth_is_limited_and_that_is_a_fault),
        cmocka_unit_test(upload_lines_document_is_the_line_without_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
