/* For the tests of the configuration: each test runs in a new, empty working directory, and looks
 * at what config_load() made and what it said.
 */
#ifndef TARN_TESTS_UNIT_CONFIG_FIXTURE_H
#define TARN_TESTS_UNIT_CONFIG_FIXTURE_H

#include "server/config/config.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIXTURE_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

struct fixture {
    char folder[64];
    int home; /* the working directory before */
    struct config *config;
    char *said;
};

static inline int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    (void)snprintf(fixture->folder, sizeof fixture->folder, "/tmp/tarn-config-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    fixture->home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(fixture->home >= 0);
    assert_int_equal(chdir(fixture->folder), 0);
    *state = fixture;
    return 0;
}

static inline int fixture_remove(const char *path, const struct stat *status, int type,
                                 struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static inline int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    config_free(fixture->config);
    free(fixture->said);
    assert_int_equal(fchdir(fixture->home), 0);
    assert_int_equal(close(fixture->home), 0);
    assert_int_equal(nftw(fixture->folder, fixture_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
    free(fixture);
    return 0;
}

/* Writes bytes to a file in the working directory. */
static inline void fixture_write_bytes(const char *name, const void *bytes, size_t len)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static inline void fixture_write(const char *name, const char *text)
{
    fixture_write_bytes(name, text, strlen(text));
}

/* Loads, and keeps the configuration and what was said in the fixture. Returns the status. */
static inline int fixture_load_input(struct fixture *fixture, const struct config_input *input)
{
    size_t len;

    config_free(fixture->config);
    fixture->config = NULL;
    free(fixture->said);
    FILE *errors = open_memstream(&fixture->said, &len);
    assert_non_null(errors);
    int status = config_load(input, &fixture->config, errors);
    assert_int_equal(fclose(errors), 0);
    return status;
}

/* The same with a file and, unless NULL, one `--set`. */
static inline int fixture_load(struct fixture *fixture, const char *file, const char *set)
{
    const char *equals = set == NULL ? NULL : strchr(set, '=');
    struct config_override override = {.origin = "--set"};
    struct config_input input = {.file = file, .overrides = &override};

    if (equals != NULL) {
        override.key = set;
        override.key_len = (size_t)(equals - set);
        override.value = equals + 1;
        input.override_count = 1;
    }
    return fixture_load_input(fixture, &input);
}

#endif
