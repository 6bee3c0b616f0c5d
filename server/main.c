/* The program: reads the command line and the configuration, and serves. */
#include "server/auth/token_command.h"
#include "server/auth/tokens.h"
#include "server/config/dump.h"
#include "server/control/console.h"
#include "server/control/launch.h"
#include "server/control/standard_streams.h"
#include "server/options.h"
#include "server/run.h"
#include "server/version.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Whether all that was printed has reached stdout. */
static int printed(void)
{
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* What is wrong in the file of the tokens is wrong in the configuration. */
static int check_tokens(const struct config *config, FILE *errors)
{
    struct tokens *tokens = NULL;
    int status = tokens_load(config->auth.tokens_file, &tokens, errors);
    tokens_free(tokens);
    return status;
}

/* Loads a configuration that must be right. Returns the exit status. */
static int load(const struct options *options, struct config **out, FILE *errors)
{
    struct config *config = NULL;
    int status = config_load(&options->input, &config, errors);
    if (status == EXIT_SUCCESS)
        status = check_tokens(config, errors);
    if (status == EXIT_SUCCESS)
        *out = config;
    else
        config_free(config);
    return status;
}

/* What is wrong is told to whoever has started this process. */
static int serve(const struct options *options)
{
    struct run_options run = {
        .input = &options->input,
        .arguments = options->arguments,
        .inheritance = inheritance_take(),
    };
    struct config *config;
    (void)signal(SIGPIPE, SIG_IGN); /* the starter may go meanwhile */
    FILE *starter = run.inheritance.ready >= 0 ? launch_open_errors(run.inheritance.ready) : NULL;
    int status = load(options, &config, starter ? starter : stderr);
    if (starter)
        (void)fclose(starter); /* who does not read it any more misses it */
    if (status == EXIT_SUCCESS)
        return run_server(config, &run);
    inheritance_close(&run.inheritance);
    return status;
}

static int check(const struct options *options, enum options_action action)
{
    struct config *config;
    int status = load(options, &config, stderr);
    if (status != EXIT_SUCCESS)
        return status;
    if (action == OPTIONS_DUMP)
        dump_config(config, stdout);
    dump_verdict(config, action == OPTIONS_DUMP ? stderr : stdout);
    config_free(config);
    return printed();
}

static int obey(const struct command *command, enum options_action action)
{
    switch (action) {
    case OPTIONS_CONSOLE:
        return console_run(command);
    case OPTIONS_START:
        return command_start(command, NULL);
    case OPTIONS_STOP:
        return command_stop(command);
    case OPTIONS_RESTART:
        return command_restart(command, NULL);
    case OPTIONS_RELOAD:
        return command_reload(command);
    default:
        return command_status(command);
    }
}

static int control_with(const struct options *options, enum options_action action,
                        struct config *config)
{
    int status = obey(
        &(struct command){
            .config = config,
            .program = options->program,
            .arguments = options->arguments,
            .has_arguments = options->has_arguments,
            .detaches = action != OPTIONS_CONSOLE,
        },
        action);
    config_free(config);
    return status;
}

/* For those that only have to find the server, which may go by another configuration: what is wrong
 * in this one matters only if it was not found, since that may be why.
 */
static int find_and_control(struct options *options, enum options_action action)
{
    struct config *config = NULL;
    char *faults = NULL;
    size_t size;
    FILE *errors = open_memstream(&faults, &size);
    if (!errors)
        return EXIT_FAILURE;
    options->input.tolerates_faults = true;
    int status = config_load(&options->input, &config, errors);
    bool can_tell = fclose(errors) == 0;
    if (status == EXIT_SUCCESS)
        status = control_with(options, action, config);
    if (status == EXIT_FAILURE && can_tell)
        (void)fputs(faults, stderr);
    free(faults);
    return status;
}

/* Those that start a server want a right configuration. */
static int control(struct options *options, enum options_action action)
{
    struct config *config;
    if (action != OPTIONS_CONSOLE && action != OPTIONS_START)
        return find_and_control(options, action);
    int status = load(options, &config, stderr);
    return status == EXIT_SUCCESS ? control_with(options, action, config) : status;
}

int main(int argc, char **argv)
{
    standard_streams_fill();
    if (argc > 1 && strcmp(argv[1], "token") == 0)
        return token_command_run(argc, argv, stdout, stderr);
    struct options options = {0};
    int status = EXIT_FAILURE;
    enum options_action action = options_parse(argc, argv, stderr, &options);
    switch (action) {
    case OPTIONS_RUN:
        status = serve(&options);
        break;
    case OPTIONS_TEST:
    case OPTIONS_DUMP:
        status = check(&options, action);
        break;
    case OPTIONS_CONSOLE:
    case OPTIONS_START:
    case OPTIONS_STOP:
    case OPTIONS_RESTART:
    case OPTIONS_RELOAD:
    case OPTIONS_STATUS:
        status = control(&options, action);
        break;
    case OPTIONS_REFERENCE:
        dump_reference(stdout);
        status = printed();
        break;
    case OPTIONS_HELP:
        options_print_help(&options, stdout);
        status = printed();
        break;
    case OPTIONS_VERSION:
        version_print(stdout);
        status = printed();
        break;
    case OPTIONS_USAGE_ERROR:
        status = OPTIONS_EXIT_USAGE;
        break;
    case OPTIONS_FAILURE:
        break;
    }
    options_deinit(&options);
    return status;
}
