/* The program: reads the command line and the configuration, and serves. */
#include "server/config/dump.h"
#include "server/options.h"
#include "server/run.h"
#include "server/version.h"

#include <stdlib.h>

/* Whether all that was printed has reached stdout. */
static int printed(void)
{
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int with_config(const struct options *options, enum options_action action)
{
    struct config *config = NULL;
    int status = config_load(&options->input, &config, stderr);
    if (status != EXIT_SUCCESS)
        return status;
    if (action == OPTIONS_RUN)
        return run_server(config);
    if (action == OPTIONS_DUMP)
        dump_config(config, stdout);
    dump_verdict(config, action == OPTIONS_DUMP ? stderr : stdout);
    config_free(config);
    return printed();
}

int main(int argc, char **argv)
{
    struct options options = {0};
    int status = EXIT_FAILURE;
    enum options_action action = options_parse(argc, argv, stderr, &options);
    switch (action) {
    case OPTIONS_RUN:
    case OPTIONS_TEST:
    case OPTIONS_DUMP:
        status = with_config(&options, action);
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
