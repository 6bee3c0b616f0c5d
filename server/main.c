/* The program: reads the command line and the configuration, and serves. */
#include "server/auth/token_command.h"
#include "server/auth/tokens.h"
#include "server/config/dump.h"
#include "server/control/console.h"
#include "server/options.h"
#include "server/run.h"
#include "server/version.h"

#include <stdlib.h>
#include <string.h>

/* Whether all that was printed has reached stdout. */
static int printed(void)
{
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* What is wrong in the file of the tokens is wrong in the configuration. */
static int check_tokens(const struct config *config)
{
    struct tokens *tokens = NULL;
    int status = tokens_load(config->auth.tokens_file, &tokens, stderr);
    tokens_free(tokens);
    return status;
}

static int with_config(const struct options *options, enum options_action action)
{
    struct config *config = NULL;
    int status = config_load(&options->input, &config, stderr);
    if (status != EXIT_SUCCESS)
        return status;
    status = check_tokens(config);
    if (status != EXIT_SUCCESS) {
        config_free(config);
        return status;
    }
    if (action == OPTIONS_RUN)
        return run_server(config, &(struct run_options){
                                      .input = &options->input,
                                      .arguments = options->arguments,
                                  });
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

/* Those that start a server want a right configuration. The others only have to find the server,
 * which may go by another one.
 */
static int control(struct options *options, enum options_action action)
{
    struct config *config = NULL;
    bool starts = action == OPTIONS_CONSOLE || action == OPTIONS_START;
    FILE *errors = starts ? stderr : fopen("/dev/null", "w");
    options->input.tolerates_faults = !starts;
    int status = errors ? config_load(&options->input, &config, errors) : EXIT_FAILURE;
    if (errors && !starts)
        (void)fclose(errors); /* nobody reads it */
    if (status != EXIT_SUCCESS)
        return status;
    if (starts)
        status = check_tokens(config);
    if (status == EXIT_SUCCESS)
        status = obey(
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

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "token") == 0)
        return token_command_run(argc, argv, stdout, stderr);
    struct options options = {0};
    int status = EXIT_FAILURE;
    enum options_action action = options_parse(argc, argv, stderr, &options);
    switch (action) {
    case OPTIONS_RUN:
    case OPTIONS_TEST:
    case OPTIONS_DUMP:
        status = with_config(&options, action);
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
