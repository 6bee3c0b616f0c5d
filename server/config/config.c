#include "server/config/config.h"

#include "server/config/assign.h"
#include "server/config/file.h"
#include "server/config/locate.h"

#include <stdlib.h>
#include <string.h>

static struct config *create(void)
{
    struct config *config = calloc(1, sizeof *config);

    if (config == NULL)
        return NULL;
    config->origins = calloc(key_count, sizeof *config->origins);
    if (config->origins == NULL) {
        free(config);
        return NULL;
    }
    return config;
}

/* The file to read, which the caller frees, or NULL for none. Returns 0, or -1 without memory. */
static int choose_file(const char *named, char **out_file)
{
    if (named != NULL) {
        *out_file = strdup(named);
        return *out_file == NULL ? -1 : 0;
    }
    char *executable = locate_executable();
    int result = locate_file(executable, CONFIG_SYSTEM_FILE, out_file);
    free(executable);
    return result;
}

static void apply_defaults(struct config *config, struct problems *problems)
{
    struct origin origin = {.name = "default", .file = config->file};

    for (size_t i = 0; i < key_count; i++)
        assign_text(config, &key_table[i], key_table[i].initial, &origin, problems);
}

static void apply_overrides(struct config *config, const struct config_input *input,
                            struct problems *problems)
{
    for (size_t i = 0; i < input->override_count; i++) {
        const struct config_override *override = &input->overrides[i];
        struct slice name = {override->key, override->key_len};
        struct origin origin = {.name = override->origin};
        const struct key *key = key_find(name);
        if (key == NULL)
            assign_refuse_unknown(name, &origin, problems);
        else
            assign_text(config, key, override->value, &origin, problems);
    }
}

int config_load(const struct config_input *input, struct config **out, FILE *errors)
{
    struct problems problems = {.stream = errors};
    struct config *config = create();

    if (config == NULL || choose_file(input->file, &config->file) != 0) {
        problems_no_memory(&problems);
    } else {
        apply_defaults(config, &problems);
        if (config->file != NULL)
            file_apply(config->file, config, &problems);
        apply_overrides(config, input, &problems);
    }
    bool is_tolerable = input->tolerates_faults && problems.status == CONFIG_EXIT_INVALID;
    if (problems.status != 0 && !is_tolerable) {
        config_free(config);
        return problems.status;
    }
    *out = config;
    return 0;
}

static void free_value(struct config *config, const struct key *key)
{
    void *slot = key_slot(config, key);

    if (key->type == KEY_LIST)
        value_list_deinit(slot);
    else if (key->type != KEY_INTEGER && key->type != KEY_BOOLEAN)
        free(*(char **)slot);
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < key_count; i++) {
        free_value(config, &key_table[i]);
        free(config->origins[i]);
    }
    free(config->origins);
    free(config->uploads_as_written);
    free(config->file);
    free(config);
}
