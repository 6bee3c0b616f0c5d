#include "tester/expectation.h"

#include "http/text.h"
#include "server/json/json_check.h"
#include "tester/json_match.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN_BYTES_MAX 60
#define DEPTH_MAX       200 /* levels of an answer's JSON */

static void put_quoted(struct slice bytes, FILE *out)
{
    char buffer[SHOWN_BYTES_MAX * 4]; /* each byte may become \xHH */
    struct text text = text_over(buffer, sizeof buffer);
    bool cut = bytes.len > SHOWN_BYTES_MAX;
    if (cut)
        bytes.len = SHOWN_BYTES_MAX;
    text_append_log(&text, bytes);
    (void)fprintf(out, "\"%.*s\"%s", (int)text.len, text.data, cut ? "..." : "");
}

/* A value of the file as it would be written there. */
static void put_json(const cJSON *value, FILE *out)
{
    char *text = cJSON_PrintUnformatted(value);
    (void)fputs(text == NULL ? "(no memory)" : text, out);
    cJSON_free(text);
}

static unsigned compare_status(const struct plan_expect *expect, long status, FILE *out)
{
    if (plan_allows_status(expect, status))
        return 0;
    (void)fprintf(out, "status: %ld, expected ", status);
    if (expect->status == NULL)
        (void)fputs("one below 400", out);
    else
        put_json(expect->status, out);
    (void)fputc('\n', out);
    return 1;
}

/* --- header fields ----------------------------------------------------------------------- */

static bool slice_contains(struct slice bytes, struct slice part)
{
    return part.len == 0 || (bytes.len > 0 && memmem(bytes.data, bytes.len, part.data, part.len));
}

/* Whether a value is what is expected: a text, true, or one of the patterns. */
static bool value_fits(struct slice value, const cJSON *expected)
{
    if (cJSON_IsTrue(expected))
        return true;
    if (cJSON_IsString(expected))
        return slice_equal(value, slice_from_string(expected->valuestring));
    const cJSON *pattern = expected->child;
    struct slice part = slice_from_string(pattern->valuestring);
    return strcmp(pattern->string, "contains") == 0 ? slice_contains(value, part)
                                                    : slice_starts_with(value, part);
}

/* One of the fields with that name must fit; none may be there if `false` is expected. */
static unsigned compare_field(const cJSON *expected, struct slice head, FILE *out)
{
    struct slice name = slice_from_string(expected->string);
    struct slice value;
    bool wanted = !cJSON_IsFalse(expected);
    bool present = false;
    struct slice seen = {0};
    while (answer_next_field(&head, name, &value)) {
        if (wanted && value_fits(value, expected))
            return 0;
        present = true;
        seen = value;
    }
    if (!wanted && !present)
        return 0;
    (void)fprintf(out, "%s: ", expected->string);
    if (present)
        put_quoted(seen, out);
    else
        (void)fputs("not there", out);
    (void)fputs(", expected ", out);
    put_json(expected, out);
    (void)fputc('\n', out);
    return 1;
}

/* The same for a text in which {place} stands for what has been saved. */
static unsigned compare_expanded(const cJSON *expected, struct slice head,
                                 const struct variables *variables, FILE *out)
{
    char *text = NULL;
    struct slice missing;
    if (variables_expand(variables, expected->valuestring, &text, &missing) != 0) {
        (void)fprintf(out, "%s: nothing has been saved as {%.*s}\n", expected->string,
                      (int)missing.len, missing.data);
        return 1;
    }
    cJSON expanded = *expected; /* borrows all but the text */
    expanded.valuestring = text;
    unsigned count = compare_field(&expanded, head, out);
    free(text);
    return count;
}

static unsigned compare_fields(const cJSON *expected, struct slice head,
                               const struct variables *variables, FILE *out)
{
    unsigned count = 0;
    const cJSON *field;
    cJSON_ArrayForEach(field, expected)
    {
        if (cJSON_IsString(field) && variables_are_in(field->valuestring))
            count += compare_expanded(field, head, variables, out);
        else
            count += compare_field(field, head, out);
    }
    return count;
}

/* --- content ----------------------------------------------------------------------------- */

static size_t common_len(struct slice a, struct slice b)
{
    size_t len = 0;
    while (len < a.len && len < b.len && a.data[len] == b.data[len])
        len++;
    return len;
}

static unsigned compare_bytes(const char *key, struct slice expected, struct slice content,
                              FILE *out)
{
    size_t same = common_len(expected, content);
    if (same == expected.len && same == content.len)
        return 0;
    (void)fprintf(out, "%s: %zu bytes, expected %zu; from byte %zu on ", key, content.len,
                  expected.len, same);
    put_quoted((struct slice){content.data + same, content.len - same}, out);
    (void)fputs(", expected ", out);
    put_quoted((struct slice){expected.data + same, expected.len - same}, out);
    (void)fputc('\n', out);
    return 1;
}

/* Whether cJSON, which is lenient, may be trusted with these bytes. */
static bool is_json(struct slice content)
{
    struct json_check check;
    json_check_init(&check, DEPTH_MAX, UINT64_MAX);
    return json_check_feed(&check, content.data, content.len) != PARSE_BAD &&
           json_check_finish(&check) == PARSE_DONE;
}

static unsigned compare_json(const char *key, const cJSON *expected, bool may_have_more,
                             struct slice content, FILE *out)
{
    cJSON *actual = NULL;
    if (is_json(content))
        actual = cJSON_ParseWithLength(content.data, content.len);
    if (actual == NULL) {
        (void)fprintf(out, "%s: the content is not JSON: ", key);
        put_quoted(content, out);
        (void)fputc('\n', out);
        return 1;
    }
    bool matches = json_match(expected, actual, may_have_more, key, out);
    cJSON_Delete(actual);
    return matches ? 0 : 1;
}

unsigned expectation_compare(const struct plan_expect *expect, const struct answer *answer,
                             const struct variables *variables, FILE *differences)
{
    struct slice content = answer_content(answer);
    unsigned count = compare_status(expect, answer->status, differences);
    count += compare_fields(expect->headers, answer_head(answer), variables, differences);
    if (expect->body != NULL)
        count += compare_bytes("body", slice_from_string(expect->body), content, differences);
    if (expect->file != NULL)
        count += compare_bytes("bodyFile", (struct slice){expect->file->bytes, expect->file->len},
                               content, differences);
    if (expect->json != NULL)
        count += compare_json("json", expect->json, false, content, differences);
    if (expect->json_has != NULL)
        count += compare_json("jsonHas", expect->json_has, true, content, differences);
    return count;
}
