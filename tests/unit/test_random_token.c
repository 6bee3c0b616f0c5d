/* The program defines getrandom() itself, so that it can fail: the linker takes it before the C
 * library's.
 */
#include "server/handlers/random_token.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define DIGITS "0123456789abcdef"
#define TOKENS 1000

static bool getrandom_fails;

ssize_t getrandom(void *buffer, size_t len, unsigned flags)
{
    if (getrandom_fails) {
        errno = ENOSYS;
        return -1;
    }
    return syscall(SYS_getrandom, buffer, len, flags);
}

static void random_token_is_32_lower_case_digits(void **state)
{
    char buffer[RANDOM_TOKEN_LEN + 1] = {0};
    struct text text = text_over(buffer, RANDOM_TOKEN_LEN);
    (void)state;
    assert_int_equal(random_token_append(&text), 0);
    assert_false(text.truncated);
    assert_int_equal(text.len, RANDOM_TOKEN_LEN);
    assert_int_equal(strspn(buffer, DIGITS), RANDOM_TOKEN_LEN);
}

static void random_token_is_appended(void **state)
{
    char buffer[64];
    struct text text = text_over(buffer, sizeof(buffer));
    (void)state;
    text_append(&text, SLICE("id="));
    assert_int_equal(random_token_append(&text), 0);
    text_append(&text, SLICE(";"));
    assert_int_equal(text.len, 3 + RANDOM_TOKEN_LEN + 1);
    assert_memory_equal(buffer, "id=", 3);
    assert_int_equal(buffer[text.len - 1], ';');
}

static void random_token_without_room_is_told(void **state)
{
    char buffer[RANDOM_TOKEN_LEN - 1];
    struct text text = text_over(buffer, sizeof(buffer));
    (void)state;
    (void)random_token_append(&text);
    assert_true(text.truncated);
}

/* Rather none than one that can be guessed. */
static void random_token_without_randomness_is_none(void **state)
{
    char buffer[64];
    struct text text = text_over(buffer, sizeof(buffer));
    (void)state;
    getrandom_fails = true;
    int result = random_token_append(&text);
    int error = errno;
    getrandom_fails = false;
    assert_int_equal(result, -1);
    assert_int_equal(error, ENOSYS);
    assert_int_equal(text.len, 0);
}

static char tokens[TOKENS][RANDOM_TOKEN_LEN];

static void make_tokens(void)
{
    for (size_t i = 0; i < TOKENS; i++) {
        struct text text = text_over(tokens[i], RANDOM_TOKEN_LEN);
        assert_int_equal(random_token_append(&text), 0);
    }
}

static void random_token_comes_but_once(void **state)
{
    (void)state;
    make_tokens();
    for (size_t i = 0; i < TOKENS; i++)
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(tokens[i], tokens[k], RANDOM_TOKEN_LEN);
}

/* Seen from each digit, each other one takes all sixteen values at each distance: no digit is
 * fixed, or made of another. It fails by chance once in 1e23 times: (15/16)^1000 for each.
 */
static void random_token_digits_are_independent(void **state)
{
    (void)state;
    make_tokens();
    for (size_t one = 0; one < RANDOM_TOKEN_LEN; one++) {
        for (size_t other = 0; other < RANDOM_TOKEN_LEN; other++) {
            unsigned seen = 0; /* a bit for each distance, or for each value of the one digit */
            for (size_t i = 0; i < TOKENS; i++) {
                long value = strchr(DIGITS, tokens[i][one]) - DIGITS;
                long base = one == other ? 0 : strchr(DIGITS, tokens[i][other]) - DIGITS;
                seen |= 1U << ((value - base) & 15);
            }
            assert_int_equal(seen, 0xffff);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_token_is_32_lower_case_digits),
        cmocka_unit_test(random_token_is_appended),
        cmocka_unit_test(random_token_without_room_is_told),
        cmocka_unit_test(random_token_without_randomness_is_none),
        cmocka_unit_test(random_token_comes_but_once),
        cmocka_unit_test(random_token_digits_are_independent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
