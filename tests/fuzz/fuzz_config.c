/* The configuration file: it is refused with a message, or every value is one that its key takes.
 */
#include "server/config/config.h"
#include "server/config/dump.h"
#include "server/config/rule.h"
#include "tests/fuzz/harness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* LeakSanitizer's name. libconfig 1.5 loses the bytes of a string that stands where none may. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:strbuf_append\nleak:libconfig_yylex\n";
}

/* A file in memory, the same one for all inputs. Returns its path. */
static const char *write_file(const uint8_t *data, size_t size)
{
    static char path[64];
    static int file = -1;
    if (file < 0) {
        file = memfd_create("fuzz", MFD_CLOEXEC);
        HARNESS_EXPECT(file >= 0);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    }
    HARNESS_EXPECT(ftruncate(file, 0) == 0);
    HARNESS_EXPECT(pwrite(file, data, size, 0) == (ssize_t)size);
    return path;
}

static void expect_valid(const struct config *config)
{
    char *text = NULL;
    size_t len = 0;
    for (size_t i = 0; i < key_count; i++) {
        const struct key *key = &key_table[i];
        struct value value = value_of(config, key);
        HARNESS_EXPECT(rule_allows(key, &value) && config->origins[i]);
        HARNESS_EXPECT(key->type != KEY_INTEGER ||
                       (value.integer >= key->min && value.integer <= key->max));
    }
    FILE *dump = open_memstream(&text, &len);
    HARNESS_EXPECT(dump);
    dump_config(config, dump);
    HARNESS_EXPECT(fclose(dump) == 0 && len > 0);
    free(text);
}

/* Each fault is a line, `ORIGIN: message`. */
static void expect_told(const char *said, size_t len)
{
    HARNESS_EXPECT(len > 0 && said[len - 1] == '\n');
    for (const char *line = said; *line; line = strchr(line, '\n') + 1) {
        const char *colon = strstr(line, ": ");
        HARNESS_EXPECT(colon && colon > line && colon < strchr(line, '\n'));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config = NULL;
    char *said = NULL;
    size_t said_len = 0;
    const struct config_input input = {.file = write_file(data, size)};
    FILE *errors = open_memstream(&said, &said_len);
    HARNESS_EXPECT(errors);
    int status = config_load(&input, &config, errors);
    HARNESS_EXPECT(fclose(errors) == 0);
    if (status == 0) {
        HARNESS_EXPECT(config && said_len == 0);
        expect_valid(config);
    } else {
        HARNESS_EXPECT(status == CONFIG_EXIT_INVALID && !config);
        expect_told(said, said_len);
    }
    config_free(config);
    free(said);
    return 0;
}
