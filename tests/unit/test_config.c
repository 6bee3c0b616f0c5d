/* Goal: the configuration is what the defaults, the file and the command line say, in this order.
 */
#include "server/config/dump.h"
#include "server/config/regular_file.h"
#include "server/config/value.h"
#include "tests/unit/config_fixture.h"

#include <inttypes.h>

static struct config_override override(const char *key, const char *value, const char *origin)
{
    return (struct config_override){key, strlen(key), value, origin};
}

/* --- order ------------------------------------------------------------------------------- */

static const char *origin_of(const struct fixture *fixture, const char *name)
{
    const struct key *key = key_find(slice_from_string(name));
    assert_non_null(key);
    return fixture->config->origins[key - key_table];
}

static void config_empty_file_gives_the_defaults(void **state)
{
    struct fixture *fixture = *state;

    fixture_write("a.conf", "");
    assert_int_equal(fixture_load(fixture, "a.conf", NULL), 0);
    assert_string_equal(fixture->said, "");
    const struct config *config = fixture->config;
    assert_string_equal(config->file, "a.conf");
    assert_string_equal(config->root, "resources");
    assert_string_equal(config->index, "index.html");
    assert_string_equal(config->listen.host, "127.0.0.1");
    assert_int_equal(config->listen.port, 8080);
    assert_int_equal(config->pool.workers, 10);
    assert_int_equal(config->hosts.count, 0);
    assert_int_equal(config->limits.body_bytes, 1048576);
    assert_true(config->stream.sendfile);
    assert_int_equal(config->static_files.attachments.count, 4);
    assert_string_equal(config->static_files.attachments.items[0], "txt");
    assert_string_equal(config->static_files.attachments.items[3], "jpeg");
    assert_string_equal(config->uploads.directory, "resources/uploads");
    assert_string_equal(config->uploads_as_written, "resources/uploads");
    assert_string_equal(config->log.access, "-");
    assert_string_equal(config->log.error, "stderr");
    assert_int_equal(config->admin.port, 0);
    for (size_t i = 0; i < key_count; i++)
        assert_string_equal(config->origins[i], "default");
}

static void config_later_source_wins(void **state)
{
    struct fixture *fixture = *state;
    const struct config_override overrides[] = {
        override("pool.queue", "5", "--set"),
        override("pool.workers", "6", "--set"),
        override("pool.queue", "7", "--set"),
        override("pool.workers", "8", "command line"),
    };
    const struct config_input input = {
        .file = "a.conf", .overrides = overrides, .override_count = 4};

    fixture_write("a.conf", "listen = { backlog = 2; };\npool = { workers = 3;\n queue = 4; };\n");
    assert_int_equal(fixture_load_input(fixture, &input), 0);
    assert_string_equal(fixture->said, "");
    assert_int_equal(fixture->config->listen.port, 8080);
    assert_string_equal(origin_of(fixture, "listen.port"), "default");
    assert_int_equal(fixture->config->listen.backlog, 2);
    assert_string_equal(origin_of(fixture, "listen.backlog"), "a.conf:1");
    assert_int_equal(fixture->config->pool.queue, 7);
    assert_string_equal(origin_of(fixture, "pool.queue"), "--set");
    assert_int_equal(fixture->config->pool.workers, 8);
    assert_string_equal(origin_of(fixture, "pool.workers"), "command line");
}

static void config_failure_leaves_the_output_untouched(void **state)
{
    struct fixture *fixture = *state;
    struct config *config = (struct config *)fixture;
    size_t len;

    fixture_write("a.conf", "root = 1;\n");
    FILE *errors = open_memstream(&fixture->said, &len);
    assert_non_null(errors);
    assert_int_equal(config_load(&(struct config_input){.file = "a.conf"}, &config, errors),
                     CONFIG_EXIT_INVALID);
    assert_int_equal(fclose(errors), 0);
    assert_ptr_equal(config, fixture);
    config_free(NULL);
}

/* --- text -------------------------------------------------------------------------------- */

static void config_set_of_each_type_is_read(void **state)
{
    struct fixture *fixture = *state;
    const struct config_override overrides[] = {
        override("index", "a=b.html", "--set"),
        override("log.level", "debug", "--set"),
        override("files.directory", "/f", "--set"),
        override("log.error", "-", "--set"),
        override("uploads.max_bytes", "5000000000", "--set"),
        override("stream.sendfile", "false", "--set"),
        override("hosts", " a , b:80,,[::1]:8080", "--set"),
        override("static.attachments", "", "--set"),
        override("static.cache_control", "", "--set"),
    };
    const struct config_input input = {
        .file = "a.conf", .overrides = overrides, .override_count = 9};

    fixture_write("a.conf", "");
    assert_int_equal(fixture_load_input(fixture, &input), 0);
    const struct config *config = fixture->config;
    assert_string_equal(config->index, "a=b.html");
    assert_string_equal(config->log.level, "debug");
    assert_string_equal(config->files.directory, "/f");
    assert_string_equal(config->log.error, "-");
    assert_true(config->uploads.max_bytes == INT64_C(5000000000));
    assert_false(config->stream.sendfile);
    assert_int_equal(config->hosts.count, 3);
    assert_string_equal(config->hosts.items[0], "a");
    assert_string_equal(config->hosts.items[1], "b:80");
    assert_string_equal(config->hosts.items[2], "[::1]:8080");
    assert_int_equal(config->static_files.attachments.count, 0);
    assert_string_equal(config->static_files.cache_control, "");
}

static void config_wrong_set_is_told(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *set;
        const char *said;
    } rows[] = {
        {"indx=a", "indx: unknown key, did you mean index?"},
        {"limits=1", "limits: unknown key"},
        {"listen.port=", "listen.port: must be an integer, 0 to 65535, not \"\""},
        {"listen.port=x", "listen.port: must be an integer, 0 to 65535, not \"x\""},
        {"listen.port= 1", "listen.port: must be an integer, 0 to 65535, not \" 1\""},
        {"listen.port=1 ", "listen.port: must be an integer, 0 to 65535, not \"1 \""},
        {"listen.port=+1", "listen.port: must be an integer, 0 to 65535, not \"+1\""},
        {"listen.port=-", "listen.port: must be an integer, 0 to 65535, not \"-\""},
        {"listen.port=--1", "listen.port: must be an integer, 0 to 65535, not \"--1\""},
        {"listen.port=0x1", "listen.port: must be an integer, 0 to 65535, not \"0x1\""},
        {"listen.port=1L", "listen.port: must be an integer, 0 to 65535, not \"1L\""},
        {"listen.port=-1", "listen.port: must be an integer, 0 to 65535, not -1"},
        {"uploads.max_bytes=9223372036854775808",
         "uploads.max_bytes: must be an integer, 0 or more, not \"9223372036854775808\""},
        {"stream.sendfile=yes", "stream.sendfile: must be true or false, not \"yes\""},
        {"stream.sendfile=TRUE", "stream.sendfile: must be true or false, not \"TRUE\""},
        {"log.level=Info", "log.level: must be one of error, warn, info, debug, not \"Info\""},
        {"log.level=", "log.level: must be one of error, warn, info, debug, not \"\""},
        {"uploads.durability=yes", "uploads.durability: must be one of fsync, none, not \"yes\""},
        {"root=", "root: must be a path, not empty, not \"\""},
        {"hosts=a,b c,d e",
         "hosts: must be a list of strings, each \"name\" or \"name:port\", no patterns, "
         "not [ \"b c\" ]"},
    };

    fixture_write("a.conf", "");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char said[256];
        (void)snprintf(said, sizeof said, "--set: %s\n", rows[i].said);
        assert_int_equal(fixture_load(fixture, "a.conf", rows[i].set), CONFIG_EXIT_INVALID);
        assert_string_equal(fixture->said, said);
    }
}

static bool allows(struct fixture *fixture, const struct key *key, const char *sign,
                   uint64_t number)
{
    char set[128];
    (void)snprintf(set, sizeof set, "%s=%s%" PRIu64, key->name, sign, number);
    return fixture_load(fixture, "a.conf", set) == 0;
}

/* Each number at its limits, by way of the table. */
static void config_integer_is_allowed_from_minimum_to_maximum(void **state)
{
    struct fixture *fixture = *state;

    fixture_write("a.conf", "");
    for (size_t i = 0; i < key_count; i++) {
        const struct key *key = &key_table[i];
        if (key->type != KEY_INTEGER)
            continue;
        uint64_t min = (uint64_t)key->min;
        uint64_t max = (uint64_t)key->max;
        if (!allows(fixture, key, "", min) || !allows(fixture, key, "", min + 1) ||
            !allows(fixture, key, "", max - 1) || !allows(fixture, key, "", max))
            fail_msg("%s refuses a number within its range", key->name);
        if (allows(fixture, key, "", max + 1) || allows(fixture, key, "-", 1) ||
            (min > 0 && allows(fixture, key, "", min - 1)))
            fail_msg("%s takes a number out of its range", key->name);
    }
}

/* --- paths ------------------------------------------------------------------------------- */

static void config_path_in_a_file_is_relative_to_it(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(mkdir("d", 0700), 0);
    assert_int_equal(mkdir("d/e", 0700), 0);
    fixture_write("d/a.conf", "root = \"r\"; uploads = { directory = \"../u\"; };\n"
                              "log = { access = \"a.log\"; error = \"off\"; };\n"
                              "@include \"e/b.conf\"\n");
    fixture_write("d/e/b.conf", "index = \"i\";\n");
    assert_int_equal(fixture_load(fixture, "d/a.conf", NULL), 0);
    const struct config *config = fixture->config;
    assert_string_equal(config->root, "d/r");
    assert_string_equal(config->uploads.directory, "d/../u");
    assert_string_equal(config->uploads_as_written, "../u");
    assert_string_equal(config->log.access, "d/a.log");
    assert_string_equal(config->log.error, "off");
    assert_string_equal(config->index, "i");
    /* a default too, when there is a file */
    assert_string_equal(config->files.directory, "d/resources/files");

    fixture_write("d/a.conf", "@include \"e/b.conf\"\nlog = { access = \"/a\"; error = \"-\"; };");
    fixture_write("d/e/b.conf", "root = \"r\";\n");
    assert_int_equal(fixture_load(fixture, "d/a.conf", NULL), 0);
    assert_string_equal(fixture->config->root, "d/e/r");
    assert_string_equal(fixture->config->log.access, "/a");
    assert_string_equal(fixture->config->log.error, "-");
    assert_string_equal(fixture->config->uploads_as_written, "resources/uploads");
}

static void config_path_from_the_command_line_is_relative_to_the_working_directory(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(mkdir("d", 0700), 0);
    fixture_write("d/a.conf", "uploads = { directory = \"v\"; };\n");
    assert_int_equal(fixture_load(fixture, "d/a.conf", "uploads.directory=u"), 0);
    assert_string_equal(fixture->config->root, "d/resources");
    assert_string_equal(fixture->config->uploads.directory, "u");
    assert_string_equal(fixture->config->uploads_as_written, "u");
    assert_int_equal(fixture_load(fixture, "d/a.conf", "log.access=stderr"), 0);
    assert_string_equal(fixture->config->log.access, "stderr");
    assert_int_equal(fixture_load(fixture, "d/a.conf", "log.access=a.log"), 0);
    assert_string_equal(fixture->config->log.access, "a.log");
}

static void config_file_of_the_working_directory_is_found(void **state)
{
    struct fixture *fixture = *state;

    fixture_write("server.conf", "index = \"i\";\n");
    assert_int_equal(fixture_load(fixture, NULL, NULL), 0);
    assert_string_equal(fixture->config->file, "server.conf");
    assert_string_equal(origin_of(fixture, "index"), "server.conf:1");
    assert_string_equal(fixture->config->root, "resources");
}

static void config_without_a_file_has_the_defaults(void **state)
{
    struct fixture *fixture = *state;

    if (access(CONFIG_SYSTEM_FILE, F_OK) == 0)
        skip(); /* the machine has one */
    assert_int_equal(fixture_load(fixture, NULL, NULL), 0);
    assert_null(fixture->config->file);
    assert_string_equal(fixture->config->root, "resources");
    assert_string_equal(origin_of(fixture, "root"), "default");
}

/* --- text out ---------------------------------------------------------------------------- */

/* What a function writes to a stream; to be freed. */
static char *printed(void (*print)(const struct config *, FILE *), const struct config *config)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    print(config, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void config_dump_tells_value_and_origin(void **state)
{
    struct fixture *fixture = *state;

    fixture_write("server.conf", "\nhosts = [ \"a\", \"b\" ]; index = \"a\\\"\\\\\\n\xc3\xa9\";\n");
    assert_int_equal(fixture_load(fixture, NULL, "admin.port=81"), 0);
    char *text = printed(dump_config, fixture->config);
    assert_non_null(strstr(text, "\nlisten.port = 8080  # default\n"));
    assert_non_null(strstr(text, "\nhosts = [ \"a\", \"b\" ]  # server.conf:2\n"));
    assert_non_null(strstr(text, "\nindex = \"a\\\"\\\\\\x0a\xc3\xa9\"  # server.conf:2\n"));
    assert_non_null(strstr(text, "\nadmin.port = 81  # --set (no effect yet)\n"));
    assert_non_null(strstr(text, "\nstream.sendfile = true  # default\n"));
    free(text);

    text = printed(dump_verdict, fixture->config);
    assert_string_equal(text, "server.conf: configuration is valid\n");
    free(text);
}

static void print_reference(const struct config *config, FILE *out)
{
    (void)config;
    dump_reference(out);
}

static void config_reference_has_a_row_for_each_key(void **state)
{
    (void)state;
    char *text = printed(print_reference, NULL);
    size_t rows = 0;

    for (const char *c = text; *c != '\0'; c++)
        rows += *c == '\n';
    assert_int_equal(rows, key_count + 2);
    assert_non_null(strstr(text, "\n| `limits.idle_timeout` | integer | `30` | 1 to 3600 | seconds "
                                 "| Time until the first byte of the first or next request. |\n"));
    assert_non_null(strstr(text, "\n| `log.level` | string | `\"info\"` | error, warn, info, debug "
                                 "|  | What the error log tells: this and what is worse. |\n"));
    assert_non_null(strstr(text, " (no effect yet) |\n"));
    free(text);
}

/* --- the shipped file -------------------------------------------------------------------- */

/* Puts the shipped file, which is two folders above this one, into the working directory. */
static void copy_shipped_file(void)
{
    char path[4096];
    char *text;
    size_t len;
    const char *end = strrchr(__FILE__, '/');

    assert_non_null(end);
    (void)snprintf(path, sizeof path, "%.*s/../../server.conf", (int)(end - __FILE__), __FILE__);
    assert_int_equal(regular_file_read(path, 1 << 20, &text, &len), 0);
    fixture_write_bytes("server.conf", text, len);
    free(text);
}

static void print_values(const struct config *config, FILE *out)
{
    for (size_t i = 0; i < key_count; i++) {
        struct value value = value_of(config, &key_table[i]);
        (void)fprintf(out, "%s = ", key_table[i].name);
        value_print(&value, SIZE_MAX, out);
        (void)fputc('\n', out);
    }
}

static void config_shipped_file_sets_each_key_to_its_default(void **state)
{
    struct fixture *fixture = *state;

    if (__FILE__[0] != '/')
        skip(); /* compiled by hand, from elsewhere */
    fixture_write("empty.conf", "");
    assert_int_equal(fixture_load(fixture, "empty.conf", NULL), 0);
    char *defaults = printed(print_values, fixture->config);

    copy_shipped_file();
    assert_int_equal(fixture_load(fixture, "server.conf", NULL), 0);
    assert_string_equal(fixture->said, "");
    for (size_t i = 0; i < key_count; i++) {
        if (strncmp(fixture->config->origins[i], "server.conf:", strlen("server.conf:")) != 0)
            fail_msg("%s is not in server.conf", key_table[i].name);
    }
    char *shipped = printed(print_values, fixture->config);
    assert_string_equal(shipped, defaults);
    free(shipped);
    free(defaults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(config_empty_file_gives_the_defaults),
        FIXTURE_TEST(config_later_source_wins),
        FIXTURE_TEST(config_failure_leaves_the_output_untouched),
        FIXTURE_TEST(config_set_of_each_type_is_read),
        FIXTURE_TEST(config_wrong_set_is_told),
        FIXTURE_TEST(config_integer_is_allowed_from_minimum_to_maximum),
        FIXTURE_TEST(config_path_in_a_file_is_relative_to_it),
        FIXTURE_TEST(config_path_from_the_command_line_is_relative_to_the_working_directory),
        FIXTURE_TEST(config_file_of_the_working_directory_is_found),
        FIXTURE_TEST(config_without_a_file_has_the_defaults),
        FIXTURE_TEST(config_dump_tells_value_and_origin),
        FIXTURE_TEST(config_reference_has_a_row_for_each_key),
        FIXTURE_TEST(config_shipped_file_sets_each_key_to_its_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
