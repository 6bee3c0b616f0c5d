#include "server/config/rule.h"

#include <inttypes.h>

/* Enough of a wrong value to be recognised in a message. */
#define SHOWN_LEN_MAX 60

static bool is_choice(const struct key *key, const char *text)
{
    struct slice rest = slice_from_string(key->choices);
    struct slice choice;

    while (slice_next_element(&rest, &choice)) {
        if (slice_equal(choice, slice_from_string(text)))
            return true;
    }
    return false;
}

/* The first string of the list that the key does not accept, NULL if there is none. */
static const char *first_refused(const struct key *key, const struct string_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!key->accepts(list->items[i]))
            return list->items[i];
    }
    return NULL;
}

bool rule_allows(const struct key *key, const struct value *value)
{
    switch (key->type) {
    case KEY_INTEGER:
        return value->type == VALUE_INTEGER && value->integer >= key->min &&
               value->integer <= key->max;
    case KEY_BOOLEAN:
        return value->type == VALUE_BOOLEAN;
    case KEY_LIST:
        return value->type == VALUE_LIST && first_refused(key, &value->list) == NULL;
    case KEY_CHOICE:
        return value->type == VALUE_STRING && is_choice(key, value->string);
    case KEY_STRING:
    case KEY_PATH:
    case KEY_SINK:
        break;
    }
    return value->type == VALUE_STRING && key->accepts(value->string);
}

void rule_print_range(const struct key *key, FILE *out)
{
    switch (key->type) {
    case KEY_INTEGER:
        if (key->max == INT64_MAX)
            (void)fprintf(out, "%" PRId64 " or more", key->min);
        else
            (void)fprintf(out, "%" PRId64 " to %" PRId64, key->min, key->max);
        break;
    case KEY_CHOICE:
        (void)fputs(key->choices, out);
        break;
    case KEY_BOOLEAN:
        (void)fputs("true or false", out);
        break;
    case KEY_LIST:
        (void)fprintf(out, "each %s", key->form);
        break;
    case KEY_STRING:
    case KEY_PATH:
    case KEY_SINK:
        (void)fputs(key->form, out);
        break;
    }
}

void rule_print_mismatch(const struct key *key, const struct value *value, FILE *out)
{
    const char *refused = NULL;
    if (key->type == KEY_LIST && value->type == VALUE_LIST)
        refused = first_refused(key, &value->list);

    (void)fputs("must be ", out);
    if (key->type == KEY_INTEGER)
        (void)fputs("an integer, ", out);
    else if (key->type == KEY_CHOICE)
        (void)fputs("one of ", out);
    else if (key->type == KEY_LIST)
        (void)fputs("a list of strings, ", out);
    rule_print_range(key, out);

    (void)fputs(", not ", out);
    if (refused != NULL)
        value_print(&(struct value){.type = VALUE_LIST, .list = {(char **)&refused, 1}},
                    SHOWN_LEN_MAX, out);
    else
        value_print(value, SHOWN_LEN_MAX, out);
    if (key->explain != NULL && value->type == VALUE_STRING)
        key->explain(value->string, out);
}
