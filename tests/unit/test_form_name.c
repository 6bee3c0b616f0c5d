/* Row E17: whatever a client calls a file, its stored name is the server's choice. */
#include "http/octet.h"
#include "http/slice.h"
#include "server/handlers/form_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TOKEN_LEN 16
#define LONG      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" /* 64 */

/* Puts '#' in the place of the random digits, which stand before the extension or at the end. */
static void hide_token(char *name)
{
    char *dot = strchr(name, '.');
    char *end = dot ? dot : name + strlen(name);
    char *token = end - TOKEN_LEN;
    assert_true(token > name && token[-1] == '_');
    for (size_t i = 0; i < TOKEN_LEN; i++)
        assert_true(octet_hex(token[i]) >= 0);
    token[0] = '#';
    memmove(token + 1, end, strlen(end) + 1);
}

static void form_name_is_made_of_what_can_do_no_harm(void **state)
{
    static const struct {
        const char *filename;
        const char *expected;
    } rows[] = {
        {"holiday.jpg", "holiday_#.jpg"},
        {"My Photo (1).JPEG", "My_Photo__1__#.jpeg"},
        {"../../x", "x_#"},
        {"/abs", "abs_#"},
        {"/", "file_#"},
        {"a/", "file_#"},
        {"C:\\x", "x_#"},
        {"C:x", "C_x_#"},
        {"..\\..\\boot.ini", "boot_#.ini"},
        {"", "file_#"},
        {".", "file_#"},
        {"..", "file_#"},
        {"...", "file_#"},
        {".htaccess", "htaccess_#"},
        {"..a.b", "a_#.b"},
        {"CON", "CON_#"},
        {"NUL.txt", "NUL_#.txt"},
        {"a.", "a__#"},
        {"a.b.c", "a_b_#.c"},
        {"shell.php.jpg", "shell_php_#.jpg"},
        {"a.<b>", "a__b__#"},
        {"\"a\".txt", "_a__#.txt"},
        {"a;b|c&d$e`f'g*h?i", "a_b_c_d_e_f_g_h_i_#"},
        {"-rf", "-rf_#"},
        {"a\r\nSet-Cookie: a", "a__Set-Cookie__a_#"},
        {"\xc3\xa9t\xc3\xa9.txt", "_t__#.txt"},
        {"\xe2\x82\xac", "__#"},
        {"..%2f..%2fx", "_2f___2fx_#"},
        {"a.0123456789abcdef", "a_#.0123456789abcdef"},
        {"a.0123456789abcdefg", "a_0123456789abcdefg_#"},
        {LONG, LONG "_#"},
        {LONG "y.txt", LONG "_#.txt"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char name[FORM_NAME_SIZE];
        assert_int_equal(form_name_make(rows[i].filename, name), 0);
        hide_token(name);
        if (strcmp(name, rows[i].expected) != 0)
            fail_msg("%s: %s", rows[i].filename, name);
    }
}

static void form_name_of_4_kb_is_cut(void **state)
{
    static char filename[4097];
    char name[FORM_NAME_SIZE];
    (void)state;
    memset(filename, 'a', sizeof(filename) - 1);
    assert_int_equal(form_name_make(filename, name), 0);
    assert_int_equal(strlen(name), 64 + 1 + TOKEN_LEN);
}

static void form_name_is_another_each_time(void **state)
{
    char first[FORM_NAME_SIZE];
    char second[FORM_NAME_SIZE];
    (void)state;
    assert_int_equal(form_name_make("a.txt", first), 0);
    assert_int_equal(form_name_make("a.txt", second), 0);
    assert_string_not_equal(first, second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(form_name_is_made_of_what_can_do_no_harm),
        cmocka_unit_test(form_name_of_4_kb_is_cut),
        cmocka_unit_test(form_name_is_another_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
