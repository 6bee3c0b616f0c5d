/* The stores of a configuration: opened or not at all, and shared as long as nothing about them
 * changes.
 */
#include "server/stores.h"

#include "server/log/error_log.h"
#include "tests/unit/config_fixture.h"

static const char keys[] = "uploads = { directory = \"up\"; durability = \"none\"; };"
                           "files = { directory = \"files\"; };";

static struct config *load(const char *text, const char *set)
{
    struct fixture fixture = {0};
    fixture_write("a.conf", text);
    assert_int_equal(fixture_load(&fixture, "a.conf", set), 0);
    free(fixture.said);
    return fixture.config;
}

static bool agree(const char *one_set, const char *other_set)
{
    struct config *one = load(keys, one_set);
    struct config *other = load(keys, other_set);
    bool result = stores_agree(one, other);
    config_free(one);
    config_free(other);
    return result;
}

static void stores_agree_unless_one_of_their_keys_differs(void **state)
{
    static const struct {
        const char *set;
        bool agree;
    } rows[] = {
        {"uploads.directory=other", false},
        {"uploads.durability=fsync", false},
        {"uploads.min_free_bytes=1", false},
        {"uploads.max_bytes=1", false},
        {"uploads.max_files=1", false},
        {"uploads.ttl_days=1", false},
        {"uploads.keys=0", false},
        {"uploads.key_hours=1", false},
        {"files.directory=other", false},
        {"files.writable=true", false},
        {"files.max_bytes=1", false},
        {"files.max_files=1", false},
        {"uploads.max_files=0", true}, /* the default */
        {"root=other", true},
        {"limits.body_bytes=2048", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (agree(NULL, rows[i].set) != rows[i].agree)
            fail_msg("%s", rows[i].set);
        assert_true(agree(rows[i].set, rows[i].set));
    }
}

static struct stores *open_stores(const char *set, char **out_said)
{
    size_t len;
    struct config *config = load(keys, set);
    FILE *errors = open_memstream(out_said, &len);
    assert_non_null(errors);
    struct stores *stores = stores_open(config, errors);
    assert_int_equal(fclose(errors), 0);
    config_free(config);
    return stores;
}

static void stores_are_those_that_are_wanted(void **state)
{
    static const struct {
        const char *set;
        bool has_files;
        bool has_keys;
    } rows[] = {
        {NULL, false, true},
        {"files.writable=true", true, true},
        {"uploads.keys=0", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *said;
        struct stores *stores = open_stores(rows[i].set, &said);
        assert_non_null(stores);
        assert_string_equal(said, "");
        assert_non_null(stores->uploads);
        assert_int_equal(stores->files != NULL, rows[i].has_files);
        assert_int_equal(stores->keys != NULL, rows[i].has_keys);
        stores_release(stores);
        free(said);
    }
}

static void stores_that_cannot_be_opened_are_told(void **state)
{
    (void)state;
    fixture_write("file", "");
    char *said;
    assert_null(open_stores("uploads.directory=file", &said));
    assert_string_equal(said, "cannot open the folder for uploads file: Not a directory\n");
    free(said);

    fixture_write("files", "");
    assert_null(open_stores("files.writable=true", &said));
    assert_non_null(strstr(said, "cannot open the folder for files "));
    assert_non_null(strstr(said, "files: Not a directory\n"));
    free(said);
}

static void stores_last_as_long_as_somebody_holds_them(void **state)
{
    (void)state;
    char *said;
    struct stores *stores = open_stores(NULL, &said);
    free(said);
    stores_hold(stores);
    stores_release(stores);
    assert_int_equal(store_check_space(stores->uploads, 1), 0); /* still open */
    stores_release(stores);
    stores_release(NULL);
}

int main(void)
{
    if (error_log_open("off", LOG_ERROR) != 0)
        return 1;
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(stores_agree_unless_one_of_their_keys_differs),
        FIXTURE_TEST(stores_are_those_that_are_wanted),
        FIXTURE_TEST(stores_that_cannot_be_opened_are_told),
        FIXTURE_TEST(stores_last_as_long_as_somebody_holds_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
