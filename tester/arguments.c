#include "tester/arguments.h"

#include "http/slice.h"

#include <getopt.h>
#include <string.h>

#define COUNT_MAX       UINT64_C(1000000000)
#define CONNECTIONS_MAX 4096
#define TIMEOUT_MAX_S   3600

/* Options without a letter. */
enum { OPTION_BASE = 256, OPTION_ALLOW_REMOTE, OPTION_DEBUG };

static const char short_options[] = ":c:f:t:hV";

static const struct option long_options[] = {
    {"allow-remote", no_argument, NULL, OPTION_ALLOW_REMOTE},
    {"base", required_argument, NULL, OPTION_BASE},
    {"connections", required_argument, NULL, 'c'},
    {"debug", no_argument, NULL, OPTION_DEBUG},
    {"file", required_argument, NULL, 'f'},
    {"help", no_argument, NULL, 'h'},
    {"timeout", required_argument, NULL, 't'},
    {"version", no_argument, NULL, 'V'},
    {0},
};

static enum arguments_action refuse(FILE *errors, const char *what, const char *text)
{
    (void)fprintf(errors, "tester: %s%s (try tester --help)\n", what, text);
    return ARGUMENTS_USAGE_ERROR;
}

/* What getopt_long() found wrong with the argument that it saw last. */
static enum arguments_action refuse_option(int found, char **argv, FILE *errors)
{
    const char *last = argv[optind - 1];
    char letter[] = {'-', (char)optopt, '\0'};
    if (found == ':')
        return refuse(errors, "an argument is missing: ", last);
    if (strncmp(last, "--", 2) != 0)
        return refuse(errors, "unknown option ", letter);
    return refuse(errors, optopt != 0 ? "the option takes no argument: " : "unknown option ", last);
}

/* Reads a number from 1 to `max`. Returns false when it is none. */
static bool read_number(const char *text, uint64_t max, uint64_t *out)
{
    uint64_t number = 0;
    if (slice_to_u64(slice_from_string(text), &number) != 0 || number < 1 || number > max)
        return false;
    *out = number;
    return true;
}

static bool read_connections(const char *text, struct arguments *out)
{
    uint64_t number = 0;
    if (!read_number(text, CONNECTIONS_MAX, &number))
        return false;
    out->connections = (unsigned)number;
    return true;
}

static bool read_timeout(const char *text, struct arguments *out)
{
    uint64_t seconds = 0;
    if (!read_number(text, TIMEOUT_MAX_S, &seconds))
        return false;
    out->timeout_ms = (long)seconds * 1000;
    return true;
}

/* The word behind "load" or "confirm". */
static enum arguments_action read_operand(enum arguments_action action, const char *text,
                                          FILE *errors, struct arguments *out)
{
    if (action == ARGUMENTS_CONFIRM)
        out->method = strcmp(text, "all") == 0 ? NULL : text;
    else if (!read_number(text, COUNT_MAX, &out->count))
        return refuse(errors, "N must be a number from 1 to 1000000000, not ", text);
    return action;
}

static enum arguments_action read_command(int count, char **words, FILE *errors,
                                          struct arguments *out)
{
    enum arguments_action action = ARGUMENTS_LOAD;
    if (count == 0)
        return refuse(errors, "say what to do: ", "load or confirm");
    if (strcmp(words[0], "confirm") == 0)
        action = ARGUMENTS_CONFIRM;
    else if (strcmp(words[0], "load") != 0)
        return refuse(errors, "say load or confirm, not ", words[0]);
    if (count > 2)
        return refuse(errors, "too many arguments, from here on: ", words[2]);
    if (out->file == NULL)
        out->file = action == ARGUMENTS_LOAD ? "LTest.json" : "CTest.json";
    return count == 1 ? action : read_operand(action, words[1], errors, out);
}

enum arguments_action arguments_parse(int argc, char **argv, FILE *errors, struct arguments *out)
{
    int found;
    *out = (struct arguments){
        .base = "http://127.0.0.1:8080", .count = 100, .connections = 32, .timeout_ms = 10000};
    opterr = 0;
    optind = 0; /* glibc: begin anew, whatever was parsed before */
    while ((found = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
        switch (found) {
        case 'c':
            if (!read_connections(optarg, out))
                return refuse(errors, "--connections must be from 1 to 4096, not ", optarg);
            break;
        case 't':
            if (!read_timeout(optarg, out))
                return refuse(errors, "--timeout must be from 1 to 3600 seconds, not ", optarg);
            break;
        case 'f':
            out->file = optarg;
            break;
        case OPTION_BASE:
            out->base = optarg;
            break;
        case OPTION_ALLOW_REMOTE:
            out->allow_remote = true;
            break;
        case OPTION_DEBUG:
            out->debug = true;
            break;
        case 'h':
            return ARGUMENTS_HELP;
        case 'V':
            return ARGUMENTS_VERSION;
        default:
            return refuse_option(found, argv, errors);
        }
    }
    return read_command(argc - optind, argv + optind, errors, out);
}

void arguments_print_help(FILE *out)
{
    (void)fputs(
        "Usage: tester load [N] [OPTION...] [-f FILE]\n"
        "       tester confirm [METHOD|all] [OPTION...] [-f FILE]\n"
        "\n"
        "Sends the requests of a JSON file to an HTTP server.\n"
        "\n"
        "  load      sends each request N times (100) over many connections, and tells rate,\n"
        "            latency and codes; a code that is not expected is a failure\n"
        "  confirm   sends each request once, in order, and compares the answers with what is\n"
        "            expected; with METHOD only those (and those that save something)\n"
        "\n"
        "  -f, --file FILE         the requests (LTest.json or CTest.json)\n"
        "  -c, --connections N     connections of a load, 1 to 4096 (32)\n"
        "  -t, --timeout SECONDS   time for one request, 1 to 3600 (10)\n"
        "      --base URL          what URLs that begin with / are relative to\n"
        "                          (http://127.0.0.1:8080)\n"
        "      --allow-remote      send also to other machines than this one\n"
        "      --debug             print each code as it comes\n"
        "  -h, --help              print this\n"
        "  -V, --version           print the version and the libraries\n"
        "\n"
        "Exit status: 0, 1 a request failed, 2 wrong usage, 65 the file cannot be read or is\n"
        "wrong.\n",
        out);
}
