#include "server/config/value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int value_list_append(struct string_list *list, struct slice bytes)
{
    char *copy = strndup(bytes.len > 0 ? bytes.data : "", bytes.len);
    if (copy == NULL)
        return -1;

    char **items = reallocarray(list->items, list->count + 1, sizeof *items);
    if (items == NULL) {
        free(copy);
        return -1;
    }
    items[list->count] = copy;
    list->items = items;
    list->count++;
    return 0;
}

void value_list_deinit(struct string_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct string_list){0};
}

void value_deinit(struct value *value)
{
    if (value->type == VALUE_STRING)
        free(value->string);
    else if (value->type == VALUE_LIST)
        value_list_deinit(&value->list);
    *value = (struct value){0};
}

static int list_from_text(const char *text, struct value *out)
{
    struct value value = {.type = VALUE_LIST};
    struct slice rest = slice_from_string(text);
    struct slice element;

    while (slice_next_element(&rest, &element)) {
        if (value_list_append(&value.list, element) != 0) {
            value_deinit(&value);
            return -1;
        }
    }
    *out = value;
    return 0;
}

static bool integer_from_text(const char *text, struct value *out)
{
    bool negative = text[0] == '-';
    uint64_t number;

    if (slice_to_u64(slice_from_string(text + negative), &number) != 0 || number > INT64_MAX)
        return false;
    *out = (struct value){.type = VALUE_INTEGER,
                          .integer = negative ? -(int64_t)number : (int64_t)number};
    return true;
}

static bool boolean_from_text(const char *text, struct value *out)
{
    bool is_true = strcmp(text, "true") == 0;

    if (!is_true && strcmp(text, "false") != 0)
        return false;
    *out = (struct value){.type = VALUE_BOOLEAN, .boolean = is_true};
    return true;
}

int value_from_text(const struct key *key, const char *text, struct value *out)
{
    if (key->type == KEY_LIST)
        return list_from_text(text, out);
    if (key->type == KEY_INTEGER && integer_from_text(text, out))
        return 0;
    if (key->type == KEY_BOOLEAN && boolean_from_text(text, out))
        return 0;

    char *copy = strdup(text);
    if (copy == NULL)
        return -1;
    *out = (struct value){.type = VALUE_STRING, .string = copy};
    return 0;
}

struct value value_of(const struct config *config, const struct key *key)
{
    const void *slot = key_slot_const(config, key);

    switch (key->type) {
    case KEY_INTEGER:
        return (struct value){.type = VALUE_INTEGER, .integer = *(const int64_t *)slot};
    case KEY_BOOLEAN:
        return (struct value){.type = VALUE_BOOLEAN, .boolean = *(const bool *)slot};
    case KEY_LIST:
        return (struct value){.type = VALUE_LIST, .list = *(const struct string_list *)slot};
    case KEY_STRING:
    case KEY_CHOICE:
    case KEY_PATH:
    case KEY_SINK:
        break;
    }
    return (struct value){.type = VALUE_STRING, .string = *(char *const *)slot};
}

static void print_string(const char *string, size_t len_max, FILE *out)
{
    (void)fputc('"', out);
    for (size_t i = 0; string[i] != '\0'; i++) {
        unsigned char byte = (unsigned char)string[i];
        if (i == len_max) {
            (void)fputs("...", out);
            break;
        }
        if (byte == '"' || byte == '\\')
            (void)fprintf(out, "\\%c", byte);
        else if (byte < ' ' || byte == 0x7f)
            (void)fprintf(out, "\\x%02x", byte);
        else
            (void)fputc(byte, out);
    }
    (void)fputc('"', out);
}

static void print_list(const struct string_list *list, size_t len_max, FILE *out)
{
    (void)fputc('[', out);
    for (size_t i = 0; i < list->count; i++) {
        (void)fputs(i == 0 ? " " : ", ", out);
        print_string(list->items[i], len_max, out);
    }
    (void)fputs(" ]", out);
}

/* Failures of the stream stick to it: whoever owns it looks with ferror() at the end. */
void value_print(const struct value *value, size_t len_max, FILE *out)
{
    switch (value->type) {
    case VALUE_STRING:
        print_string(value->string, len_max, out);
        break;
    case VALUE_INTEGER:
        (void)fprintf(out, "%" PRId64, value->integer);
        break;
    case VALUE_BOOLEAN:
        (void)fputs(value->boolean ? "true" : "false", out);
        break;
    case VALUE_LIST:
        print_list(&value->list, len_max, out);
        break;
    case VALUE_OTHER:
        (void)fputs(value->description, out);
        break;
    }
}
