#include "tester/outgoing.h"

#include "tester/loopback.h"

#include <stdlib.h>
#include <string.h>

static int fail(FILE *errors, const char *message)
{
    (void)fputs(message, errors);
    return -1;
}

/* --- the URL ----------------------------------------------------------------------------- */

/* The host is what libcurl's own parser finds, so that none of its readings is missed. */
static int check_host(CURLU *url, FILE *errors)
{
    char *host = NULL;
    CURLUcode code = curl_url_get(url, CURLUPART_HOST, &host, 0);
    int result = 0;
    if (code != CURLUE_OK) {
        result = fail(errors, curl_url_strerror(code));
    } else if (!loopback_is_host(host)) {
        (void)fprintf(errors, "%s is not this machine; --allow-remote would send there", host);
        result = -1;
    }
    curl_free(host);
    return result;
}

static int parse_url(CURLU *url, const char *text, const struct outgoing_rules *rules, FILE *errors)
{
    bool is_http = strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
    if (!is_http)
        return fail(errors, "an URL must begin with \"/\", \"http://\" or \"https://\"");
    CURLUcode code = curl_url_set(url, CURLUPART_URL, text, CURLU_PATH_AS_IS);
    if (code != CURLUE_OK)
        return fail(errors, curl_url_strerror(code));
    return rules->allow_remote ? 0 : check_host(url, errors);
}

/* `text` as an absolute URL, which the caller frees. */
static char *join_base(const char *base, const char *text)
{
    size_t len = strlen(base);
    char *joined;
    if (text[0] != '/')
        return strdup(text);
    if (len > 0 && base[len - 1] == '/')
        len--;
    return asprintf(&joined, "%.*s%s", (int)len, base, text) < 0 ? NULL : joined;
}

static int make_url(struct outgoing *out, const char *text, const struct outgoing_rules *rules,
                    FILE *errors)
{
    char *absolute = join_base(rules->base, text);
    out->url = curl_url();
    int result = -1;
    if (absolute == NULL || out->url == NULL)
        (void)fail(errors, "out of memory");
    else
        result = parse_url(out->url, absolute, rules, errors);
    free(absolute);
    return result;
}

/* The text with its variables replaced, which the caller frees; NULL: told why not. */
static char *expand(const char *text, const struct variables *variables, FILE *errors)
{
    char *expanded = NULL;
    struct slice missing;
    if (variables_expand(variables, text, &expanded, &missing) == 0)
        return expanded;
    if (missing.len == 0)
        (void)fail(errors, "out of memory");
    else
        (void)fprintf(errors, "nothing has been saved as {%.*s}", (int)missing.len, missing.data);
    return NULL;
}

/* --- header fields ----------------------------------------------------------------------- */

/* Adds `line` to the list, and frees it. */
static int add_line(struct outgoing *out, char *line)
{
    struct curl_slist *list = line == NULL ? NULL : curl_slist_append(out->fields, line);
    free(line);
    if (list == NULL)
        return -1;
    out->fields = list;
    return 0;
}

/* In libcurl's list "Name:" leaves out a field that it would send, "Name;" sends an empty one. */
static int add_field(struct outgoing *out, const char *name, const char *value)
{
    char *line;
    int len;
    if (value == NULL)
        len = asprintf(&line, "%s:", name);
    else if (value[0] == '\0')
        len = asprintf(&line, "%s;", name);
    else
        len = asprintf(&line, "%s: %s", name, value);
    return add_line(out, len < 0 ? NULL : line);
}

static int add_fields(struct outgoing *out, const struct variables *variables, FILE *errors)
{
    const cJSON *field;
    cJSON_ArrayForEach(field, out->request->headers)
    {
        char *value = NULL;
        if (cJSON_IsString(field)) {
            value = expand(field->valuestring, variables, errors);
            if (value == NULL)
                return -1;
        }
        int result = add_field(out, field->string, value);
        free(value);
        if (result != 0)
            return fail(errors, "out of memory");
    }
    return 0;
}

static bool has_field(const cJSON *headers, const char *name)
{
    return cJSON_GetObjectItem(headers, name) != NULL; /* compares without case */
}

/* What the request does not say itself. libcurl has an option for User-Agent, but formats its value
 * twice for each request; and of bytes it would say that they are form fields.
 */
static int add_defaults(struct outgoing *out, FILE *errors)
{
    const struct plan_request *request = out->request;
    int result = 0;
    if (!has_field(request->headers, "User-Agent"))
        result = add_field(out, "User-Agent", "tarn-tester/" TARN_VERSION);
    if (result == 0 && request->content == PLAN_BYTES &&
        !has_field(request->headers, "Content-Type"))
        result = add_field(out, "Content-Type", request->media_type);
    return result == 0 ? 0 : fail(errors, "out of memory");
}

/* --- the whole --------------------------------------------------------------------------- */

int outgoing_make(struct outgoing *out, const struct plan_request *request,
                  const struct outgoing_rules *rules, const struct variables *variables,
                  FILE *errors)
{
    *out = (struct outgoing){.request = request};
    char *url = expand(request->url, variables, errors);
    int result = url == NULL ? -1 : make_url(out, url, rules, errors);
    free(url);
    if (result == 0)
        result = add_fields(out, variables, errors);
    if (result == 0)
        result = add_defaults(out, errors);
    return result;
}

void outgoing_deinit(struct outgoing *outgoing)
{
    curl_url_cleanup(outgoing->url);
    curl_slist_free_all(outgoing->fields);
    *outgoing = (struct outgoing){0};
}

static int check_url(const char *url, const struct outgoing_rules *rules, FILE *errors)
{
    struct outgoing out = {0};
    int result = make_url(&out, url, rules, errors);
    outgoing_deinit(&out);
    return result;
}

/* --- checks ahead ------------------------------------------------------------------------- */

/* Collects what is said, to print it behind the place that it is about. */
struct complaint {
    FILE *stream;
    char *text;
    size_t len;
};

static int begin_complaint(struct complaint *complaint)
{
    *complaint = (struct complaint){0};
    complaint->stream = open_memstream(&complaint->text, &complaint->len);
    return complaint->stream == NULL ? -1 : 0;
}

static void end_complaint(struct complaint *complaint, const struct plan *plan, size_t index,
                          FILE *errors)
{
    if (fclose(complaint->stream) == 0 && complaint->len > 0)
        (void)fprintf(errors, "%s:%u: %s\n", plan->file.path, plan->requests[index].line,
                      complaint->text);
    free(complaint->text);
}

int outgoing_check_base(const struct outgoing_rules *rules, FILE *errors)
{
    struct complaint complaint;
    if (begin_complaint(&complaint) != 0)
        return fail(errors, "out of memory\n");
    int result = rules->base[0] == '/' ? fail(complaint.stream, "it needs a host")
                                       : check_url(rules->base, rules, complaint.stream);
    if (fclose(complaint.stream) == 0 && complaint.len > 0)
        (void)fprintf(errors, "tester: --base %s: %s\n", rules->base, complaint.text);
    free(complaint.text);
    return result;
}

int outgoing_check(const struct plan *plan, const struct outgoing_rules *rules, FILE *errors)
{
    int result = 0;
    struct complaint complaint;
    for (size_t i = 0; i < plan->count; i++) {
        if (variables_are_in(plan->requests[i].url))
            continue;
        if (begin_complaint(&complaint) != 0)
            return fail(errors, "out of memory\n");
        if (check_url(plan->requests[i].url, rules, complaint.stream) != 0)
            result = -1;
        end_complaint(&complaint, plan, i, errors);
    }
    return result;
}

struct outgoing *outgoing_make_all(const struct plan *plan, const struct outgoing_rules *rules,
                                   FILE *errors)
{
    static const struct variables none = {0};
    struct outgoing *all = calloc(plan->count, sizeof *all);
    struct complaint complaint;
    int result = all == NULL ? fail(errors, "out of memory\n") : 0;
    for (size_t i = 0; all != NULL && i < plan->count; i++) {
        if (begin_complaint(&complaint) != 0) {
            result = fail(errors, "out of memory\n");
            break;
        }
        if (outgoing_make(&all[i], &plan->requests[i], rules, &none, complaint.stream) != 0)
            result = -1;
        end_complaint(&complaint, plan, i, errors);
    }
    if (result == 0)
        return all;
    outgoing_free_all(all, plan->count);
    return NULL;
}

void outgoing_free_all(struct outgoing *all, size_t count)
{
    for (size_t i = 0; all != NULL && i < count; i++)
        outgoing_deinit(&all[i]);
    free(all);
}
