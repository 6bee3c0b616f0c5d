#include "server/options.h"

#include "server/config/rule.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* Options without a letter. */
enum { OPTION_FILES = 256, OPTION_REFERENCE, OPTION_CONSOLE };

static const char short_options[] = ":c:d:o:tThV";

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"directory", required_argument, NULL, 'd'},
    {"files", required_argument, NULL, OPTION_FILES},
    {"set", required_argument, NULL, 'o'},
    {"test", no_argument, NULL, 't'},
    {"dump", no_argument, NULL, 'T'},
    {"reference", no_argument, NULL, OPTION_REFERENCE},
    {"console", no_argument, NULL, OPTION_CONSOLE},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {0},
};

/* The positional arguments, in their order. */
static const struct {
    const char *name;
    const char *key;
} positionals[] = {
    {"PORT", "listen.port"},
    {"HOST", "listen.host"},
    {"WORKERS", "pool.workers"},
};

#define POSITIONAL_COUNT ((int)(sizeof positionals / sizeof positionals[0]))

static const struct {
    const char *name;
    enum options_action action;
} commands[] = {
    {"start", OPTIONS_START},   {"stop", OPTIONS_STOP},     {"restart", OPTIONS_RESTART},
    {"reload", OPTIONS_RELOAD}, {"status", OPTIONS_STATUS},
};

/* --- errors ------------------------------------------------------------------------------ */

static void begin_error(const struct options *options, FILE *errors)
{
    (void)fprintf(errors, "%s: ", options->program);
}

static enum options_action end_error(const struct options *options, FILE *errors)
{
    (void)fprintf(errors, " (try %s --help)\n", options->program);
    return OPTIONS_USAGE_ERROR;
}

/* What getopt_long() found wrong with the argument that it saw last. */
static enum options_action refuse_option(const struct options *options, int found, char **argv,
                                         FILE *errors)
{
    const char *last = argv[optind - 1];
    bool is_long = strncmp(last, "--", 2) == 0;

    begin_error(options, errors);
    if (found == ':')
        (void)fprintf(errors, "option %s needs an argument", last);
    else if (is_long && optopt != 0)
        (void)fprintf(errors, "option %s takes no argument", last);
    else if (is_long)
        (void)fprintf(errors, "unknown or ambiguous option %s", last);
    else
        (void)fprintf(errors, "unknown option -%c", optopt);
    return end_error(options, errors);
}

/* --- values ------------------------------------------------------------------------------ */

static void add_override(struct options *options, struct slice key, const char *value,
                         const char *origin)
{
    options->overrides[options->input.override_count++] = (struct config_override){
        .key = key.data, .key_len = key.len, .value = value, .origin = origin};
}

static enum options_action add_setting(struct options *options, const char *text, FILE *errors)
{
    const char *equals = strchr(text, '=');

    if (equals == NULL || equals == text) {
        begin_error(options, errors);
        (void)fprintf(errors, "--set needs KEY=VALUE, not \"%s\"", text);
        return end_error(options, errors);
    }
    add_override(options, (struct slice){text, (size_t)(equals - text)}, equals + 1, "--set");
    return OPTIONS_RUN;
}

static bool is_command(const char *word)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(word, commands[i].name) == 0)
            return true;
    }
    return false;
}

static void print_refusal(int index, const struct key *key, const struct value *value,
                          const char *text, FILE *errors)
{
    if (is_command(text)) {
        (void)fprintf(errors, "the command must be the first word, \"%s\" is not", text);
        return;
    }
    (void)fprintf(errors, "%s ", positionals[index].name);
    rule_print_mismatch(key, value, errors);
}

/* Checks a positional argument here, though config_load() would too: a wrong one is wrong usage,
 * not a wrong configuration.
 */
static enum options_action add_positional(struct options *options, int index, const char *text,
                                          FILE *errors)
{
    struct slice name = slice_from_string(positionals[index].key);
    const struct key *key = key_find(name);
    enum options_action action = OPTIONS_RUN;
    struct value value;

    if (value_from_text(key, text, &value) != 0) {
        begin_error(options, errors);
        (void)fputs("out of memory\n", errors);
        return OPTIONS_FAILURE;
    }
    if (rule_allows(key, &value)) {
        add_override(options, name, text, "command line");
    } else {
        begin_error(options, errors);
        print_refusal(index, key, &value, text, errors);
        action = end_error(options, errors);
    }
    value_deinit(&value);
    return action;
}

static enum options_action add_positionals(struct options *options, int argc, char **argv,
                                           FILE *errors)
{
    if (argc > POSITIONAL_COUNT) {
        begin_error(options, errors);
        (void)fprintf(errors, "too many arguments, from \"%s\" on", argv[POSITIONAL_COUNT]);
        return end_error(options, errors);
    }
    for (int i = 0; i < argc; i++) {
        enum options_action action = add_positional(options, i, argv[i], errors);
        if (action != OPTIONS_RUN)
            return action;
    }
    return OPTIONS_RUN;
}

/* --- the command line -------------------------------------------------------------------- */

/* Reads the options. --help and its like end the reading: what follows does not matter. */
static enum options_action parse_options(struct options *options, int argc, char **argv,
                                         FILE *errors)
{
    enum options_action action = OPTIONS_RUN;
    int found;

    opterr = 0;
    optind = 0; /* glibc: begin anew, whatever was parsed before */
    while ((found = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
        switch (found) {
        case 'c':
            options->input.file = optarg;
            break;
        case 'd':
            add_override(options, SLICE("root"), optarg, "command line");
            break;
        case OPTION_FILES:
            add_override(options, SLICE("files.directory"), optarg, "command line");
            break;
        case 'o':
            if (add_setting(options, optarg, errors) != OPTIONS_RUN)
                return OPTIONS_USAGE_ERROR;
            break;
        case 't':
            if (action != OPTIONS_DUMP)
                action = OPTIONS_TEST;
            break;
        case 'T':
            action = OPTIONS_DUMP;
            break;
        case OPTION_REFERENCE:
            return OPTIONS_REFERENCE;
        case OPTION_CONSOLE:
            if (action == OPTIONS_RUN)
                action = OPTIONS_CONSOLE;
            break;
        case 'h':
            return OPTIONS_HELP;
        case 'V':
            return OPTIONS_VERSION;
        default:
            return refuse_option(options, found, argv, errors);
        }
    }
    return action;
}

/* The option that has led to the action, if it makes no sense with a command; else NULL. */
static const char *option_without_command(enum options_action action)
{
    switch (action) {
    case OPTIONS_CONSOLE:
        return "--console";
    case OPTIONS_TEST:
        return "--test";
    case OPTIONS_DUMP:
        return "--dump";
    default:
        return NULL;
    }
}

static bool reads_configuration(enum options_action action)
{
    return action <= OPTIONS_DUMP;
}

static const char *program_name(int argc, char **argv)
{
    if (argc < 1)
        return "server";
    const char *slash = strrchr(argv[0], '/');
    return slash == NULL ? argv[0] : slash + 1;
}

/* Takes a command's name off the command line. Returns OPTIONS_RUN if there is none. */
static enum options_action take_command(int *argc, char ***argv)
{
    for (size_t i = 0; *argc > 1 && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp((*argv)[1], commands[i].name) == 0) {
            (*argv)[1] = (*argv)[0];
            ++*argv;
            --*argc;
            return commands[i].action;
        }
    }
    return OPTIONS_RUN;
}

/* It may be abbreviated, but not to what --config could be. */
static bool is_console_option(const char *argument)
{
    size_t len = strlen(argument);
    return len >= strlen("--cons") && strncmp(argument, "--console", len) == 0;
}

static int copy_arguments(struct options *options, int argc, char **argv)
{
    size_t count = 0;
    options->arguments = calloc((size_t)argc + 1, sizeof *options->arguments);
    if (options->arguments == NULL)
        return -1;
    for (int i = 0; i < argc; i++) {
        if (!is_console_option(argv[i]))
            options->arguments[count++] = argv[i];
    }
    options->has_arguments = count > 1;
    return 0;
}

enum options_action options_parse(int argc, char **argv, FILE *errors, struct options *out)
{
    *out = (struct options){.program = program_name(argc, argv)};
    if (argc < 1)
        return OPTIONS_RUN; /* getopt wants an argv[0] */

    /* No argument makes more than one override. */
    out->overrides = calloc((size_t)argc, sizeof *out->overrides);
    if (out->overrides == NULL) {
        (void)fprintf(errors, "%s: out of memory\n", out->program);
        return OPTIONS_FAILURE;
    }
    out->input.overrides = out->overrides;

    enum options_action command = take_command(&argc, &argv);
    if (copy_arguments(out, argc, argv) != 0) {
        (void)fprintf(errors, "%s: out of memory\n", out->program);
        return OPTIONS_FAILURE;
    }
    enum options_action action = parse_options(out, argc, argv, errors);
    const char *alone = option_without_command(action);
    if (alone != NULL && command != OPTIONS_RUN) {
        begin_error(out, errors);
        (void)fprintf(errors, "%s goes without a command", alone);
        return end_error(out, errors);
    }
    if (action == OPTIONS_RUN)
        action = command;
    if (!reads_configuration(action))
        return action;
    enum options_action result = add_positionals(out, argc - optind, argv + optind, errors);
    return result == OPTIONS_RUN ? action : result;
}

void options_deinit(struct options *options)
{
    free(options->overrides);
    free(options->arguments);
    *options = (struct options){0};
}

void options_print_help(const struct options *options, FILE *out)
{
    (void)fprintf(
        out,
        "Usage: %s [OPTION...] [PORT [HOST [WORKERS]]]\n"
        "       %s start|stop|restart|reload|status [OPTION...] [PORT [HOST [WORKERS]]]\n"
        "       %s token add|list|remove ... (%s token --help tells more)\n"
        "\n"
        "Serves files over HTTP/1.1 and stores uploaded JSON documents.\n"
        "Without arguments: %s %s %s.\n"
        "\n"
        "  start                 run in the background, with a pid file (key pid_file)\n"
        "  stop                  finish what is under way and end\n"
        "  restart               replace it by a new process, with these arguments if there\n"
        "                        are any; no request is lost\n"
        "  reload                have it read the configuration again\n"
        "  status                print what it is doing\n"
        "\n"
        "  PORT                  port to listen on; 0 takes any free one\n"
        "  HOST                  IPv4 or IPv6 address, \"localhost\", or \"*\" for any\n"
        "  WORKERS               threads that answer requests\n"
        "\n"
        "  -c, --config FILE     read this configuration file\n"
        "  -d, --directory DIR   serve the files of this folder (key root)\n"
        "      --files DIR       the folder behind /files (key files.directory)\n"
        "  -o, --set KEY=VALUE   set any key; can be repeated, lists with commas\n"
        "      --console         take status, reload, restart and quit from the terminal\n"
        "  -t, --test            check the configuration and exit; without a command\n"
        "  -T, --dump            the same, and print each value and where it is from\n"
        "      --reference       print what keys there are, as a Markdown table\n"
        "  -h, --help            print this\n"
        "  -V, --version         print the version, the features and the libraries\n"
        "\n"
        "Without -c the configuration is ./server.conf, else server.conf beside the\n"
        "executable or one folder above it, else " CONFIG_SYSTEM_FILE ", else none.\n"
        "Exit status: 0, 1 failure, 2 wrong usage, 78 wrong configuration.\n",
        options->program, options->program, options->program, options->program,
        key_find(SLICE("listen.port"))->initial, key_find(SLICE("listen.host"))->initial,
        key_find(SLICE("pool.workers"))->initial);
}
