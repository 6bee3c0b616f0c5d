#include "server/config/assign.h"

#include "server/config/path.h"
#include "server/config/rule.h"

#include <stdlib.h>
#include <string.h>

/* Enough of an unknown name to be recognised. */
#define SHOWN_NAME_MAX 64

static void replace_string(char **slot, char *string)
{
    free(*slot);
    *slot = string;
}

static bool is_path(const struct key *key, const char *text)
{
    if (key->type == KEY_SINK)
        return strcmp(text, "-") != 0 && strcmp(text, "stderr") != 0 && strcmp(text, "off") != 0;
    return key->type == KEY_PATH && text[0] != '\0'; /* nothing is no path */
}

/* Moves the string; a path is copied, made relative to the origin's folder. */
static int put_string(struct config *config, const struct key *key, struct value *value,
                      const struct origin *origin)
{
    if (is_path(key, value->string)) {
        char *path = path_beside(origin->file, value->string);
        if (path == NULL)
            return -1;
        replace_string(key_slot(config, key), path);
        if (key->offset == offsetof(struct config, uploads.directory)) {
            replace_string(&config->uploads_as_written, value->string);
            *value = (struct value){0};
        }
        return 0;
    }
    replace_string(key_slot(config, key), value->string);
    *value = (struct value){0};
    return 0;
}

/* Moves the value to the key's place. Returns 0, or -1 when there is no memory. */
static int put_value(struct config *config, const struct key *key, struct value *value,
                     const struct origin *origin)
{
    void *slot = key_slot(config, key);

    switch (key->type) {
    case KEY_INTEGER:
        *(int64_t *)slot = value->integer;
        return 0;
    case KEY_BOOLEAN:
        *(bool *)slot = value->boolean;
        return 0;
    case KEY_LIST:
        value_list_deinit(slot);
        *(struct string_list *)slot = value->list;
        *value = (struct value){0};
        return 0;
    case KEY_STRING:
    case KEY_CHOICE:
    case KEY_PATH:
    case KEY_SINK:
        break;
    }
    return put_string(config, key, value, origin);
}

static void refuse_value(const struct key *key, const struct value *value,
                         const struct origin *origin, struct problems *problems)
{
    FILE *stream = problems_begin(problems, origin);

    (void)fprintf(stream, "%s: ", key->name);
    rule_print_mismatch(key, value, stream);
    (void)fputc('\n', stream);
}

void assign_value(struct config *config, const struct key *key, struct value *value,
                  const struct origin *origin, struct problems *problems)
{
    if (rule_allows(key, value)) {
        char *text = origin_text(origin);
        if (text == NULL || put_value(config, key, value, origin) != 0) {
            problems_no_memory(problems);
            free(text);
        } else {
            replace_string(&config->origins[key - key_table], text);
        }
    } else {
        refuse_value(key, value, origin, problems);
    }
    value_deinit(value);
}

void assign_text(struct config *config, const struct key *key, const char *text,
                 const struct origin *origin, struct problems *problems)
{
    struct value value;

    if (value_from_text(key, text, &value) != 0)
        problems_no_memory(problems);
    else
        assign_value(config, key, &value, origin, problems);
}

void assign_refuse_unknown(struct slice name, const struct origin *origin,
                           struct problems *problems)
{
    const struct key *nearest = key_nearest(name);
    int shown = name.len < SHOWN_NAME_MAX ? (int)name.len : SHOWN_NAME_MAX;

    if (nearest == NULL)
        problems_add(problems, origin, "%.*s: unknown key", shown, name.data);
    else
        problems_add(problems, origin, "%.*s: unknown key, did you mean %s?", shown, name.data,
                     nearest->name);
}
