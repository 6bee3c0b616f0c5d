#include "tester/variables.h"

#include "http/octet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct variable {
    const char *name;
    char *value;
};

void variables_deinit(struct variables *variables)
{
    for (size_t i = 0; i < variables->count; i++)
        free(variables->list[i].value);
    free(variables->list);
    *variables = (struct variables){0};
}

static bool is_name_octet(char octet)
{
    char lower = octet_lower(octet);
    return (lower >= 'a' && lower <= 'z') || octet_is_digit(octet) || octet == '_';
}

bool variables_is_name(struct slice name)
{
    size_t i = 0;
    while (i < name.len && is_name_octet(name.data[i]))
        i++;
    return i > 0 && i == name.len;
}

static struct variable *find(const struct variables *variables, struct slice name)
{
    for (size_t i = 0; i < variables->count; i++) {
        if (slice_equal(slice_from_string(variables->list[i].name), name))
            return &variables->list[i];
    }
    return NULL;
}

static struct variable *add(struct variables *variables, const char *name)
{
    size_t size = (variables->count + 1) * sizeof *variables->list;
    struct variable *list = realloc(variables->list, size);
    if (list == NULL)
        return NULL;
    variables->list = list;
    struct variable *variable = &list[variables->count++];
    *variable = (struct variable){.name = name};
    return variable;
}

int variables_set(struct variables *variables, const char *name, struct slice value)
{
    struct variable *variable = find(variables, slice_from_string(name));
    char *copy = strndup(value.len > 0 ? value.data : "", value.len);
    if (copy != NULL && variable == NULL)
        variable = add(variables, name);
    if (copy == NULL || variable == NULL) {
        free(copy);
        return -1;
    }
    free(variable->value);
    variable->value = copy;
    return 0;
}

/* The next {name} at or behind `text`: its name without the braces, or an empty slice. */
static struct slice next_name(const char *text)
{
    for (const char *open = strchr(text, '{'); open != NULL; open = strchr(open + 1, '{')) {
        struct slice name = {open + 1, 0};
        while (is_name_octet(name.data[name.len]))
            name.len++;
        if (name.len > 0 && name.data[name.len] == '}')
            return name;
    }
    return (struct slice){0};
}

bool variables_are_in(const char *text)
{
    return next_name(text).len > 0;
}

/* Writes the text with all names replaced. Returns the name for which there is no value. */
static struct slice put_expanded(const struct variables *variables, const char *text, FILE *out)
{
    struct slice name = next_name(text);
    while (name.len > 0) {
        const struct variable *variable = find(variables, name);
        if (variable == NULL)
            return name;
        (void)fwrite(text, 1, (size_t)(name.data - 1 - text), out);
        (void)fputs(variable->value, out);
        text = name.data + name.len + 1;
        name = next_name(text);
    }
    (void)fputs(text, out);
    return (struct slice){0};
}

int variables_expand(const struct variables *variables, const char *text, char **out,
                     struct slice *out_missing)
{
    char *expanded = NULL;
    size_t len;
    *out_missing = (struct slice){0};
    FILE *stream = open_memstream(&expanded, &len);
    if (stream == NULL)
        return -1;
    *out_missing = put_expanded(variables, text, stream);
    if (fclose(stream) != 0 || out_missing->len > 0) {
        free(expanded);
        return -1;
    }
    *out = expanded;
    return 0;
}
