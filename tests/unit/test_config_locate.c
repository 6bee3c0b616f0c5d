/* Goal: the configuration file is looked for in the documented places, in their order. */
#include "server/config/locate.h"
#include "server/config/path.h"
#include "tests/unit/config_fixture.h"

#include <stdio.h>

/* The places, as they are made in the test's own folder. */
struct places {
    char executable[128];
    char beside[128];
    char above[128];
    char system[128];
};

static struct places make_places(const struct fixture *fixture)
{
    struct places places;

    assert_int_equal(mkdir("repository", 0700), 0);
    assert_int_equal(mkdir("repository/build", 0700), 0);
    assert_int_equal(mkdir("etc", 0700), 0);
    assert_int_equal(mkdir("work", 0700), 0);
    const char *folder = fixture->folder;
    (void)snprintf(places.executable, sizeof places.executable, "%s/repository/build/server",
                   folder);
    (void)snprintf(places.beside, sizeof places.beside, "%s/repository/build/server.conf", folder);
    (void)snprintf(places.above, sizeof places.above, "%s/repository/server.conf", folder);
    (void)snprintf(places.system, sizeof places.system, "%s/etc/server.conf", folder);
    assert_int_equal(chdir("work"), 0);
    return places;
}

/* What is found; `expected` NULL: nothing. */
static void assert_found(const struct places *places, const char *expected)
{
    char *path = NULL;

    assert_int_equal(locate_file(places->executable, places->system, &path), 0);
    if (expected == NULL)
        assert_null(path);
    else
        assert_string_equal(path, expected);
    free(path);
}

static void locate_first_place_that_has_a_file_wins(void **state)
{
    struct places places = make_places(*state);

    assert_found(&places, NULL);
    fixture_write(places.system, "");
    assert_found(&places, places.system);
    fixture_write(places.above, "");
    assert_found(&places, places.above);
    fixture_write(places.beside, "");
    assert_found(&places, places.beside);
    fixture_write("server.conf", "");
    assert_found(&places, "server.conf");
}

/* What is there but cannot be read is not passed over for another configuration. */
static void locate_takes_what_is_no_file(void **state)
{
    struct places places = make_places(*state);

    fixture_write(places.system, "");
    assert_int_equal(mkdir(places.above, 0700), 0);
    assert_found(&places, places.above);
    assert_int_equal(symlink("server.conf", places.beside), 0); /* a loop */
    assert_found(&places, places.beside);
    assert_int_equal(symlink("nowhere", "server.conf"), 0);
    assert_found(&places, places.beside);
}

static void locate_unknown_executable_leaves_two_places(void **state)
{
    struct places places = make_places(*state);
    char *path = NULL;

    fixture_write(places.beside, "");
    fixture_write(places.system, "");
    assert_int_equal(locate_file(NULL, places.system, &path), 0);
    assert_string_equal(path, places.system);
    free(path);
    assert_int_equal(locate_file("/server", places.system, &path), 0);
    assert_string_equal(path, places.system);
    free(path);
}

static void locate_executable_is_this_program(void **state)
{
    (void)state;
    char *path = locate_executable();

    assert_non_null(path);
    assert_int_equal(path[0], '/');
    assert_int_equal(access(path, X_OK), 0);
    free(path);
}

static void path_beside_a_file_is_in_its_folder(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        const char *name;
        const char *path;
    } rows[] = {
        {NULL, "a", "a"},       {"f", "a", "a"},     {"d/f", "a", "d/a"},
        {"/f", "a", "/a"},      {"./f", "a", "./a"}, {"/d/e/f", "../a", "/d/e/../a"},
        {"/d/e/f", "/a", "/a"}, {NULL, "/a", "/a"},  {"d/f", "", "d/"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *path = path_beside(rows[i].file, rows[i].name);
        assert_string_equal(path, rows[i].path);
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(locate_first_place_that_has_a_file_wins),
        FIXTURE_TEST(locate_takes_what_is_no_file),
        FIXTURE_TEST(locate_unknown_executable_leaves_two_places),
        cmocka_unit_test(locate_executable_is_this_program),
        cmocka_unit_test(path_beside_a_file_is_in_its_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
