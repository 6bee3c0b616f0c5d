/* The tester: reads the command line and the requests, and sends them. */
#include "tester/arguments.h"
#include "tester/confirm.h"
#include "tester/load.h"
#include "tester/outgoing.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>

static void print_version(FILE *out)
{
    (void)fprintf(out, "tarn tester " TARN_VERSION "\nlibraries: %s, cJSON %s\n", curl_version(),
                  cJSON_Version());
}

static int send_plan(const struct arguments *arguments, enum arguments_action action)
{
    struct plan plan;
    int status = ARGUMENTS_EXIT_FILE;
    if (plan_load(&plan, arguments->file, stderr) == 0)
        status =
            action == ARGUMENTS_LOAD ? load_run(&plan, arguments) : confirm_run(&plan, arguments);
    plan_deinit(&plan);
    return status;
}

static int send_requests(const struct arguments *arguments, enum arguments_action action)
{
    struct outgoing_rules rules = {arguments->base, arguments->allow_remote};
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        (void)fputs("tester: libcurl could not be started\n", stderr);
        return EXIT_FAILURE;
    }
    int status = ARGUMENTS_EXIT_USAGE;
    if (outgoing_check_base(&rules, stderr) == 0)
        status = send_plan(arguments, action);
    curl_global_cleanup();
    return status;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    int status = EXIT_SUCCESS;
    enum arguments_action action = arguments_parse(argc, argv, stderr, &arguments);
    (void)signal(SIGPIPE, SIG_IGN); /* a write that fails says so */
    switch (action) {
    case ARGUMENTS_LOAD:
    case ARGUMENTS_CONFIRM:
        status = send_requests(&arguments, action);
        break;
    case ARGUMENTS_HELP:
        arguments_print_help(stdout);
        break;
    case ARGUMENTS_VERSION:
        print_version(stdout);
        break;
    case ARGUMENTS_USAGE_ERROR:
        return ARGUMENTS_EXIT_USAGE;
    }
    return fflush(stdout) == 0 && !ferror(stdout) ? status : EXIT_FAILURE;
}
