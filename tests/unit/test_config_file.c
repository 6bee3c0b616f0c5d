/* Goal: what is wrong with a configuration file is told with its place, and no file does harm. */
#include "server/config/source.h"
#include "tests/unit/config_fixture.h"

#include <stdio.h>

/* A file with this text is refused with these words. */
static void assert_said(void **state, const char *text, const char *said)
{
    struct fixture *fixture = *state;

    fixture_write("a.conf", text);
    assert_int_equal(fixture_load(fixture, "a.conf", NULL), CONFIG_EXIT_INVALID);
    assert_string_equal(fixture->said, said);
    assert_null(fixture->config);
}

/* The same, with the name of the row when it is not so. */
static void assert_row_said(void **state, const char *label, const char *text, const char *said)
{
    struct fixture *fixture = *state;

    fixture_write("a.conf", text);
    if (fixture_load(fixture, "a.conf", NULL) == 0 || strcmp(fixture->said, said) != 0)
        print_error("row: %s\n", label);
    assert_said(state, text, said);
}

static void file_wrong_setting_is_told_with_its_line(void **state)
{
    static const struct {
        const char *label;
        const char *text;
        const char *said;
    } rows[] = {
        {"unknown key", "indx = 1;\n", "a.conf:1: indx: unknown key, did you mean index?\n"},
        {"unknown key in a group", "limits = {\n  idle_timout = 3;\n};\n",
         "a.conf:2: limits.idle_timout: unknown key, did you mean limits.idle_timeout?\n"},
        {"key without its group", "\nport = 80;\n",
         "a.conf:2: port: unknown key, did you mean listen.port?\n"},
        {"misspelt group", "limit = { idle_timeout = 3; };\n",
         "a.conf:1: limit.idle_timeout: unknown key, did you mean limits.idle_timeout?\n"},
        {"unknown group", "nonsense = { a = 1; };\n", "a.conf:1: nonsense.a: unknown key\n"},
        {"empty unknown group", "nonsense = { };\n", "a.conf:1: nonsense: unknown key\n"},
        {"group within a group", "limits = { more = { a = 1; }; };\n",
         "a.conf:1: limits.more: unknown key\n"},
        {"value for a group", "limits = 5;\n",
         "a.conf:1: limits: must be a group, limits = { ... }\n"},
        {"group for a value", "listen = { port = { a = 1; }; };\n",
         "a.conf:1: listen.port: must be an integer, 0 to 65535, not a group\n"},
        {"string for an integer", "listen = { port = \"80\"; };\n",
         "a.conf:1: listen.port: must be an integer, 0 to 65535, not \"80\"\n"},
        {"boolean for an integer", "listen = { port = true; };\n",
         "a.conf:1: listen.port: must be an integer, 0 to 65535, not true\n"},
        {"float for an integer", "listen = { port = 1.5; };\n",
         "a.conf:1: listen.port: must be an integer, 0 to 65535, not a floating-point number\n"},
        {"list for an integer", "listen = { port = ( 80, 81 ); };\n",
         "a.conf:1: listen.port: must be an integer, 0 to 65535, not a list with something else "
         "than strings\n"},
        {"integer for a string", "\n\nroot = 5;\n",
         "a.conf:3: root: must be a path, not empty, not 5\n"},
        {"integer for a boolean", "stream = { sendfile = 1; };\n",
         "a.conf:1: stream.sendfile: must be true or false, not 1\n"},
        {"string for a list", "hosts = \"a\";\n",
         "a.conf:1: hosts: must be a list of strings, each \"name\" or \"name:port\", no patterns, "
         "not \"a\"\n"},
        {"mixed list", "hosts = ( \"a\", 5 );\n",
         "a.conf:1: hosts: must be a list of strings, each \"name\" or \"name:port\", no patterns, "
         "not a list with something else than strings\n"},
        {"below the minimum", "limits = { body_bytes = 1023; };\n",
         "a.conf:1: limits.body_bytes: must be an integer, 1024 to 1073741824, not 1023\n"},
        {"negative", "uploads = { max_bytes = -1; };\n",
         "a.conf:1: uploads.max_bytes: must be an integer, 0 or more, not -1\n"},
        {"no choice", "uploads = { durability = \"maybe\"; };\n",
         "a.conf:1: uploads.durability: must be one of fsync, none, not \"maybe\"\n"},
        {"long string is cut",
         "log = { level = "
         "\"0123456789012345678901234567890123456789012345678901234567890\"; };\n",
         "a.conf:1: log.level: must be one of error, warn, info, debug, not "
         "\"012345678901234567890123456789012345678901234567890123456789...\"\n"},
        {"control bytes are escaped", "log = { level = \"a\\x1b\\n\\\"\\\\\"; };\n",
         "a.conf:1: log.level: must be one of error, warn, info, debug, not "
         "\"a\\x1b\\x0a\\\"\\\\\"\n"},
        {"all faults are told", "a = 1;\nlisten = {\n  port = -1;\n  host = \"\";\n};\n",
         "a.conf:1: a: unknown key\n"
         "a.conf:3: listen.port: must be an integer, 0 to 65535, not -1\n"
         "a.conf:4: listen.host: must be an IPv4 or IPv6 address, \"localhost\" or \"*\" (any), "
         "not \"\"\n"},
        {"duplicate", "root = \"a\";\nindex = \"a\";\nroot = \"b\";\n",
         "a.conf:3: duplicate setting name\n"},
        {"duplicate group", "log = { };\nlog = { };\n", "a.conf:2: duplicate setting name\n"},
        {"syntax", "root = = \"a\";\n", "a.conf:1: syntax error\n"},
        {"syntax at the end", "root = \"a\";\nlisten = {\n", "a.conf:2: syntax error\n"},
        {"mixed array", "hosts = [ \"a\", 5 ];\n", "a.conf:1: mismatched element type in array\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_row_said(state, rows[i].label, rows[i].text, rows[i].said);
}

/* What libconfig takes without a word, or wrong. */
static void file_trap_of_the_library_is_told(void **state)
{
    assert_said(state, "root = \"a\";\n/* to the\nend", "a.conf:2: the comment is not closed\n");
    assert_said(state, "/*/", "a.conf:1: the comment is not closed\n");
    assert_said(state, "\nroot = \"a;\n", "a.conf:2: the string is not closed\n");
    assert_said(state, "root = \"a\\", "a.conf:1: the string is not closed\n");
    assert_said(state, "root = \"a\\x00b\";\n", "a.conf:1: a string cannot hold a NUL byte\n");
    assert_said(state, "root = \"a\\X00\";\n", "a.conf:1: a string cannot hold a NUL byte\n");
    assert_said(state, "uploads = { max_bytes = 9223372036854775808; };\n",
                "a.conf:1: the number does not fit into 64 bits\n");
    assert_said(state, "uploads = { max_bytes = 99999999999999999999999999999999999999L; };\n",
                "a.conf:1: the number does not fit into 64 bits\n");
    assert_said(state, "uploads = { max_bytes = 0xffffffffffffffffff; };\n",
                "a.conf:1: uploads.max_bytes: must be an integer, 0 or more, not -1\n");
    assert_said(state, "listen = { port = 4294967297; };\n",
                "a.conf:1: listen.port: must be an integer, 0 to 65535, not 4294967297\n");
}

static void file_integer_beyond_32_bits_needs_no_suffix(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *text;
        int64_t number;
    } rows[] = {
        {"0", 0},
        {"0L", 0},
        {"+1", 1},
        {"007", 7},
        {"0x10", 16},
        {"0x1FFFFFFFF", 0x1ffffffff},
        {"0X1ffffffffL", 0x1ffffffff},
        {"2147483647", INT64_C(2147483647)},
        {"2147483648", INT64_C(2147483648)},
        {"5000000000", INT64_C(5000000000)},
        {"5000000000L", INT64_C(5000000000)},
        {"5000000000LL", INT64_C(5000000000)},
        {"9223372036854775807", INT64_MAX},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "uploads={max_files=%s;}", rows[i].text);
        fixture_write("a.conf", text);
        assert_int_equal(fixture_load(fixture, "a.conf", NULL), 0);
        if (fixture->config->uploads.max_files != rows[i].number)
            fail_msg("row: %s", rows[i].text);
    }
}

static void file_comment_and_string_are_left_alone(void **state)
{
    struct fixture *fixture = *state;

    fixture_write("a.conf", "# \"5 /* \n// \"6 /*\n/* \"7 // \n @include \"none\" */\n"
                            "root : \"a//b 5#/*\\\"\\\\\"\n \"@include\", index=\"8\"");
    assert_int_equal(fixture_load(fixture, "a.conf", NULL), 0);
    assert_string_equal(fixture->config->root, "a//b 5#/*\"\\@include");
    assert_string_equal(fixture->config->index, "8");
}

static void file_list_and_array_of_strings_are_read(void **state)
{
    struct fixture *fixture = *state;

    fixture_write("a.conf", "hosts = [ \"a\", \"b:80\" ];\nstatic = { attachments = ( ); };\n");
    assert_int_equal(fixture_load(fixture, "a.conf", NULL), 0);
    assert_int_equal(fixture->config->hosts.count, 2);
    assert_string_equal(fixture->config->hosts.items[0], "a");
    assert_string_equal(fixture->config->hosts.items[1], "b:80");
    assert_int_equal(fixture->config->static_files.attachments.count, 0);
}

static void file_include_keeps_file_and_line(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(mkdir("d", 0700), 0);
    fixture_write("d/b.conf", "limits = {\n  idle_timeout = 3;\n  @include \"c.conf\" \n};");
    fixture_write("d/c.conf", "\nheader_timeout = 4;\nbody_timeout = 0;");
    assert_said(state, "a = 1;\n\t@include\t\"d/b.conf\" b = 2;\nc = 3;\n",
                "a.conf:1: a: unknown key\n"
                "d/c.conf:3: limits.body_timeout: must be an integer, 1 to 3600, not 0\n"
                "a.conf:2: b: unknown key\n"
                "a.conf:3: c: unknown key\n");

    fixture_write("d/c.conf", "\nheader_timeout = 4; ");
    fixture_write("a.conf", "@include \"d/b.conf\"");
    assert_int_equal(fixture_load(fixture, "a.conf", NULL), 0);
    assert_int_equal(fixture->config->limits.idle_timeout, 3);
    assert_int_equal(fixture->config->limits.header_timeout, 4);
}

static void file_wrong_include_is_told(void **state)
{
    assert_said(state, "\n@include \"none\"\n",
                "a.conf:2: cannot include \"none\": No such file or directory\n");
    assert_said(state, "@include \"a.conf\"\n",
                "a.conf:1: cannot include \"a.conf\": Nested too deep (does a file include "
                "itself?)\n");
    assert_said(state, "@include \".\"\n", "a.conf:1: cannot include \".\": Is a directory\n");
    assert_said(state, "@include none\n", "a.conf:1: must be @include \"FILE\"\n");
    assert_said(state, "@include \"none\n\"", "a.conf:1: must be @include \"FILE\"\n");
    assert_said(state, "@include \"\"", "a.conf:1: must be @include \"FILE\"\n");
    assert_said(state, "@include", "a.conf:1: must be @include \"FILE\"\n");
    assert_said(state, "log = { } @include \"none\"\n", "a.conf:1: syntax error\n");

    fixture_write("b.conf", "root = \"b\";\nroot = \"c\";\n");
    assert_said(state, "@include \"b.conf\"\n", "b.conf:2: duplicate setting name\n");
    fixture_write("b.conf", "root = \"b");
    assert_said(state, "@include \"b.conf\"\n\"\n", "b.conf:1: the string is not closed\n");
}

/* N files that include the next one each; the last one is empty. */
static void write_chain(unsigned count)
{
    char name[32];
    char text[64];

    fixture_write("0.conf", "");
    for (unsigned i = 1; i <= count; i++) {
        (void)snprintf(name, sizeof name, "%u.conf", i);
        (void)snprintf(text, sizeof text, "@include \"%u.conf\"\n", i - 1);
        fixture_write(name, text);
    }
}

static void file_include_depth_is_limited(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(SOURCE_INCLUDE_DEPTH_MAX, 10);
    write_chain(11);
    assert_int_equal(fixture_load(fixture, "9.conf", NULL), 0);
    assert_int_equal(fixture_load(fixture, "10.conf", NULL), 0);
    assert_int_equal(fixture_load(fixture, "11.conf", NULL), CONFIG_EXIT_INVALID);
    assert_string_equal(fixture->said, "1.conf:1: cannot include \"0.conf\": Nested too deep (does "
                                       "a file include itself?)\n");
}

/* Two includes at each of ten levels: the size of all that is read ends it. */
static void file_include_bomb_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static char comment[4096];

    memset(comment, '#', sizeof comment);
    fixture_write_bytes("0.conf", comment, sizeof comment);
    for (unsigned i = 1; i <= 10; i++) {
        char name[32];
        char text[128];
        (void)snprintf(name, sizeof name, "%u.conf", i);
        (void)snprintf(text, sizeof text, "@include \"%u.conf\"\n@include \"%u.conf\"\n", i - 1,
                       i - 1);
        fixture_write(name, text);
    }
    assert_int_equal(fixture_load(fixture, "10.conf", NULL), CONFIG_EXIT_INVALID);
    assert_non_null(strstr(fixture->said, "Larger than 256 KiB, with all that is included\n"));
}

static void file_not_regular_is_refused_at_once(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *path;
        const char *said;
    } rows[] = {
        {"none", "none: cannot be read: No such file or directory\n"},
        {"", ": cannot be read: No such file or directory\n"},
        {"/", "/: cannot be read: Is a directory\n"},
        {"fifo", "fifo: cannot be read: Not a regular file\n"},
        {"/dev/null", "/dev/null: cannot be read: Not a regular file\n"},
        {"loop", "loop: cannot be read: Too many levels of symbolic links\n"},
    };

    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_int_equal(symlink("loop", "loop"), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(fixture_load(fixture, rows[i].path, NULL), CONFIG_EXIT_INVALID);
        assert_string_equal(fixture->said, rows[i].said);
    }
    assert_said(state, "@include \"fifo\"\n",
                "a.conf:1: cannot include \"fifo\": Not a regular file\n");
}

static void file_unreadable_is_refused(void **state)
{
    struct fixture *fixture = *state;

    fixture_write("a.conf", "");
    assert_int_equal(chmod("a.conf", 0), 0);
    if (access("a.conf", R_OK) == 0)
        skip(); /* root reads everything */
    assert_int_equal(fixture_load(fixture, "a.conf", NULL), CONFIG_EXIT_INVALID);
    assert_string_equal(fixture->said, "a.conf: cannot be read: Permission denied\n");
}

static void file_with_nul_byte_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char text[] = "root = \"a\";\nindex\0 = \"b\";\n";

    fixture_write_bytes("a.conf", text, sizeof text - 1);
    assert_int_equal(fixture_load(fixture, "a.conf", NULL), CONFIG_EXIT_INVALID);
    assert_string_equal(fixture->said, "a.conf:2: there is a NUL byte in the file\n");
}

/* A file of one line of this size, `root="aaa...";`. */
static void write_long_line(size_t size)
{
    FILE *file = fopen("a.conf", "w");

    assert_non_null(file);
    assert_true(fputs("root=\"", file) >= 0);
    for (size_t i = strlen("root=\"\";"); i < size; i++)
        assert_int_equal(fputc('a', file), 'a');
    assert_true(fputs("\";", file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void file_size_is_limited(void **state)
{
    struct fixture *fixture = *state;
    static const char large[] =
        "a.conf: cannot be read: Larger than 256 KiB, with all that is included\n";
    static const char path[] =
        "a.conf:1: root: must be a path, not empty, not "
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\"\n";
    static const struct {
        size_t size;
        const char *said;
    } rows[] = {
        {SOURCE_BYTES_MAX - 1, path},
        {SOURCE_BYTES_MAX, path},
        {SOURCE_BYTES_MAX + 1, large},
        {1 << 20, large},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_long_line(rows[i].size);
        assert_int_equal(fixture_load(fixture, "a.conf", NULL), CONFIG_EXIT_INVALID);
        assert_string_equal(fixture->said, rows[i].said);
    }
}

static void file_nested_without_end_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static char text[200000];

    memset(text, '(', sizeof text);
    fixture_write_bytes("b.conf", text, sizeof text);
    fixture_write("a.conf", "hosts = \n@include \"b.conf\"\n");
    assert_int_equal(fixture_load(fixture, "a.conf", NULL), CONFIG_EXIT_INVALID);
    assert_true(strncmp(fixture->said, "b.conf:1: ", 10) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(file_wrong_setting_is_told_with_its_line),
        FIXTURE_TEST(file_trap_of_the_library_is_told),
        FIXTURE_TEST(file_integer_beyond_32_bits_needs_no_suffix),
        FIXTURE_TEST(file_comment_and_string_are_left_alone),
        FIXTURE_TEST(file_list_and_array_of_strings_are_read),
        FIXTURE_TEST(file_include_keeps_file_and_line),
        FIXTURE_TEST(file_wrong_include_is_told),
        FIXTURE_TEST(file_include_depth_is_limited),
        FIXTURE_TEST(file_include_bomb_is_refused),
        FIXTURE_TEST(file_not_regular_is_refused_at_once),
        FIXTURE_TEST(file_unreadable_is_refused),
        FIXTURE_TEST(file_with_nul_byte_is_refused),
        FIXTURE_TEST(file_size_is_limited),
        FIXTURE_TEST(file_nested_without_end_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
