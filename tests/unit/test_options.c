/* Goal: the command line is read as the help says, and wrong usage is named in one line. */
#include "server/options.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 12

/* What a command line was read to. */
struct parsed {
    enum options_action action;
    struct options options;
    char *said;
};

/* Reads "server" and the arguments, up to a NULL. */
static struct parsed parse(const char *const *arguments)
{
    struct parsed parsed = {0};
    char *argv[ARGUMENTS_MAX + 2] = {(char *)"/usr/bin/server"};
    int argc = 1;
    size_t len;

    while (arguments[argc - 1] != NULL) {
        assert_true(argc <= ARGUMENTS_MAX);
        argv[argc] = (char *)arguments[argc - 1];
        argc++;
    }
    FILE *errors = open_memstream(&parsed.said, &len);
    assert_non_null(errors);
    parsed.action = options_parse(argc, argv, errors, &parsed.options);
    assert_int_equal(fclose(errors), 0);
    return parsed;
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static void forget(struct parsed *parsed)
{
    options_deinit(&parsed->options);
    free(parsed->said);
}

static void assert_override(const struct parsed *parsed, size_t index, const char *key,
                            const char *value, const char *origin)
{
    assert_true(index < parsed->options.input.override_count);
    const struct config_override *override = &parsed->options.input.overrides[index];
    assert_int_equal(override->key_len, strlen(key));
    assert_memory_equal(override->key, key, override->key_len);
    assert_string_equal(override->value, value);
    assert_string_equal(override->origin, origin);
}

static void options_nothing_runs_with_the_configuration(void **state)
{
    (void)state;
    struct parsed parsed = parse((const char *const[]){NULL});

    assert_int_equal(parsed.action, OPTIONS_RUN);
    assert_string_equal(parsed.options.program, "server");
    assert_null(parsed.options.input.file);
    assert_int_equal(parsed.options.input.override_count, 0);
    assert_string_equal(parsed.said, "");
    forget(&parsed);
}

static void options_no_program_name_is_taken(void **state)
{
    (void)state;
    char *argv[] = {NULL};
    struct options options;

    assert_int_equal(options_parse(0, argv, stderr, &options), OPTIONS_RUN);
    assert_string_equal(options.program, "server");
    options_deinit(&options);
}

static void options_positional_arguments_are_the_last_values(void **state)
{
    (void)state;
    struct parsed parsed = PARSE("0", "-o", "pool.workers=1", "::1", "-d", "d", "1024");

    assert_int_equal(parsed.action, OPTIONS_RUN);
    assert_int_equal(parsed.options.input.override_count, 5);
    assert_override(&parsed, 0, "pool.workers", "1", "--set");
    assert_override(&parsed, 1, "root", "d", "command line");
    assert_override(&parsed, 2, "listen.port", "0", "command line");
    assert_override(&parsed, 3, "listen.host", "::1", "command line");
    assert_override(&parsed, 4, "pool.workers", "1024", "command line");
    forget(&parsed);
}

static void options_each_one_is_known_short_and_long(void **state)
{
    (void)state;
    struct parsed parsed = PARSE("-c", "a", "-d", "b", "-o", "c=d", "-t", "--", "1");
    assert_int_equal(parsed.action, OPTIONS_TEST);
    assert_string_equal(parsed.options.input.file, "a");
    assert_override(&parsed, 0, "root", "b", "command line");
    assert_override(&parsed, 1, "c", "d", "--set");
    assert_override(&parsed, 2, "listen.port", "1", "command line");
    forget(&parsed);

    parsed = PARSE("--config=a", "--directory", "b", "--files", "c", "--set=d=e=f", "--test");
    assert_int_equal(parsed.action, OPTIONS_TEST);
    assert_string_equal(parsed.options.input.file, "a");
    assert_override(&parsed, 0, "root", "b", "command line");
    assert_override(&parsed, 1, "files.directory", "c", "command line");
    assert_override(&parsed, 2, "d", "e=f", "--set");
    forget(&parsed);
}

static void options_action_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[4];
        enum options_action action;
    } rows[] = {
        {{"-t", NULL}, OPTIONS_TEST},
        {{"-T", NULL}, OPTIONS_DUMP},
        {{"--dump", NULL}, OPTIONS_DUMP},
        {{"-T", "-t", NULL}, OPTIONS_DUMP},
        {{"-t", "-T", NULL}, OPTIONS_DUMP},
        {{"-h", NULL}, OPTIONS_HELP},
        {{"--help", NULL}, OPTIONS_HELP},
        {{"-V", NULL}, OPTIONS_VERSION},
        {{"--version", NULL}, OPTIONS_VERSION},
        {{"--reference", NULL}, OPTIONS_REFERENCE},
        {{"wrong", "--help", NULL}, OPTIONS_HELP},
        {{"-t", "--version", "--wrong", NULL}, OPTIONS_VERSION},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct parsed parsed = parse(rows[i].arguments);
        if (parsed.action != rows[i].action)
            fail_msg("row %zu: %s", i, parsed.said);
        forget(&parsed);
    }
}

static void options_wrong_usage_is_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[5];
        const char *said;
    } rows[] = {
        {{"-x", NULL}, "unknown option -x"},
        {{"-tx", NULL}, "unknown option -x"},
        {{"-1", NULL}, "unknown option -1"},
        {{"--nonsense", NULL}, "unknown or ambiguous option --nonsense"},
        {{"--nonsense=1", NULL}, "unknown or ambiguous option --nonsense=1"},
        {{"--d", "x", NULL}, "unknown or ambiguous option --d"},
        {{"-c", NULL}, "option -c needs an argument"},
        {{"--config", NULL}, "option --config needs an argument"},
        {{"--test=1", NULL}, "option --test=1 takes no argument"},
        {{"-o", "port", NULL}, "--set needs KEY=VALUE, not \"port\""},
        {{"-o", "=1", NULL}, "--set needs KEY=VALUE, not \"=1\""},
        {{"-o", "", NULL}, "--set needs KEY=VALUE, not \"\""},
        {{"begin", NULL}, "PORT must be an integer, 0 to 65535, not \"begin\""},
        {{"", NULL}, "PORT must be an integer, 0 to 65535, not \"\""},
        {{"8080x", NULL}, "PORT must be an integer, 0 to 65535, not \"8080x\""},
        {{" 80", NULL}, "PORT must be an integer, 0 to 65535, not \" 80\""},
        {{"+80", NULL}, "PORT must be an integer, 0 to 65535, not \"+80\""},
        {{"0x50", NULL}, "PORT must be an integer, 0 to 65535, not \"0x50\""},
        {{"65536", NULL}, "PORT must be an integer, 0 to 65535, not 65536"},
        {{"--", "-1", NULL}, "PORT must be an integer, 0 to 65535, not -1"},
        {{"1", "host.invalid", NULL},
         "HOST must be an IPv4 or IPv6 address, \"localhost\" or \"*\" (any), not "
         "\"host.invalid\""},
        {{"1", "*", "0", NULL}, "WORKERS must be an integer, 1 to 1024, not 0"},
        {{"1", "*", "1025", NULL}, "WORKERS must be an integer, 1 to 1024, not 1025"},
        {{"1", "*", "1", "2", NULL}, "too many arguments, from \"2\" on"},
        {{"-t", "stop", NULL}, "the command must be the first word, \"stop\" is not"},
        {{"start", "stop", NULL}, "the command must be the first word, \"stop\" is not"},
        {{"stop", "--console", NULL}, "--console goes without a command"},
        {{"start", "-t", NULL}, "--test goes without a command"},
        {{"stop", "-t", NULL}, "--test goes without a command"},
        {{"restart", "--test", NULL}, "--test goes without a command"},
        {{"reload", "-t", "--console", NULL}, "--test goes without a command"},
        {{"status", "81", "-t", NULL}, "--test goes without a command"},
        {{"start", "-T", "-t", NULL}, "--dump goes without a command"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char said[256];
        (void)snprintf(said, sizeof said, "server: %s (try server --help)\n", rows[i].said);
        struct parsed parsed = parse(rows[i].arguments);
        assert_string_equal(parsed.said, said);
        assert_int_equal(parsed.action, OPTIONS_USAGE_ERROR);
        forget(&parsed);
    }
}

static void options_help_names_each_option_and_the_defaults(void **state)
{
    (void)state;
    static const char *const words[] = {"PORT",
                                        "HOST",
                                        "WORKERS",
                                        "--config",
                                        "--files",
                                        "--directory",
                                        "--set",
                                        "--test",
                                        "--dump",
                                        "--reference",
                                        "--help",
                                        "--version",
                                        "8080 127.0.0.1 10",
                                        "Usage: server "};
    struct parsed parsed = PARSE("--help");
    char *help;
    size_t len;
    FILE *out = open_memstream(&help, &len);

    assert_non_null(out);
    options_print_help(&parsed.options, out);
    assert_int_equal(fclose(out), 0);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strstr(help, words[i]) == NULL)
            fail_msg("the help does not say %s", words[i]);
    }
    free(help);
    forget(&parsed);
}

static void options_command_is_the_first_word(void **state)
{
    static const struct {
        const char *name;
        enum options_action action;
    } rows[] = {
        {"start", OPTIONS_START},   {"stop", OPTIONS_STOP},     {"restart", OPTIONS_RESTART},
        {"reload", OPTIONS_RELOAD}, {"status", OPTIONS_STATUS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct parsed parsed = PARSE(rows[i].name, "-c", "a.conf", "81");
        assert_int_equal(parsed.action, rows[i].action);
        assert_string_equal(parsed.options.input.file, "a.conf");
        assert_override(&parsed, 0, "listen.port", "81", "command line");
        forget(&parsed);
    }
    struct parsed parsed = PARSE("-c", "a.conf", "start");
    assert_int_equal(parsed.action, OPTIONS_USAGE_ERROR);
    forget(&parsed);
}

static void options_arguments_are_those_for_another_process(void **state)
{
    (void)state;
    struct parsed parsed = PARSE("--console", "81", "--cons", "-c", "a.conf");
    assert_true(parsed.options.has_arguments);
    assert_string_equal(parsed.options.arguments[0], "/usr/bin/server");
    assert_string_equal(parsed.options.arguments[1], "81");
    assert_string_equal(parsed.options.arguments[2], "-c");
    assert_string_equal(parsed.options.arguments[3], "a.conf");
    assert_null(parsed.options.arguments[4]);
    forget(&parsed);

    parsed = PARSE("restart");
    assert_false(parsed.options.has_arguments);
    assert_null(parsed.options.arguments[1]);
    forget(&parsed);
}

static void options_console_is_for_running(void **state)
{
    static const struct {
        const char *other;
        enum options_action action;
    } rows[] = {{"81", OPTIONS_CONSOLE}, {"-t", OPTIONS_TEST}, {"-T", OPTIONS_DUMP}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct parsed parsed = PARSE("--console", rows[i].other);
        assert_int_equal(parsed.action, rows[i].action);
        forget(&parsed);
        parsed = PARSE(rows[i].other, "--console");
        assert_int_equal(parsed.action, rows[i].action);
        forget(&parsed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_nothing_runs_with_the_configuration),
        cmocka_unit_test(options_no_program_name_is_taken),
        cmocka_unit_test(options_positional_arguments_are_the_last_values),
        cmocka_unit_test(options_each_one_is_known_short_and_long),
        cmocka_unit_test(options_action_is_told),
        cmocka_unit_test(options_wrong_usage_is_one_line),
        cmocka_unit_test(options_help_names_each_option_and_the_defaults),
        cmocka_unit_test(options_command_is_the_first_word),
        cmocka_unit_test(options_arguments_are_those_for_another_process),
        cmocka_unit_test(options_console_is_for_running),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
