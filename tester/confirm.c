#include "tester/confirm.h"

#include "tester/expectation.h"
#include "tester/outgoing.h"
#include "tester/transfer.h"

#include <stdlib.h>
#include <string.h>

#define INDENT "        "

struct confirm {
    const struct arguments *arguments;
    struct outgoing_rules where;
    struct transfer_rules rules;
    struct transfer transfer;
    struct variables variables;
    unsigned passed;
    unsigned failed;
};

/* --- one request ------------------------------------------------------------------------- */

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is libcurl's */
static size_t take_line(char *bytes, size_t size, size_t count, void *answer)
{
    return answer_take_line(answer, (struct slice){bytes, size * count}) == 0 ? size * count : 0;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is libcurl's */
static size_t take_content(char *bytes, size_t size, size_t count, void *answer)
{
    return answer_take_content(answer, (struct slice){bytes, size * count}) == 0 ? size * count : 0;
}

/* Sends it. Returns 0 with the answer, or -1 after a line that says why there is none. */
static int exchange(struct confirm *confirm, const struct outgoing *outgoing, struct answer *answer,
                    FILE *differences)
{
    struct transfer *transfer = &confirm->transfer;
    char reason[CURL_ERROR_SIZE] = "";
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (transfer_prepare(transfer, outgoing, &confirm->rules) == 0) {
        CURL *handle = transfer->handle;
        unsigned failed = curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, reason);
        failed |= curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_line);
        failed |= curl_easy_setopt(handle, CURLOPT_HEADERDATA, answer);
        failed |= curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_content);
        failed |= curl_easy_setopt(handle, CURLOPT_WRITEDATA, answer);
        if (failed == 0)
            code = curl_easy_perform(handle);
        (void)curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &answer->status);
        (void)curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, NULL);
    }
    if (code == CURLE_OK)
        return 0;
    (void)fprintf(differences, "no answer: %s\n",
                  reason[0] != '\0' ? reason : curl_easy_strerror(code));
    return -1;
}

/* Keeps what later requests want of this answer. Returns how much of it is not there. */
static unsigned save(struct confirm *confirm, const cJSON *wanted, const struct answer *answer,
                     FILE *differences)
{
    unsigned missing = 0;
    const cJSON *variable;
    cJSON_ArrayForEach(variable, wanted)
    {
        struct slice rest = answer_head(answer);
        struct slice value;
        if (answer_next_field(&rest, slice_from_string(variable->valuestring), &value) &&
            variables_set(&confirm->variables, variable->string, value) == 0)
            continue;
        (void)fprintf(differences, "save: there is no %s\n", variable->valuestring);
        missing++;
    }
    return missing;
}

/* Sends a request and compares. Returns the number of lines written to `differences`. */
static unsigned try_request(struct confirm *confirm, const struct plan_request *request,
                            struct answer *answer, FILE *differences)
{
    struct outgoing outgoing;
    unsigned count = 1;
    if (outgoing_make(&outgoing, request, &confirm->where, &confirm->variables, differences) != 0) {
        (void)fputc('\n', differences);
    } else if (exchange(confirm, &outgoing, answer, differences) == 0) {
        count = expectation_compare(&request->expect, answer, &confirm->variables, differences);
        count += save(confirm, request->save, answer, differences);
    }
    outgoing_deinit(&outgoing);
    return count;
}

/* --- the table --------------------------------------------------------------------------- */

static void print_row(const struct plan_request *request, long status, const char *differences)
{
    bool has_passed = differences[0] == '\0';
    (void)printf("%s  %3ld  %-7s  %-32s  %s\n", has_passed ? "passed" : "FAILED", status,
                 request->method, request->url, request->name == NULL ? "" : request->name);
    while (differences[0] != '\0') {
        int len = (int)strcspn(differences, "\n");
        (void)printf(INDENT "%.*s\n", len, differences);
        differences += len + (differences[len] == '\n');
    }
    (void)fflush(stdout);
}

static void confirm_request(struct confirm *confirm, const struct plan_request *request)
{
    struct answer answer = {0};
    char *differences = NULL;
    size_t len;
    FILE *stream = open_memstream(&differences, &len);
    unsigned count = 1;
    if (stream != NULL)
        count = try_request(confirm, request, &answer, stream);
    if (confirm->arguments->debug)
        (void)fprintf(stderr, "%3ld %s %s\n", answer.status, request->method, request->url);
    if (stream != NULL && fclose(stream) == 0)
        print_row(request, answer.status, differences);
    else
        (void)fputs("tester: out of memory\n", stderr);
    free(differences);
    answer_deinit(&answer);
    if (count == 0)
        confirm->passed++;
    else
        confirm->failed++;
}

static bool is_wanted(const struct plan_request *request, const char *method)
{
    return method == NULL || request->save != NULL || strcmp(request->method, method) == 0;
}

static int confirm_all(struct confirm *confirm, const struct plan *plan)
{
    const char *method = confirm->arguments->method;
    for (size_t i = 0; i < plan->count; i++) {
        if (is_wanted(&plan->requests[i], method))
            confirm_request(confirm, &plan->requests[i]);
    }
    (void)printf("%u passed, %u failed\n", confirm->passed, confirm->failed);
    if (confirm->passed + confirm->failed == 0)
        (void)fprintf(stderr, "tester: %s has no request with the method %s\n", plan->file.path,
                      method);
    return confirm->failed == 0 && confirm->passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int confirm_run(const struct plan *plan, const struct arguments *arguments)
{
    struct confirm confirm = {.arguments = arguments,
                              .where = {arguments->base, arguments->allow_remote},
                              .rules = {arguments->allow_remote, arguments->timeout_ms}};
    int status = EXIT_FAILURE;
    if (outgoing_check(plan, &confirm.where, stderr) != 0)
        return ARGUMENTS_EXIT_FILE;
    if (transfer_init(&confirm.transfer) == 0)
        status = confirm_all(&confirm, plan);
    else
        (void)fputs("tester: out of memory\n", stderr);
    transfer_deinit(&confirm.transfer);
    variables_deinit(&confirm.variables);
    return status;
}
