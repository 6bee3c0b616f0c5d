/* The boundary of a Content-Type, and the header lines of a part, from a buffer that ends at a
 * protected page.
 */
#include "http/multipart_head.h"
#include "tests/unit/assert_slice.h"
#include "tests/unit/fill.h"
#include "tests/unit/guard.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define ROW(label, literal)                                                                        \
    label,                                                                                         \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
#define ROOM      16384
#define TYPE      "multipart/form-data"
#define FORM_DATA "Content-Disposition: form-data"
#define NAMED     FORM_DATA "; name=a"

static struct guard guard;

static int create_guard(void **state)
{
    (void)state;
    guard = guard_create(ROOM);
    return 0;
}

static int destroy_guard(void **state)
{
    (void)state;
    guard_destroy(&guard);
    return 0;
}

/* --- the boundary --------------------------------------------------------------------------- */

static bool find(struct slice content_type, struct slice *out)
{
    content_type.data = guard_place(&guard, content_type.data, content_type.len);
    return multipart_head_boundary(content_type, out);
}

static void multipart_head_boundary_is_found(void **state)
{
    static const struct {
        const char *content_type;
        const char *boundary;
    } rows[] = {
        {TYPE "; boundary=b", "b"},
        {TYPE ";boundary=b", "b"},
        {TYPE "; BOUNDARY=b", "b"},
        {TYPE ";\tboundary=b ", "b"},
        {TYPE "; charset=utf-8; boundary=b", "b"},
        {TYPE "; boundary=b; charset=utf-8", "b"},
        {TYPE "; boundary=b;", "b"},
        {TYPE ";; boundary=b; ;", "b"},
        {TYPE "; boundary=\"b\"", "b"},
        {TYPE "; boundary=\"a=b\"", "a=b"},
        {TYPE "; boundary=\"a; b\"; x=\"boundary=c\"", NULL}, /* no ';' in a boundary */
        {TYPE "; x=\"; boundary=c\"; boundary=b", "b"},
        {TYPE "; boundary=\"a b\"", "a b"},
        {TYPE "; boundary=\"'()+_,-./:=? x\"", "'()+_,-./:=? x"},
        {TYPE "; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
         "----WebKitFormBoundary7MA4YWxkTrZu0gW"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct slice boundary = {0};
        bool found = find(slice_from_string(rows[i].content_type), &boundary);
        if (found != (rows[i].boundary != NULL))
            fail_msg("%s", rows[i].content_type);
        if (found)
            assert_slice_is(boundary, rows[i].boundary);
    }
}

static void multipart_head_wrong_boundary_is_refused(void **state)
{
    static const struct {
        const char *label;
        struct slice content_type;
    } rows[] = {
        {ROW("nothing", "")},
        {ROW("none", TYPE)},
        {ROW("none, a semicolon", TYPE ";")},
        {ROW("empty", TYPE "; boundary=")},
        {ROW("empty, quoted", TYPE "; boundary=\"\"")},
        {ROW("no value", TYPE "; boundary")},
        {ROW("two", TYPE "; boundary=a; boundary=b")},
        {ROW("two alike", TYPE "; boundary=b; boundary=b")},
        {ROW("two, one quoted", TYPE "; boundary=b; Boundary=\"b\"")},
        {ROW("NUL", TYPE "; boundary=a\0b")},
        {ROW("NUL, quoted", TYPE "; boundary=\"a\0b\"")},
        {ROW("CR LF, quoted", TYPE "; boundary=\"a\r\nb\"")},
        {ROW("HTAB, quoted", TYPE "; boundary=\"a\tb\"")},
        {ROW("8-bit, quoted", TYPE "; boundary=\"\xc3\xa9\"")},
        {ROW("backslash, quoted", TYPE "; boundary=\"a\\b\"")},
        {ROW("quote, quoted", TYPE "; boundary=\"a\\\"b\"")},
        {ROW("space at the end", TYPE "; boundary=\"a \"")},
        {ROW("one quote", TYPE "; boundary=\"")},
        {ROW("no second quote", TYPE "; boundary=\"b")},
        {ROW("no first quote", TYPE "; boundary=b\"")},
        {ROW("escaped second quote", TYPE "; boundary=\"b\\\"")},
        {ROW("more behind the quotes", TYPE "; boundary=\"b\"c")},
        {ROW("more quotes", TYPE "; boundary=\"b\"\"c\"")},
        {ROW("'=' in a token", TYPE "; boundary=a=b")},
        {ROW("a space before '='", TYPE "; boundary =b")},
        {ROW("a space behind '='", TYPE "; boundary= b")},
        {ROW("no name", TYPE "; =b")},
        {ROW("something else is malformed", TYPE "; boundary=b; x")},
        {ROW("a byte that no boundary has", TYPE "; boundary=a!b")},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct slice boundary = SLICE("untouched");
        if (find(rows[i].content_type, &boundary))
            fail_msg("%s", rows[i].label);
        assert_slice_is(boundary, "untouched");
    }
}

/* Row E15: some parsers kept the length in 8 bits. */
static void multipart_head_boundary_has_70_bytes_at_most(void **state)
{
    static const size_t lengths[] = {1, 69, 70, 71, 252, 255, 256, 257, 326, 1000};
    char input[1100];
    (void)state;
    for (size_t i = 0; i < ROWS(lengths); i++) {
        struct slice boundary = {0};
        assert_int_equal(
            find(fill(input, sizeof(input), TYPE "; boundary=", 'b', lengths[i], ""), &boundary),
            lengths[i] <= MULTIPART_BOUNDARY_MAX);
        assert_int_equal(
            find(fill(input, sizeof(input), TYPE "; boundary=\"", 'b', lengths[i], "\""),
                 &boundary),
            lengths[i] <= MULTIPART_BOUNDARY_MAX);
        assert_int_equal(boundary.len, lengths[i] <= MULTIPART_BOUNDARY_MAX ? lengths[i] : 0);
    }
}

/* --- a part's header ------------------------------------------------------------------------ */

static const char *read_head(struct slice bytes, struct multipart_part *out)
{
    const char *placed = guard_place(&guard, bytes.data, bytes.len);
    return multipart_head_read(guard.base + (placed - guard.base), bytes.len, out);
}

static void multipart_head_of_a_field_is_read(void **state)
{
    static const struct {
        const char *lines;
        const char *name;
        const char *media_type;
    } rows[] = {
        {NAMED "\r\n", "a", ""},
        {FORM_DATA ";name=a\r\n", "a", ""},
        {FORM_DATA ";\tname=a ; x=y\r\n", "a", ""},
        {"content-disposition:Form-Data; NAME=a\r\n", "a", ""},
        {FORM_DATA "; name=\"a\"\r\n", "a", ""},
        {FORM_DATA "; name=\"a; b=c\"\r\n", "a; b=c", ""},
        {FORM_DATA "; name=\"a\\\"b\\\\c\\d\"\r\n", "a\"b\\c\\d", ""},
        {FORM_DATA "; name=\"a%22b\"\r\n", "a%22b", ""},
        {FORM_DATA "; name=\"\xc3\xa9\"\r\n", "\xc3\xa9", ""},
        {"X: y\r\n" NAMED "\r\nZ:\r\n", "a", ""},
        {"Content-Type: text/plain\r\n" NAMED "\r\n", "a", "text/plain"},
        {NAMED "\r\nContent-Type: text/plain;charset=UTF-8\r\n", "a", "text/plain;charset=UTF-8"},
        {NAMED "\r\nContent-Type: text/plain; charset=\"us-ascii\"\r\n", "a",
         "text/plain; charset=\"us-ascii\""},
        {NAMED "\r\nContent-Type: text/plain; format=flowed\r\n", "a", "text/plain; format=flowed"},
        {NAMED "\r\nContent-Type:\r\n", "a", ""},
        {NAMED "\r\nContent-Transfer-Encoding: Binary\r\n", "a", ""},
        {NAMED "\r\nContent-Transfer-Encoding: 8bit\r\n", "a", ""},
        {NAMED "\r\nContent-Transfer-Encoding: 7bit\r\n", "a", ""},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct multipart_part part;
        const char *fault = read_head(slice_from_string(rows[i].lines), &part);
        if (fault || part.is_file)
            fail_msg("%s: %s", rows[i].lines, fault ? fault : "a file");
        assert_slice_is(part.name, rows[i].name);
        assert_slice_is(part.media_type, rows[i].media_type);
        assert_int_equal(part.filename.len, 0);
    }
}

static void multipart_head_of_a_file_is_read(void **state)
{
    static const struct {
        const char *lines;
        const char *filename;
        const char *media_type;
    } rows[] = {
        {NAMED "; filename=b.txt\r\n", "b.txt", ""},
        {NAMED "; filename=\"\"\r\n", "", ""},
        {NAMED "; filename=\"C:\\x\"\r\n", "C:\\x", ""},
        {NAMED "; filename=\"../../x\"\r\n", "../../x", ""},
        {NAMED "; filename=\"a \\\"b\\\".txt\"\r\n", "a \"b\".txt", ""},
        {NAMED "; filename=\"\xe2\x82\xac.txt\"\r\n", "\xe2\x82\xac.txt", ""},
        {NAMED "; FileName=b\r\n", "b", ""},
        {FORM_DATA "; filename=b; name=a\r\n", "b", ""},
        {NAMED "; filename*=UTF-8''..%2f\r\n", "", ""},
        {NAMED "; filename=b; filename*=UTF-8''..%2f\r\n", "b", ""},
        {NAMED "; filename=b\r\nContent-Type: text/plain; charset=latin1\r\n", "b",
         "text/plain; charset=latin1"},
        {NAMED "; filename=b\r\nContent-Type: image/png\r\n", "b", "image/png"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct multipart_part part;
        const char *fault = read_head(slice_from_string(rows[i].lines), &part);
        if (fault || !part.is_file)
            fail_msg("%s: %s", rows[i].lines, fault ? fault : "no file");
        assert_slice_is(part.name, "a");
        assert_slice_is(part.filename, rows[i].filename);
        assert_slice_is(part.media_type, rows[i].media_type);
    }
}

static void multipart_head_wrong_lines_are_refused(void **state)
{
    static const struct {
        const char *label;
        struct slice lines;
    } rows[] = {
        {ROW("nothing", "")},
        {ROW("no disposition", "Content-Type: text/plain\r\n")},
        {ROW("two dispositions", NAMED "\r\n" NAMED "\r\n")},
        {ROW("another disposition", "Content-Disposition: attachment; name=a\r\n")},
        {ROW("no name", FORM_DATA "\r\n")},
        {ROW("a file without name", FORM_DATA "; filename=b\r\n")},
        {ROW("empty name", FORM_DATA "; name=\"\"\r\n")},
        {ROW("name without value", FORM_DATA "; name=\r\n")},
        {ROW("name without '='", FORM_DATA "; name\r\n")},
        {ROW("two names", NAMED "; name=b\r\n")},
        {ROW("two file names", NAMED "; filename=b; filename=c\r\n")},
        {ROW("a blank in a token", FORM_DATA "; name=a b\r\n")},
        {ROW("no second quote", FORM_DATA "; name=\"a\r\n")},
        {ROW("escaped second quote", FORM_DATA "; name=\"a\\\"\r\n")},
        {ROW("quotes in a token", FORM_DATA "; name=a\"b\"\r\n")},
        {ROW("a backslash at the end", FORM_DATA "; name=\"a\\\r\n")},
        {ROW("name, no UTF-8", FORM_DATA "; name=\"\xe9\"\r\n")},
        {ROW("file name, no UTF-8", NAMED "; filename=\"\xff\"\r\n")},
        {ROW("line without colon", NAMED "\r\nabc\r\n")},
        {ROW("line without name", NAMED "\r\n: b\r\n")},
        {ROW("SP before the colon", NAMED "\r\nContent-Type : text/plain\r\n")},
        {ROW("folded line", FORM_DATA ";\r\n name=a\r\n")},
        {ROW("folded line with a colon", NAMED "\r\n\tx: y\r\n")},
        {ROW("two types", NAMED "\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n")},
        {ROW("nested", NAMED "\r\nContent-Type: multipart/mixed; boundary=c\r\n")},
        {ROW("nested, a file", NAMED "; filename=b\r\nContent-Type: Multipart/Form-Data\r\n")},
        {ROW("base64", NAMED "\r\nContent-Transfer-Encoding: base64\r\n")},
        {ROW("quoted-printable", NAMED "\r\nContent-Transfer-Encoding: quoted-printable\r\n")},
        {ROW("another charset", NAMED "\r\nContent-Type: text/plain; charset=iso-8859-1\r\n")},
        {ROW("malformed parameter", NAMED "\r\nContent-Type: text/plain; charset\r\n")},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct multipart_part part;
        if (!read_head(rows[i].lines, &part))
            fail_msg("%s", rows[i].label);
    }
}

static void multipart_head_name_is_limited(void **state)
{
    char input[MULTIPART_NAME_BYTES_MAX + 256];
    (void)state;
    for (size_t len = MULTIPART_NAME_BYTES_MAX - 1; len <= MULTIPART_NAME_BYTES_MAX + 1; len++) {
        struct multipart_part part;
        const char *fault =
            read_head(fill(input, sizeof(input), FORM_DATA "; name=\"", 'a', len, "\"\r\n"), &part);
        assert_int_equal(fault == NULL, len <= MULTIPART_NAME_BYTES_MAX);
    }
}

/* Row E17: as data it may be as long as the header. */
static void multipart_head_long_filename_is_read(void **state)
{
    static char input[ROOM];
    struct multipart_part part;
    (void)state;
    assert_null(
        read_head(fill(input, sizeof(input), NAMED "; filename=\"", 'x', 4096, "\"\r\n"), &part));
    assert_int_equal(part.filename.len, 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multipart_head_boundary_is_found),
        cmocka_unit_test(multipart_head_wrong_boundary_is_refused),
        cmocka_unit_test(multipart_head_boundary_has_70_bytes_at_most),
        cmocka_unit_test(multipart_head_of_a_field_is_read),
        cmocka_unit_test(multipart_head_of_a_file_is_read),
        cmocka_unit_test(multipart_head_wrong_lines_are_refused),
        cmocka_unit_test(multipart_head_name_is_limited),
        cmocka_unit_test(multipart_head_long_filename_is_read),
    };
    return cmocka_run_group_tests(tests, create_guard, destroy_guard);
}
