/* Goal: the table of keys is sound, and a misspelt key is recognised. */
#include "server/config/rule.h"

#include "tests/unit/config_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <string.h>

static void key_default_is_allowed(void **state)
{
    (void)state;
    for (size_t i = 0; i < key_count; i++) {
        struct value value;
        assert_int_equal(value_from_text(&key_table[i], key_table[i].initial, &value), 0);
        if (!rule_allows(&key_table[i], &value))
            fail_msg("%s", key_table[i].name);
        value_deinit(&value);
    }
}

static void key_names_and_places_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < key_count; i++) {
        assert_ptr_equal(key_find(slice_from_string(key_table[i].name)), &key_table[i]);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(key_table[i].offset, key_table[j].offset);
    }
}

static void key_meaning_is_a_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < key_count; i++) {
        const char *meaning = key_table[i].meaning;
        assert_int_equal(meaning[strlen(meaning) - 1], '.');
        assert_null(strchr(meaning, '|')); /* would end a cell of the reference */
    }
}

static void key_nearest_is_what_was_meant(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *meant; /* NULL: nothing is near enough */
    } rows[] = {
        {"rot", "root"},
        {"roots", "root"},
        {"Root", "root"},
        {"rt", NULL},
        {"", NULL},
        {"x", NULL},
        {"port", "listen.port"},
        {"listen.prt", "listen.port"},
        {"listen.hots", "listen.host"},
        {"server.port", "listen.port"},
        {"adnim.port", "admin.port"},
        {"timeouts.idle_timeout", "limits.idle_timeout"},
        {"limits.idle_timeouts", "limits.idle_timeout"},
        {"limits.ide_timout", "limits.idle_timeout"},
        {"workers", "pool.workers"},
        {"wrkers", "pool.workers"},
        {"static.cache-control", "static.cache_control"},
        {"limits.more", NULL},
        {"limits.", NULL},
        {".", NULL},
        /* 63, 64 and 65 bytes, all far from every key */
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct key *key = key_nearest(slice_from_string(rows[i].name));
        const char *found = key == NULL ? "nothing" : key->name;
        const char *meant = rows[i].meant == NULL ? "nothing" : rows[i].meant;
        if (strcmp(found, meant) != 0)
            fail_msg("%s: found %s, meant %s", rows[i].name, found, meant);
    }
}

static void key_group_is_told_from_a_key(void **state)
{
    (void)state;
    assert_true(key_is_group(SLICE("limits")));
    assert_true(key_is_group(SLICE("static")));
    assert_false(key_is_group(SLICE("limit")));
    assert_false(key_is_group(SLICE("limits.")));
    assert_false(key_is_group(SLICE("root")));
    assert_false(key_is_group(SLICE("")));
}

/* Two configurations that differ in one value. */
static const char *fixed_difference(const char *setting)
{
    struct config *one = NULL;
    struct config *other = NULL;
    const char *equals = strchr(setting, '=');
    struct config_override override = {setting, (size_t)(equals - setting), equals + 1, "--set"};
    struct config_input input = {.file = "a.conf"};
    assert_int_equal(config_load(&input, &one, stderr), 0);
    input.overrides = &override;
    input.override_count = 1;
    assert_int_equal(config_load(&input, &other, stderr), 0);
    const struct key *key = key_find_fixed(one, other, NULL);
    if (key != NULL)
        assert_null(key_find_fixed(one, other, key));
    config_free(one);
    config_free(other);
    return key == NULL ? "" : key->name;
}

static void key_fixed_is_found_when_it_differs(void **state)
{
    static const struct {
        const char *setting;
        const char *found;
    } rows[] = {
        {"listen.port=81", "listen.port"},
        {"listen.host=127.0.0.2", "listen.host"},
        {"stream.sendfile=false", "stream.sendfile"},
        {"log.access=other", "log.access"},
        {"listen.port=8080", ""}, /* the default */
        {"limits.connections=7", ""},
        {"hosts=a.test,b.test", ""},
        {"root=other", ""},
    };
    (void)state;
    fixture_write("a.conf", "");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(fixed_difference(rows[i].setting), rows[i].found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_default_is_allowed),
        cmocka_unit_test(key_names_and_places_are_unique),
        cmocka_unit_test(key_meaning_is_a_sentence),
        cmocka_unit_test(key_nearest_is_what_was_meant),
        cmocka_unit_test(key_group_is_told_from_a_key),
        FIXTURE_TEST(key_fixed_is_found_when_it_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
