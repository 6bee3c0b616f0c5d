#include "tester/json_match.h"

#include <stdlib.h>
#include <string.h>

/* The way from the root to a value: a list from the value upwards, on the stack. */
struct path {
    const struct path *parent;
    const char *name; /* of a member; NULL: an element of an array */
    int index;
};

struct match {
    bool may_have_more;
    const char *lead;
    FILE *difference;
};

static void put_path(const struct path *path, FILE *out)
{
    if (path == NULL)
        return;
    put_path(path->parent, out);
    if (path->name != NULL)
        (void)fprintf(out, ".%s", path->name);
    else
        (void)fprintf(out, "[%d]", path->index);
}

static void put_value(const cJSON *value, FILE *out)
{
    char *text = value == NULL ? NULL : cJSON_PrintUnformatted(value);
    (void)fputs(value == NULL ? "nothing" : text == NULL ? "(no memory)" : text, out);
    cJSON_free(text);
}

/* `actual` or `expected` may be NULL: there is none. */
static bool differ(const struct match *match, const struct path *path, const cJSON *expected,
                   const cJSON *actual)
{
    (void)fprintf(match->difference, "%s: at ", match->lead);
    if (path == NULL)
        (void)fputs("the top", match->difference);
    put_path(path, match->difference);
    (void)fputs(": ", match->difference);
    put_value(actual, match->difference);
    (void)fputs(", expected ", match->difference);
    put_value(expected, match->difference);
    (void)fputc('\n', match->difference);
    return false;
}

static bool match_values(const struct match *match, const struct path *path, const cJSON *expected,
                         const cJSON *actual);

static bool match_objects(const struct match *match, const struct path *path, const cJSON *expected,
                          const cJSON *actual)
{
    const cJSON *member;
    cJSON_ArrayForEach(member, expected)
    {
        struct path below = {path, member->string, 0};
        const cJSON *other = cJSON_GetObjectItemCaseSensitive(actual, member->string);
        if (!match_values(match, &below, member, other))
            return false;
    }
    if (match->may_have_more)
        return true;
    cJSON_ArrayForEach(member, actual)
    {
        struct path below = {path, member->string, 0};
        if (cJSON_GetObjectItemCaseSensitive(expected, member->string) == NULL)
            return differ(match, &below, NULL, member);
    }
    return true;
}

static bool match_arrays(const struct match *match, const struct path *path, const cJSON *expected,
                         const cJSON *actual)
{
    const cJSON *theirs = actual->child;
    const cJSON *ours = expected->child;
    struct path below = {path, NULL, 0};
    for (; ours != NULL; below.index++) {
        if (!match_values(match, &below, ours, theirs))
            return false;
        ours = ours->next;
        theirs = theirs->next;
    }
    return theirs == NULL || differ(match, &below, NULL, theirs);
}

static bool match_values(const struct match *match, const struct path *path, const cJSON *expected,
                         const cJSON *actual)
{
    if (actual == NULL || (actual->type & 0xff) != (expected->type & 0xff))
        return differ(match, path, expected, actual);
    if (cJSON_IsObject(expected))
        return match_objects(match, path, expected, actual);
    if (cJSON_IsArray(expected))
        return match_arrays(match, path, expected, actual);
    if (cJSON_IsString(expected) && strcmp(expected->valuestring, actual->valuestring) != 0)
        return differ(match, path, expected, actual);
    if (cJSON_IsNumber(expected) && expected->valuedouble != actual->valuedouble)
        return differ(match, path, expected, actual);
    return true;
}

bool json_match(const cJSON *expected, const cJSON *actual, bool may_have_more, const char *lead,
                FILE *difference)
{
    struct match match = {may_have_more, lead, difference};
    return match_values(&match, NULL, expected, actual);
}
