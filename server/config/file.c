#include "server/config/file.h"

#include "server/config/assign.h"
#include "server/config/source.h"

#include <libconfig.h>
#include <string.h>

/* Longer than the name of any key: a name that is cut is an unknown one. */
#define NAME_SIZE           128

#define TEXT_OF(macro)      TEXT_OF_VALUE(macro)
#define TEXT_OF_VALUE(text) #text

/* A file under way. */
struct reading {
    struct source source;
    struct config *config;
    struct problems *problems;
};

static const char *describe_type(const config_setting_t *setting)
{
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_GROUP:
        return "a group";
    case CONFIG_TYPE_FLOAT:
        return "a floating-point number";
    case CONFIG_TYPE_ARRAY:
    case CONFIG_TYPE_LIST:
        return "a list with something else than strings";
    default:
        return "something else";
    }
}

/* Copies an array or list of strings. Something else in it makes it a VALUE_OTHER. */
static int list_from_setting(const config_setting_t *setting, struct value *out)
{
    struct value value = {.type = VALUE_LIST};
    int count = config_setting_length(setting);

    for (int i = 0; i < count; i++) {
        const char *string = config_setting_get_string_elem(setting, i);
        if (string == NULL) {
            value_deinit(&value);
            value = (struct value){.type = VALUE_OTHER, .description = describe_type(setting)};
            break;
        }
        if (value_list_append(&value.list, slice_from_string(string)) != 0) {
            value_deinit(&value);
            return -1;
        }
    }
    *out = value;
    return 0;
}

static int string_from_setting(const config_setting_t *setting, struct value *out)
{
    char *copy = strdup(config_setting_get_string(setting));

    if (copy == NULL)
        return -1;
    *out = (struct value){.type = VALUE_STRING, .string = copy};
    return 0;
}

/* Copies the value. Returns 0, or -1 when there is no memory. */
static int value_from_setting(const config_setting_t *setting, struct value *out)
{
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        *out = (struct value){.type = VALUE_INTEGER, .integer = config_setting_get_int64(setting)};
        return 0;
    case CONFIG_TYPE_BOOL:
        *out =
            (struct value){.type = VALUE_BOOLEAN, .boolean = config_setting_get_bool(setting) != 0};
        return 0;
    case CONFIG_TYPE_STRING:
        return string_from_setting(setting, out);
    case CONFIG_TYPE_ARRAY:
    case CONFIG_TYPE_LIST:
        return list_from_setting(setting, out);
    default:
        *out = (struct value){.type = VALUE_OTHER, .description = describe_type(setting)};
        return 0;
    }
}

/* Puts one setting into the configuration under its full name. */
static void apply_setting(struct reading *reading, const config_setting_t *setting,
                          const char *name)
{
    const struct origin *origin =
        source_origin(&reading->source, config_setting_source_line(setting));
    const struct key *key = key_find(slice_from_string(name));
    struct value value;

    if (key == NULL && key_is_group(slice_from_string(name)))
        problems_add(reading->problems, origin, "%s: must be a group, %s = { ... }", name, name);
    else if (key == NULL)
        assign_refuse_unknown(slice_from_string(name), origin, reading->problems);
    else if (value_from_setting(setting, &value) != 0)
        problems_no_memory(reading->problems);
    else
        assign_value(reading->config, key, &value, origin, reading->problems);
}

/* Groups have one level: a group within a group is an unknown key like any other. */
static void apply_group(struct reading *reading, const config_setting_t *group)
{
    unsigned count = (unsigned)config_setting_length(group);
    char name[NAME_SIZE];

    if (count == 0 && !key_is_group(slice_from_string(config_setting_name(group))))
        apply_setting(reading, group, config_setting_name(group));
    for (unsigned i = 0; i < count; i++) {
        const config_setting_t *setting = config_setting_get_elem(group, i);
        (void)snprintf(name, sizeof name, "%s.%s", config_setting_name(group),
                       config_setting_name(setting));
        apply_setting(reading, setting, name);
    }
}

static void apply_root(struct reading *reading, const config_setting_t *root)
{
    unsigned count = (unsigned)config_setting_length(root);

    for (unsigned i = 0; i < count; i++) {
        const config_setting_t *setting = config_setting_get_elem(root, i);
        if (config_setting_is_group(setting))
            apply_group(reading, setting);
        else
            apply_setting(reading, setting, config_setting_name(setting));
    }
}

void file_apply(const char *path, struct config *config, struct problems *problems)
{
    struct reading reading = {.config = config, .problems = problems};
    config_t tree;

    if (source_read(path, &reading.source, problems) != 0)
        return;
    config_init(&tree);
    if (config_read_string(&tree, reading.source.text) == CONFIG_TRUE) {
        apply_root(&reading, config_root_setting(&tree));
    } else {
        unsigned line = (unsigned)config_error_line(&tree);
        problems_add(problems, source_origin(&reading.source, line), "%s",
                     config_error_text(&tree));
    }
    config_destroy(&tree);
    source_deinit(&reading.source);
}

const char *file_library(void)
{
    return "libconfig " TEXT_OF(LIBCONFIG_VER_MAJOR) "." TEXT_OF(LIBCONFIG_VER_MINOR) "." TEXT_OF(
        LIBCONFIG_VER_REVISION);
}
