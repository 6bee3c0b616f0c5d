#include "server/auth/token_command.h"

#include "server/auth/token.h"
#include "server/auth/token_file.h"
#include "server/config/config.h"
#include "server/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* What the arguments say. */
struct command {
    const char *verb;
    const char *name; /* NULL: list */
    const char *file; /* NULL: the one that the configuration names */
    struct config_input input;
    FILE *out;
    FILE *errors;
};

static void print_usage(FILE *out)
{
    (void)fputs("Usage: server token add NAME [-f FILE | -c CONFIG]\n"
                "       server token list [-f FILE | -c CONFIG]\n"
                "       server token remove NAME [-f FILE | -c CONFIG]\n"
                "\n"
                "Makes, lists and removes the tokens that clients need for writing. `add` prints\n"
                "the new token, which cannot be shown again: the file holds its hash only.\n"
                "Clients send it as `Authorization: Bearer TOKEN`.\n"
                "\n"
                "  -f, --file FILE       the file of the tokens (key auth.tokens_file)\n"
                "  -c, --config CONFIG   the configuration that names it\n"
                "  -h, --help            print this\n",
                out);
}

static int refuse_usage(const struct command *command, const char *what)
{
    (void)fprintf(command->errors, "server token: %s (try server token --help)\n", what);
    return OPTIONS_EXIT_USAGE;
}

/* --- what is done -------------------------------------------------------------------------- */

static int add(const struct command *command)
{
    char secret[TOKEN_SECRET_LEN + 1];
    char hash[CRYPT_OUTPUT_SIZE];
    if (token_make_secret(secret) != 0 || token_hash(secret, hash) != 0) {
        (void)fprintf(command->errors, "server token: no token can be made: %s\n",
                      strerrordesc_np(errno));
        return -1;
    }
    if (token_file_add(command->file, command->name, hash, command->errors) != 0)
        return -1;
    (void)fprintf(command->out, "%s.%s\n", command->name, secret);
    return 0;
}

static int carry_out(const struct command *command)
{
    int result;
    if (strcmp(command->verb, "add") == 0)
        result = add(command);
    else if (strcmp(command->verb, "remove") == 0)
        result = token_file_remove(command->file, command->name, command->errors);
    else
        result = token_file_list(command->file, command->out, command->errors);
    bool is_told = fflush(command->out) == 0 && !ferror(command->out);
    return result == 0 && is_told ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int carry_out_as_configured(struct command *command)
{
    struct config *config = NULL;
    int status = config_load(&command->input, &config, command->errors);
    if (status != EXIT_SUCCESS)
        return status;
    command->file = config->auth.tokens_file;
    if (command->file[0] != '\0')
        status = carry_out(command);
    else
        status = refuse_usage(command, "-f is needed, since auth.tokens_file is not set");
    config_free(config);
    return status;
}

/* --- the arguments ------------------------------------------------------------------------- */

/* Returns an exit status, or -1 to go on. */
static int parse_options(struct command *command, int argc, char **argv)
{
    static const struct option options[] = {
        {"file", required_argument, NULL, 'f'},
        {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int found;
    opterr = 0;
    optind = 0; /* glibc: begin anew */
    while ((found = getopt_long(argc, argv, ":f:c:h", options, NULL)) != -1) {
        switch (found) {
        case 'f':
            command->file = optarg;
            break;
        case 'c':
            command->input.file = optarg;
            break;
        case 'h':
            print_usage(command->out);
            return fflush(command->out) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        case ':':
            return refuse_usage(command, "an option needs an argument");
        default:
            return refuse_usage(command, "unknown option");
        }
    }
    return -1;
}

/* The same. */
static int parse_arguments(struct command *command, int count, char **arguments)
{
    command->verb = count > 0 ? arguments[0] : "";
    bool lists = strcmp(command->verb, "list") == 0;
    if (!lists && strcmp(command->verb, "add") != 0 && strcmp(command->verb, "remove") != 0)
        return refuse_usage(command, "say add, list or remove");
    if (count != (lists ? 1 : 2))
        return refuse_usage(command, lists ? "list takes no name" : "one NAME is needed");
    command->name = arguments[1]; /* argv ends with NULL */
    if (!lists && !token_is_name(slice_from_string(command->name)))
        return refuse_usage(command, "NAME is 1 to 64 letters, digits, '_' and '-'");
    return -1;
}

int token_command_run(int argc, char **argv, FILE *out, FILE *errors)
{
    struct command command = {.out = out, .errors = errors};
    argc--; /* "token" stands for the program */
    argv++;
    int status = parse_options(&command, argc, argv);
    if (status < 0)
        status = parse_arguments(&command, argc - optind, argv + optind);
    if (status >= 0)
        return status;
    return command.file ? carry_out(&command) : carry_out_as_configured(&command);
}
