/* Editing the file of the tokens: what is changed is one line, and nothing else. */
#include "server/auth/token_file.h"
#include "server/auth/tokens.h"
#include "tests/unit/folder.h"

#include <stdlib.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static struct folder folder;
static char path[64];
static char *said;
static size_t said_size;
static FILE *errors;

static int create(void **state)
{
    (void)state;
    folder_create(&folder);
    (void)snprintf(path, sizeof(path), "%s/tokens", folder.path);
    errors = open_memstream(&said, &said_size);
    return errors ? 0 : -1;
}

static int destroy(void **state)
{
    (void)state;
    assert_int_equal(fclose(errors), 0);
    free(said);
    folder_destroy(&folder);
    return 0;
}

#define FILE_TEST(test) cmocka_unit_test_setup_teardown(test, create, destroy)

static void write_file(const char *text)
{
    (void)unlink(path);
    folder_add_file(&folder, "tokens", text);
}

static void assert_file(const char *expected)
{
    static char text[TOKENS_FILE_BYTES_MAX + 100];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    assert_int_equal(fclose(file), 0);
    text[len] = '\0';
    assert_string_equal(text, expected);
}

static void assert_said(const char *text)
{
    assert_int_equal(fflush(errors), 0);
    if (!strstr(said, text))
        fail_msg("\"%s\" and not \"%s\"", said, text);
}

static void token_file_add_appends_a_line(void **state)
{
    static const struct {
        const char *before, *after; /* before NULL: there is no file */
    } rows[] = {
        {NULL, "n:HASH\n"},           {"", "n:HASH\n"},
        {"a:A\n", "a:A\nn:HASH\n"},   {"a:A", "a:A\nn:HASH\n"},
        {"#n:A\n", "#n:A\nn:HASH\n"}, {"\n", "\nn:HASH\n"},
        {"nn:A\n", "nn:A\nn:HASH\n"}, {"N:A\n", "N:A\nn:HASH\n"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        (void)unlink(path);
        if (rows[i].before)
            write_file(rows[i].before);
        assert_int_equal(token_file_add(path, "n", "HASH", errors), 0);
        assert_file(rows[i].after);
    }
}

static void token_file_name_is_added_once(void **state)
{
    static const char *const texts[] = {"n:A\n", "a:A\nn:B", "# x\n\nn:\n"};
    (void)state;
    for (size_t i = 0; i < ROWS(texts); i++) {
        write_file(texts[i]);
        assert_int_equal(token_file_add(path, "n", "HASH", errors), -1);
        assert_file(texts[i]);
    }
    assert_said("tokens: n: there is a token of that name already\n");
}

static void token_file_stays_below_what_a_server_reads(void **state)
{
    char *text = malloc(TOKENS_FILE_BYTES_MAX + 1);
    (void)state;
    assert_non_null(text);
    memset(text, '#', TOKENS_FILE_BYTES_MAX);
    text[TOKENS_FILE_BYTES_MAX - 7] = '\n'; /* "n:HASH\n" has 7 bytes */
    text[TOKENS_FILE_BYTES_MAX - 6] = '\0';
    write_file(text);
    assert_int_equal(token_file_add(path, "n", "HASH", errors), -1);
    assert_file(text);
    text[TOKENS_FILE_BYTES_MAX - 8] = '\n';
    text[TOKENS_FILE_BYTES_MAX - 7] = '\0';
    write_file(text);
    assert_int_equal(token_file_add(path, "n", "HASH", errors), 0);
    free(text);
}

static void token_file_remove_takes_one_line_out(void **state)
{
    static const struct {
        const char *before, *after;
    } rows[] = {
        {"n:A\n", ""},           {"n:A", ""},
        {"n:A\nb:B\n", "b:B\n"}, {"a:A\nn:A\nb:B\n", "a:A\nb:B\n"},
        {"a:A\nn:A", "a:A\n"},   {"# n:A\nn:A\n\n", "# n:A\n\n"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        write_file(rows[i].before);
        folder_add_file(&folder, "tokens.new", "left over");
        assert_int_equal(token_file_remove(path, "n", errors), 0);
        assert_file(rows[i].after);
        assert_int_equal(faccessat(folder.fd, "tokens.new", F_OK, 0), -1);
    }
}

static void token_file_remove_needs_the_name(void **state)
{
    static const char *const texts[] = {"", "a:A\n", "#n:A\n", "n\n", "nn:A\n"};
    (void)state;
    for (size_t i = 0; i < ROWS(texts); i++) {
        write_file(texts[i]);
        assert_int_equal(token_file_remove(path, "n", errors), -1);
        assert_file(texts[i]);
    }
    assert_said("tokens: n: there is no token of that name\n");
}

static void token_file_list_prints_names(void **state)
{
    char *names = NULL;
    size_t size;
    (void)state;
    write_file("# x:y\n\na:A\nwrong\nb:B");
    FILE *out = open_memstream(&names, &size);
    assert_non_null(out);
    assert_int_equal(token_file_list(path, out, errors), 0);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(names, "a\nb\n");
    free(names);
}

static void token_file_that_is_none_is_told(void **state)
{
    (void)state;
    assert_int_equal(token_file_remove(path, "n", errors), -1);
    assert_int_equal(token_file_list(path, stdout, errors), -1);
    assert_int_equal(token_file_add(folder.path, "n", "HASH", errors), -1);
    assert_int_equal(mkfifoat(folder.fd, "tokens", 0600), 0); /* and does not hang */
    assert_int_equal(token_file_add(path, "n", "HASH", errors), -1);
    assert_int_equal(token_file_list(path, stdout, errors), -1);
    assert_said("tokens: cannot be opened: ");
    assert_said("tokens: cannot be read: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(token_file_add_appends_a_line),
        FILE_TEST(token_file_name_is_added_once),
        FILE_TEST(token_file_stays_below_what_a_server_reads),
        FILE_TEST(token_file_remove_takes_one_line_out),
        FILE_TEST(token_file_remove_needs_the_name),
        FILE_TEST(token_file_list_prints_names),
        FILE_TEST(token_file_that_is_none_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
