/* The file of the tokens, and what its tokens and others are worth. */
#include "server/auth/token.h"
#include "server/auth/tokens.h"
#include "server/config/config.h"
#include "server/log/error_log.h"
#include "tests/support/failing_memory.h"
#include "tests/unit/folder.h"

#include <pthread.h>
#include <stdlib.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* A time like any other. */
#define NOW_MS 5000000

static struct folder folder;
static char path[64];
static char *said;
static struct tokens *tokens;
static const struct peer alice = {.host = 1};

static int create(void **state)
{
    (void)state;
    folder_create(&folder);
    (void)snprintf(path, sizeof(path), "%s/tokens", folder.path);
    return error_log_open("off", LOG_ERROR);
}

static int destroy(void **state)
{
    (void)state;
    tokens_free(tokens);
    tokens = NULL;
    free(said);
    said = NULL;
    error_log_close();
    folder_destroy(&folder);
    return 0;
}

#define TOKENS_TEST(test) cmocka_unit_test_setup_teardown(test, create, destroy)

static int load(const char *text)
{
    size_t size;
    if (text) {
        (void)unlink(path);
        folder_add_file(&folder, "tokens", text);
    }
    free(said);
    FILE *errors = open_memstream(&said, &size);
    assert_non_null(errors);
    int status = tokens_load(path, &tokens, errors);
    assert_int_equal(fclose(errors), 0);
    return status;
}

/* A file with the tokens "a.one" and "b.two". */
static void load_two(void)
{
    char one[CRYPT_OUTPUT_SIZE];
    char two[CRYPT_OUTPUT_SIZE];
    char text[4 * CRYPT_OUTPUT_SIZE];
    assert_int_equal(token_hash("one", one), 0);
    assert_int_equal(token_hash("two", two), 0);
    (void)snprintf(text, sizeof(text), "# comment\n\na:%s\nb:%s", one, two);
    assert_int_equal(load(text), 0);
}

static enum tokens_verdict check(const char *token, struct peer peer, int64_t now_ms)
{
    return tokens_check(tokens, slice_from_string(token), peer, now_ms);
}

/* --- the file ------------------------------------------------------------------------------- */

static void tokens_of_no_file_are_none(void **state)
{
    (void)state;
    tokens = NULL;
    assert_int_equal(tokens_load("", &tokens, stderr), 0);
    assert_null(tokens);
    tokens_free(NULL);
}

static void tokens_file_may_be_empty(void **state)
{
    static const char *const texts[] = {"", "\n", "# only\n#comments"};
    (void)state;
    for (size_t i = 0; i < ROWS(texts); i++) {
        assert_int_equal(load(texts[i]), 0);
        assert_int_equal(tokens_count(tokens), 0);
        assert_int_equal(check("a.one", alice, NOW_MS), TOKENS_INVALID);
        tokens_free(tokens);
        tokens = NULL;
    }
}

static void tokens_wrong_lines_are_all_told(void **state)
{
    char expected[256];
    (void)state;
    assert_int_equal(load("x\n# fine\n\na:b\n"), CONFIG_EXIT_INVALID);
    assert_null(tokens);
    (void)snprintf(expected, sizeof(expected),
                   "%s:1: neither NAME:HASH nor a comment that begins with '#'\n"
                   "%s:4: the hash is none that crypt(3) makes today\n",
                   path, path);
    assert_string_equal(said, expected);
}

static void tokens_name_counts_once(void **state)
{
    char hash[CRYPT_OUTPUT_SIZE];
    char text[4 * CRYPT_OUTPUT_SIZE];
    (void)state;
    assert_int_equal(token_hash("x", hash), 0);
    (void)snprintf(text, sizeof(text), "a:%s\nb:%s\na:%s\n", hash, hash, hash);
    assert_int_equal(load(text), CONFIG_EXIT_INVALID);
    assert_non_null(strstr(said, ":3: there is a token of that name already\n"));
}

static void tokens_file_that_cannot_be_read_is_told(void **state)
{
    char *long_text = malloc(TOKENS_FILE_BYTES_MAX + 2);
    (void)state;
    assert_non_null(long_text);
    assert_int_equal(load(NULL), CONFIG_EXIT_INVALID);
    assert_non_null(strstr(said, "tokens: cannot be read: "));
    memset(long_text, '#', TOKENS_FILE_BYTES_MAX + 1);
    long_text[TOKENS_FILE_BYTES_MAX + 1] = '\0';
    assert_int_equal(load(long_text), CONFIG_EXIT_INVALID);
    long_text[TOKENS_FILE_BYTES_MAX] = '\0';
    assert_int_equal(load(long_text), 0);
    free(long_text);
}

static void tokens_without_memory_are_a_failure(void **state)
{
    unsigned count = 0;
    (void)state;
    folder_add_file(&folder, "tokens", "# nothing");
    for (int status = -1; status != 0; count++) {
        char lines[512];
        FILE *errors = fmemopen(lines, sizeof(lines), "w");
        assert_non_null(errors);
        assert_in_range(count, 0, 20);
        failing_memory_after(count);
        status = tokens_load(path, &tokens, errors);
        bool failed = failing_memory_end();
        (void)fclose(errors);
        assert_int_equal(status != 0, failed);
    }
    assert_in_range(count, 3, 20);
}

/* --- checking ------------------------------------------------------------------------------- */

static void tokens_are_valid_again_and_again(void **state)
{
    (void)state;
    load_two();
    assert_int_equal(tokens_count(tokens), 2);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(check("a.one", alice, NOW_MS), TOKENS_VALID);
        assert_int_equal(check("b.two", alice, NOW_MS), TOKENS_VALID);
    }
}

static void tokens_others_are_invalid(void **state)
{
    static const char *const others[] = {
        "a.two", "b.one", "c.one", "a.", "a", "", ".one", "a.one ", "a.onee", "A.one",
    };
    (void)state;
    load_two();
    for (int64_t round = 0; round < 2; round++) { /* before and after the right one was seen */
        for (size_t i = 0; i < ROWS(others); i++)
            if (check(others[i], alice, NOW_MS + 1000000 * round) != TOKENS_INVALID)
                fail_msg("%s", others[i]);
        assert_int_equal(check("a.one", alice, NOW_MS + 1000000 * round), TOKENS_VALID);
    }
}

static void tokens_guesses_are_bounded_for_each_peer(void **state)
{
    static const char *const guesses[] = {"a.x", "nobody.x"};
    (void)state;
    load_two();
    for (size_t row = 0; row < ROWS(guesses); row++) {
        int64_t now_ms = NOW_MS + 1000000 * (int64_t)row;
        for (int i = 0; i < TOKENS_GUESSES_MAX; i++)
            assert_int_equal(check(guesses[row], alice, now_ms), TOKENS_INVALID);
        assert_int_equal(check(guesses[row], alice, now_ms), TOKENS_BUSY);
        assert_int_equal(check(guesses[row], alice, now_ms + TOKENS_GUESS_MS - 1), TOKENS_BUSY);
        assert_int_equal(check(guesses[row], alice, now_ms + TOKENS_GUESS_MS), TOKENS_INVALID);
        assert_int_equal(check(guesses[row], alice, now_ms + TOKENS_GUESS_MS), TOKENS_BUSY);
    }
}

static void tokens_right_one_is_busy_only_before_it_was_seen(void **state)
{
    (void)state;
    load_two();
    assert_int_equal(check("a.one", alice, NOW_MS), TOKENS_VALID);
    for (int i = 0; i < TOKENS_GUESSES_MAX; i++)
        assert_int_equal(check("a.x", alice, NOW_MS), TOKENS_INVALID);
    assert_int_equal(check("a.one", alice, NOW_MS), TOKENS_VALID);
    assert_int_equal(check("b.two", alice, NOW_MS), TOKENS_BUSY);
    assert_int_equal(check("b.two", alice, NOW_MS + TOKENS_GUESS_MS), TOKENS_VALID);
    assert_int_equal(check("b.two", alice, NOW_MS), TOKENS_VALID);
}

/* Most others have another count; with one key of many they share it. */
static void tokens_other_peers_may_still_guess(void **state)
{
    unsigned busy = 0;
    (void)state;
    load_two();
    while (check("a.x", alice, NOW_MS) == TOKENS_INVALID)
        continue;
    for (uint64_t i = 0; i < 64; i++) {
        busy += check("a.x", (struct peer){.host = 1000 + i}, NOW_MS) == TOKENS_BUSY;
        busy += check("a.x", (struct peer){.network = 1000 + i}, NOW_MS) == TOKENS_BUSY;
    }
    assert_in_range(busy, 0, 64);
}

/* Whether a token is valid, though its peer has guessed as often as it may. */
static bool is_remembered(struct tokens *those, const char *token)
{
    return tokens_check(those, slice_from_string(token), alice, NOW_MS) == TOKENS_VALID;
}

static void exhaust_guesses(struct tokens *those)
{
    for (int i = 0; i < TOKENS_GUESSES_MAX; i++)
        assert_int_equal(tokens_check(those, SLICE("a.wrong"), alice, NOW_MS), TOKENS_INVALID);
}

static void tokens_that_were_seen_are_remembered_by_another_reading(void **state)
{
    (void)state;
    load_two();
    struct tokens *former = tokens;
    assert_true(is_remembered(former, "a.one"));
    assert_int_equal(load(NULL), 0); /* the same file */
    tokens_remember(tokens, former);
    exhaust_guesses(tokens);
    assert_true(is_remembered(tokens, "a.one"));
    assert_false(is_remembered(tokens, "b.two")); /* not seen before, so there is no telling */
    tokens_free(former);
}

static void tokens_that_have_changed_are_not_remembered(void **state)
{
    (void)state;
    load_two();
    struct tokens *former = tokens;
    assert_true(is_remembered(former, "a.one"));
    load_two(); /* of the same names, but with other hashes */
    tokens_remember(tokens, former);
    exhaust_guesses(tokens);
    assert_false(is_remembered(tokens, "a.one"));
    tokens_free(former);
}

static void *check_often(void *argument)
{
    (void)argument;
    for (int i = 0; i < 200; i++) {
        if (check("a.one", alice, NOW_MS) != TOKENS_VALID)
            return "refused";
        if (check("a.x", alice, NOW_MS) == TOKENS_VALID)
            return "taken";
    }
    return NULL;
}

static void tokens_may_be_checked_by_many_threads(void **state)
{
    pthread_t threads[8];
    (void)state;
    load_two();
    assert_int_equal(check("a.one", alice, NOW_MS), TOKENS_VALID);
    for (size_t i = 0; i < ROWS(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, check_often, NULL), 0);
    for (size_t i = 0; i < ROWS(threads); i++) {
        void *fault;
        assert_int_equal(pthread_join(threads[i], &fault), 0);
        assert_null(fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TOKENS_TEST(tokens_of_no_file_are_none),
        TOKENS_TEST(tokens_file_may_be_empty),
        TOKENS_TEST(tokens_wrong_lines_are_all_told),
        TOKENS_TEST(tokens_name_counts_once),
        TOKENS_TEST(tokens_file_that_cannot_be_read_is_told),
        TOKENS_TEST(tokens_without_memory_are_a_failure),
        TOKENS_TEST(tokens_are_valid_again_and_again),
        TOKENS_TEST(tokens_others_are_invalid),
        TOKENS_TEST(tokens_guesses_are_bounded_for_each_peer),
        TOKENS_TEST(tokens_right_one_is_busy_only_before_it_was_seen),
        TOKENS_TEST(tokens_other_peers_may_still_guess),
        TOKENS_TEST(tokens_that_were_seen_are_remembered_by_another_reading),
        TOKENS_TEST(tokens_that_have_changed_are_not_remembered),
        TOKENS_TEST(tokens_may_be_checked_by_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
