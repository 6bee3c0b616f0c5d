/* Goal: the tester's command line is read as the help says, and wrong usage is named in one line.
 */
#include "tester/arguments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 12

/* Reads "tester" and the arguments, up to a NULL. The caller frees *out_said. */
static enum arguments_action parse(const char *const *arguments, struct arguments *out,
                                   char **out_said)
{
    char *argv[ARGUMENTS_MAX + 2] = {(char *)"tester"};
    int argc = 1;
    size_t len;
    for (; arguments[argc - 1] != NULL; argc++) {
        assert_true(argc <= ARGUMENTS_MAX);
        argv[argc] = (char *)arguments[argc - 1];
    }
    FILE *errors = open_memstream(out_said, &len);
    assert_non_null(errors);
    enum arguments_action action = arguments_parse(argc, argv, errors, out);
    assert_int_equal(fclose(errors), 0);
    return action;
}

static enum arguments_action parse_silently(const char *const *arguments, struct arguments *out)
{
    char *said;
    enum arguments_action action = parse(arguments, out, &said);
    assert_string_equal(said, "");
    free(said);
    return action;
}

static void arguments_command_alone_takes_the_defaults(void **state)
{
    (void)state;
    struct arguments got;
    assert_int_equal(parse_silently((const char *const[]){"load", NULL}, &got), ARGUMENTS_LOAD);
    assert_string_equal(got.file, "LTest.json");
    assert_string_equal(got.base, "http://127.0.0.1:8080");
    assert_int_equal(got.count, 100);
    assert_int_equal(got.connections, 32);
    assert_int_equal(got.timeout_ms, 10000);
    assert_false(got.allow_remote);
    assert_false(got.debug);

    assert_int_equal(parse_silently((const char *const[]){"confirm", NULL}, &got),
                     ARGUMENTS_CONFIRM);
    assert_string_equal(got.file, "CTest.json");
    assert_null(got.method);
}

static void arguments_each_one_is_taken(void **state)
{
    (void)state;
    struct arguments got;
    static const char *const load[] = {"load", "1000000000", "-c",     "4096", "-t",      "3600",
                                       "-f",   "x",          "--base", "b",    "--debug", NULL};
    assert_int_equal(parse_silently(load, &got), ARGUMENTS_LOAD);
    assert_int_equal(got.count, 1000000000);
    assert_int_equal(got.connections, 4096);
    assert_int_equal(got.timeout_ms, 3600000);
    assert_string_equal(got.file, "x");
    assert_string_equal(got.base, "b");
    assert_true(got.debug);

    static const char *const confirm[] = {"--file=y",       "--connections", "1",   "--timeout=1",
                                          "--allow-remote", "confirm",       "PUT", NULL};
    assert_int_equal(parse_silently(confirm, &got), ARGUMENTS_CONFIRM);
    assert_string_equal(got.method, "PUT");
    assert_string_equal(got.file, "y");
    assert_int_equal(got.connections, 1);
    assert_int_equal(got.timeout_ms, 1000);
    assert_true(got.allow_remote);

    assert_int_equal(parse_silently((const char *const[]){"confirm", "all", NULL}, &got),
                     ARGUMENTS_CONFIRM);
    assert_null(got.method);
    assert_int_equal(parse_silently((const char *const[]){"-h", NULL}, &got), ARGUMENTS_HELP);
    assert_int_equal(parse_silently((const char *const[]){"--version", NULL}, &got),
                     ARGUMENTS_VERSION);
}

static void arguments_wrong_usage_is_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[4];
        const char *said;
    } rows[] = {
        {{NULL}, "say what to do: load or confirm"},
        {{"laod", NULL}, "say load or confirm, not laod"},
        {{"load", "0", NULL}, "N must be a number from 1 to 1000000000, not 0"},
        {{"load", "1000000001", NULL}, "N must be a number from 1 to 1000000000, not 1000000001"},
        {{"load", "1x", NULL}, "N must be a number from 1 to 1000000000, not 1x"},
        {{"load", "1", "2", NULL}, "too many arguments, from here on: 2"},
        {{"load", "-c", "0", NULL}, "--connections must be from 1 to 4096, not 0"},
        {{"load", "-c", "4097", NULL}, "--connections must be from 1 to 4096, not 4097"},
        {{"load", "-t", "0", NULL}, "--timeout must be from 1 to 3600 seconds, not 0"},
        {{"load", "-t", "3601", NULL}, "--timeout must be from 1 to 3600 seconds, not 3601"},
        {{"load", "-f", NULL}, "an argument is missing: -f"},
        {{"load", "-x", NULL}, "unknown option -x"},
        {{"load", "--xyz", NULL}, "unknown option --xyz"},
        {{"load", "--debug=1", NULL}, "the option takes no argument: --debug=1"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arguments got;
        char *said;
        char wanted[120];
        (void)snprintf(wanted, sizeof wanted, "tester: %s (try tester --help)\n", rows[i].said);
        assert_int_equal(parse(rows[i].arguments, &got, &said), ARGUMENTS_USAGE_ERROR);
        assert_string_equal(said, wanted);
        free(said);
    }
}

static void arguments_help_names_each_option(void **state)
{
    (void)state;
    static const char *const words[] = {
        "load [N]", "confirm [METHOD|all]", "--file",  "--connections", "--timeout",
        "--base",   "--allow-remote",       "--debug", "--version"};
    char *help;
    size_t len;
    FILE *out = open_memstream(&help, &len);
    assert_non_null(out);
    arguments_print_help(out);
    assert_int_equal(fclose(out), 0);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strstr(help, words[i]) == NULL)
            fail_msg("the help does not say %s", words[i]);
    }
    free(help);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_command_alone_takes_the_defaults),
        cmocka_unit_test(arguments_each_one_is_taken),
        cmocka_unit_test(arguments_wrong_usage_is_one_line),
        cmocka_unit_test(arguments_help_names_each_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
