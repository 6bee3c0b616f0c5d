/* One token: its forms, and whether a secret is that of a hash. */
#include "server/auth/token.h"
#include "tests/unit/assert_slice.h"

#include <stdlib.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

#define X16         "xxxxxxxxxxxxxxxx"
#define X64         X16 X16 X16 X16

static void token_name_is_short_and_plain(void **state)
{
    static const struct {
        const char *name;
        bool is_name;
    } rows[] = {
        {"a", true},      {"A-Z_09", true},    {X64, true},    {"", false},
        {X64 "x", false}, {"a.", false},       {"a b", false}, {"a:b", false},
        {"a/b", false},   {"\xc3\xa9", false}, {"a\n", false}, {"#a", false},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        if (token_is_name(slice_from_string(rows[i].name)) != rows[i].is_name)
            fail_msg("%s", rows[i].name);
    assert_false(token_is_name((struct slice){"a\0b", 3}));
}

static void token_is_split_at_its_first_dot(void **state)
{
    static const struct {
        const char *token, *name, *secret; /* name NULL: it has not the form */
    } rows[] = {
        {"a.b", "a", "b"},
        {"a.b.c", "a", "b.c"},
        {"a." X64 X64, "a", X64 X64},
        {"a." X64 X64 "x", NULL, NULL},
        {"", NULL, NULL},
        {".", NULL, NULL},
        {"a", NULL, NULL},
        {"a.", NULL, NULL},
        {".b", NULL, NULL},
        {"a.b c", NULL, NULL},
        {"a b.c", NULL, NULL},
        {"a.\xff", NULL, NULL},
        {"a.\x7f", NULL, NULL},
        {X64 "x.y", NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct slice name = SLICE("untouched");
        struct slice secret = SLICE("untouched");
        int result = token_split(slice_from_string(rows[i].token), &name, &secret);
        if (result != (rows[i].name ? 0 : -1))
            fail_msg("%s", rows[i].token);
        assert_slice_is(name, rows[i].name ? rows[i].name : "untouched");
        assert_slice_is(secret, rows[i].name ? rows[i].secret : "untouched");
    }
}

/* Hashes of "x", by yescrypt, sha512crypt and bcrypt. */
#define YESCRYPT "$y$j75$A9D8rHQznT8f91hA5Kn7d0$aSnbSe4Uv6.dye8oGVcQnOnDr68y6DvsNUeZCF2BIG7"
#define SHA512                                                                                     \
    "$6$rounds=1000$L0KdtKqtmQwvEf42$0ZLZ10823ClU15XAZ39U5B6HosT2MIwFWyziOApwDt/"                  \
    "sugODCmhzikECGEbPA/ZpOEofxizJCDNz0rquLpEYl0"

static void token_line_has_a_name_and_a_hash_of_today(void **state)
{
    static const struct {
        const char *line;
        bool is_right;
    } rows[] = {
        {"a:" YESCRYPT, true},
        {"a:" SHA512, true},
        {"a", false},
        {"", false},
        {":" YESCRYPT, false},
        {"a b:" YESCRYPT, false},
        {" a:" YESCRYPT, false},
        {"a:" YESCRYPT "\r", false},
        {"a: " YESCRYPT, false},
        {"a:", false},
        {"a:plain", false},
        {"a:*", false},
        {"a:$y$j75$A9D8rHQznT8f91hA5Kn7d0", false}, /* a setting only */
        {"a:$6$", false},
        {"a:$1$saltsalt$8XbUvVWqZWIv6cBkYOa1k0", false}, /* md5crypt */
        {"a:aaXXXXXXXXXXX", false},                      /* DES */
        {"a:$y$" X64 X64 X64 X64 X64 X64, false},        /* longer than crypt(3) makes one */
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct slice name = {0};
        struct slice hash = {0};
        const char *fault = token_split_line(slice_from_string(rows[i].line), &name, &hash);
        if ((fault == NULL) != rows[i].is_right)
            fail_msg("%s: %s", rows[i].line, fault ? fault : "taken");
        if (rows[i].is_right) {
            assert_slice_is(name, "a");
            assert_slice_is(hash, rows[i].line + 2);
        }
    }
}

static void token_secrets_are_base64url_and_differ(void **state)
{
    char secrets[2][TOKEN_SECRET_LEN + 1];
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(token_make_secret(secrets[i]), 0);
        assert_int_equal(strlen(secrets[i]), TOKEN_SECRET_LEN);
        assert_true(token_is_name(slice_from_string(secrets[i]))); /* of the same letters */
    }
    assert_string_not_equal(secrets[0], secrets[1]);
}

static void token_matches_its_own_hash_only(void **state)
{
    char hash[CRYPT_OUTPUT_SIZE];
    char again[CRYPT_OUTPUT_SIZE];
    struct crypt_data *scratch = calloc(1, sizeof(*scratch));
    (void)state;
    assert_non_null(scratch);
    assert_int_equal(token_hash("secret", hash), 0);
    assert_int_equal(token_hash("secret", again), 0);
    assert_string_not_equal(hash, again); /* each has a salt of its own */
    assert_int_equal(strncmp(hash, "$y$", 3), 0);
    for (int i = 0; i < 2; i++) { /* whatever the scratch holds */
        assert_true(token_matches(SLICE("secret"), hash, scratch));
        assert_true(token_matches(SLICE("secret"), again, scratch));
        assert_false(token_matches(SLICE("secre"), hash, scratch));
        assert_false(token_matches(SLICE("secrets"), hash, scratch));
        assert_false(token_matches(SLICE("Secret"), hash, scratch));
        assert_false(token_matches(SLICE(""), hash, scratch));
        assert_false(token_matches(SLICE(X64 X64 "x"), hash, scratch));
        memset(scratch, 0xff, sizeof(*scratch));
    }
    assert_false(token_matches(SLICE("secret"), "$y$broken", scratch));
    assert_false(token_matches(SLICE("secret"), "*0", scratch));
    free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token_name_is_short_and_plain),
        cmocka_unit_test(token_is_split_at_its_first_dot),
        cmocka_unit_test(token_line_has_a_name_and_a_hash_of_today),
        cmocka_unit_test(token_secrets_are_base64url_and_differ),
        cmocka_unit_test(token_matches_its_own_hash_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
