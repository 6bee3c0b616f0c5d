#include "server/config/dump.h"

#include "server/config/rule.h"

#include <stdint.h>

void dump_verdict(const struct config *config, FILE *out)
{
    (void)fprintf(out, "%s: configuration is valid\n",
                  config->file != NULL ? config->file : "no file, built-in defaults");
}

void dump_config(const struct config *config, FILE *out)
{
    for (size_t i = 0; i < key_count; i++) {
        const struct key *key = &key_table[i];
        struct value value = value_of(config, key);
        (void)fprintf(out, "%s = ", key->name);
        value_print(&value, SIZE_MAX, out);
        (void)fprintf(out, "  # %s%s\n", config->origins[i],
                      key->planned ? " (no effect yet)" : "");
    }
}

static const char *type_name(const struct key *key)
{
    switch (key->type) {
    case KEY_INTEGER:
        return "integer";
    case KEY_BOOLEAN:
        return "boolean";
    case KEY_LIST:
        return "list of strings";
    case KEY_STRING:
    case KEY_CHOICE:
    case KEY_PATH:
    case KEY_SINK:
        break;
    }
    return "string";
}

static void print_default(const struct key *key, FILE *out)
{
    struct value value;

    if (value_from_text(key, key->initial, &value) != 0)
        return; /* without memory an empty cell */
    value_print(&value, SIZE_MAX, out);
    value_deinit(&value);
}

void dump_reference(FILE *out)
{
    (void)fputs("| Key | Type | Default | Allowed | Unit | Meaning |\n"
                "|---|---|---|---|---|---|\n",
                out);
    for (size_t i = 0; i < key_count; i++) {
        const struct key *key = &key_table[i];
        (void)fprintf(out, "| `%s` | %s | `", key->name, type_name(key));
        print_default(key, out);
        (void)fputs("` | ", out);
        rule_print_range(key, out);
        (void)fprintf(out, " | %s | %s%s |\n", key->unit != NULL ? key->unit : "", key->meaning,
                      key->planned ? " (no effect yet)" : "");
    }
}
