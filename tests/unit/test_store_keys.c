/* Records under keys: a claim is exclusive, a record outlives the store, and their number is
 * bounded; what has expired goes first, then the oldest.
 */
#include "server/store/store_key_ages.h"
#include "server/store/store_keys.h"
#include "tests/support/failing_memory.h"
#include "tests/unit/folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define HOUR 3600

static struct folder folder;
static char keys_path[80];
static struct store *store;
static struct store_keys *keys;

static void open_keys(size_t most)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "%s/uploads", folder.path);
    (void)snprintf(keys_path, sizeof(keys_path), "%s/.tarn/keys", path);
    store = store_open(&(struct store_options){.directory = path, .durability = STORE_DURABLE});
    assert_non_null(store);
    keys = store_keys_open(
        &(struct store_keys_options){.store = store, .most = most, .lifetime_s = HOUR});
    assert_non_null(keys);
}

static void close_keys(void)
{
    store_keys_close(keys);
    store_close(store);
    keys = NULL;
    store = NULL;
}

static int create(void **state)
{
    (void)state;
    folder_create(&folder);
    open_keys(3);
    return 0;
}

static int destroy(void **state)
{
    (void)state;
    close_keys();
    folder_destroy(&folder);
    return 0;
}

#define KEYS_TEST(test) cmocka_unit_test_setup_teardown(test, create, destroy)

/* --- keys by number ------------------------------------------------------------------------- */

static int claim(unsigned number, struct store_key *out)
{
    unsigned char id[STORE_KEY_BYTES] = {0};
    memcpy(id + 7, &number, sizeof(number));
    return store_key_claim(keys, id, out);
}

static void put(unsigned number, const char *record)
{
    struct store_key key;
    assert_int_equal(claim(number, &key), 0);
    assert_int_equal(store_key_write(&key, record, strlen(record)), 0);
    store_key_keep(&key);
    assert_null(key.keys);
}

static void assert_record(unsigned number, const char *record)
{
    struct store_key key;
    char *bytes;
    size_t len;
    assert_int_equal(claim(number, &key), 0);
    assert_int_equal(store_key_read(&key, &bytes, &len), 0);
    assert_int_equal(len, strlen(record));
    assert_string_equal(bytes, record);
    free(bytes);
    store_key_release(&key);
}

static size_t count_records(void)
{
    DIR *entries = opendir(keys_path);
    size_t count = 0;
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        count += entry->d_name[0] != '.';
    assert_int_equal(closedir(entries), 0);
    return count;
}

/* Makes a record older. */
static void set_age(unsigned number, time_t seconds)
{
    char path[160];
    unsigned char id[STORE_KEY_BYTES] = {0};
    memcpy(id + 7, &number, sizeof(number));
    int len = snprintf(path, sizeof(path), "%s/", keys_path);
    for (size_t i = 0; i < sizeof(id); i++)
        len += snprintf(path + len, sizeof(path) - (size_t)len, "%02x", id[i]);
    const struct timespec when = {.tv_sec = time(NULL) - seconds};
    const struct timespec times[2] = {when, when};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* --- the tests ------------------------------------------------------------------------------ */

static void store_keys_record_is_read_again(void **state)
{
    (void)state;
    put(1, "one");
    assert_record(1, "one");
    assert_record(2, "");
    put(1, "longer than one");
    assert_record(1, "longer than one");
    put(1, "1");
    assert_record(1, "1");
}

static void store_keys_record_outlives_the_store(void **state)
{
    (void)state;
    put(1, "one");
    close_keys();
    open_keys(3);
    assert_record(1, "one");
}

static void store_keys_claim_is_exclusive(void **state)
{
    struct store_key key;
    struct store_key other;
    (void)state;
    assert_int_equal(claim(1, &key), 0);
    assert_int_equal(claim(1, &other), -1);
    assert_int_equal(errno, EBUSY);
    assert_int_equal(claim(2, &other), 0);
    store_key_release(&other);
    store_key_release(&key);
    assert_int_equal(claim(1, &key), 0);
    store_key_release(&key);
    assert_int_equal(count_records(), 0);
}

static void store_keys_claim_ends_with_its_process(void **state)
{
    struct store_key key;
    int ready[2];
    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool is_claimed = claim(1, &key) == 0;
        ssize_t written = is_claimed ? write(ready[1], "x", 1) : 0;
        (void)written;
        (void)pause();
        _exit(1);
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(claim(1, &key), -1);
    assert_int_equal(errno, EBUSY);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(claim(1, &key), 0);
    store_key_release(&key);
    assert_int_equal(close(ready[0]) | close(ready[1]), 0);
}

static void store_keys_release_forgets_what_is_new_only(void **state)
{
    struct store_key key;
    (void)state;
    put(1, "one");
    assert_int_equal(claim(1, &key), 0);
    store_key_release(&key);
    assert_record(1, "one");
    assert_int_equal(claim(2, &key), 0);
    assert_int_equal(store_key_write(&key, "two", 3), 0);
    store_key_release(&key);
    assert_record(2, "");
    assert_int_equal(count_records(), 1);
}

static void store_keys_release_of_an_overwritten_one_forgets_it(void **state)
{
    struct store_key key;
    (void)state;
    put(1, "one");
    assert_int_equal(claim(1, &key), 0);
    assert_int_equal(store_key_write(&key, "two", 3), 0);
    store_key_release(&key);
    assert_record(1, "");
}

static void store_keys_beyond_the_number_the_oldest_go(void **state)
{
    (void)state;
    for (unsigned number = 1; number <= 5; number++) {
        put(number, "x");
        assert_int_equal(count_records(), number < 3 ? number : 3);
    }
    assert_record(1, "");
    assert_record(2, "");
    for (unsigned number = 3; number <= 5; number++)
        assert_record(number, "x");
}

static void store_keys_of_a_former_process_are_the_oldest(void **state)
{
    (void)state;
    for (unsigned number = 1; number <= 3; number++) {
        put(number, "x");
        set_age(number, number == 2 ? 60 : 30); /* the second is the oldest */
    }
    close_keys();
    open_keys(3);
    put(4, "x");
    assert_int_equal(count_records(), 3);
    assert_record(2, "");
    assert_record(1, "x");
    assert_record(4, "x");
}

static void store_keys_that_became_too_many_go_little_by_little(void **state)
{
    (void)state;
    close_keys();
    open_keys(100);
    for (unsigned number = 1; number <= 60; number++) {
        put(number, "x");
        set_age(number, (time_t)100 - number);
    }
    close_keys();
    open_keys(1);
    for (unsigned number = 101; number <= 105; number++)
        put(number, "x");
    assert_int_equal(count_records(), 1);
    assert_record(105, "x");
}

static void store_keys_expired_is_as_good_as_new(void **state)
{
    (void)state;
    put(1, "one");
    set_age(1, HOUR - 10);
    assert_record(1, "one");
    set_age(1, HOUR + 1);
    assert_record(1, "");
    put(1, "again");
    assert_record(1, "again");
}

static void store_keys_expired_go_when_another_comes(void **state)
{
    (void)state;
    close_keys();
    open_keys(100);
    put(1, "x");
    put(2, "x");
    set_age(1, HOUR + 1);
    set_age(2, HOUR + 1);
    close_keys();
    open_keys(100);
    put(3, "x");
    assert_int_equal(count_records(), 1);
}

/* Time stamps of files are as coarse as this clock. */
static void wait_for_another_time_stamp(void)
{
    struct timespec begin;
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_REALTIME_COARSE, &begin), 0);
    do {
        assert_int_equal(clock_gettime(CLOCK_REALTIME_COARSE, &now), 0);
    } while (now.tv_sec == begin.tv_sec && now.tv_nsec == begin.tv_nsec);
}

/* The place in the queue is that of the first writing, but it must not be taken for that. */
static void store_keys_written_anew_is_young_again(void **state)
{
    (void)state;
    put(1, "old");
    put(2, "x");
    wait_for_another_time_stamp();
    put(1, "new");
    put(3, "x");
    put(4, "x");
    assert_record(1, "new");
}

static void store_keys_in_use_is_not_removed(void **state)
{
    struct store_key key;
    (void)state;
    put(1, "one");
    assert_int_equal(claim(1, &key), 0);
    for (unsigned number = 2; number <= 6; number++)
        put(number, "x");
    store_key_release(&key);
    assert_record(1, "one");
}

static void store_keys_foreign_files_are_left_alone(void **state)
{
    char path[100];
    (void)state;
    (void)snprintf(path, sizeof(path), "%s/README", keys_path);
    int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    assert_int_equal(close(file), 0);
    for (unsigned number = 1; number <= 9; number++)
        put(number, "x");
    assert_int_equal(access(path, F_OK), 0);
}

static void store_keys_write_that_fails_says_so(void **state)
{
    struct store_key key;
    struct rlimit limit;
    (void)state;
    assert_ptr_not_equal(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(claim(1, &key), 0);
    const struct rlimit small = {.rlim_cur = 2, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int result = store_key_write(&key, "three", 5);
    int error = errno;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(result, -1);
    assert_int_equal(error, EFBIG);
    store_key_release(&key);
    assert_int_equal(count_records(), 0);
}

static void store_keys_without_memory_say_so(void **state)
{
    struct store_key key;
    char *bytes;
    size_t len;
    (void)state;
    failing_memory_after(0);
    struct store_keys *none =
        store_keys_open(&(struct store_keys_options){.store = store, .most = 1, .lifetime_s = 1});
    assert_true(failing_memory_end());
    assert_null(none);
    put(1, "one");
    assert_int_equal(claim(1, &key), 0);
    failing_memory_after(0);
    assert_int_equal(store_key_read(&key, &bytes, &len), -1);
    assert_true(failing_memory_end());
    store_key_release(&key);
}

/* It is kept all the same; only that it is there is forgotten until the next start. */
static void store_keys_without_memory_keep_the_record(void **state)
{
    (void)state;
    for (unsigned count = 0; count < 4; count++) {
        failing_memory_after(count);
        struct store_key key;
        int claimed = claim(count, &key);
        int written = store_key_write(&key, "x", 1);
        store_key_keep(&key);
        (void)failing_memory_end();
        assert_int_equal(claimed, 0);
        assert_int_equal(written, 0);
        assert_record(count, "x");
    }
}

static void store_keys_names_are_wide_and_new(void **state)
{
    struct store_key key;
    char one[STORE_NAME_SIZE];
    char other[STORE_NAME_SIZE];
    (void)state;
    assert_int_equal(claim(1, &key), 0);
    assert_int_equal(store_key_make_name(&key, one), 0);
    assert_int_equal(store_key_make_name(&key, other), 0);
    assert_int_equal(strlen(one), strlen("upload_20260301_120000_0123456789abcdef.json"));
    assert_string_not_equal(one, other);
    store_key_release(&key);
}

static void store_keys_none_is_released_without_harm(void **state)
{
    struct store_key none = {0};
    (void)state;
    store_key_keep(&none);
    store_key_release(&none);
    store_keys_close(NULL);
}

/* --- the queue of ages ---------------------------------------------------------------------- */

static void store_key_ages_are_taken_in_order(void **state)
{
    struct store_key_ages ages = {0};
    struct store_key_ages older = {0};
    struct store_key_age age = {0};
    (void)state;
    for (int64_t i = 0; i < 500; i++) {
        age.written_ns = 1000 + i;
        assert_int_equal(store_key_ages_add(&ages, &age), 0);
        age.written_ns = 999 - i;
        assert_int_equal(store_key_ages_add(&older, &age), 0);
    }
    assert_int_equal(store_key_ages_prepend(&ages, &older), 0);
    assert_int_equal(ages.count, 1000);
    for (int64_t i = 0; i < 600; i++) {
        assert_true(store_key_ages_take(&ages, 0, INT64_MIN, &age));
        assert_int_equal(age.written_ns, 500 + i);
        age.written_ns = 1500 + i;
        assert_int_equal(store_key_ages_add(&ages, &age), 0);
    }
    assert_int_equal(ages.count, 1000);
    assert_false(store_key_ages_take(&ages, 1000, 1099, &age));
    assert_true(store_key_ages_take(&ages, 1000, 1100, &age));
    assert_true(store_key_ages_take(&ages, 998, 0, &age));
    assert_false(store_key_ages_take(&ages, 998, 0, &age));
    store_key_ages_deinit(&ages);
    assert_false(store_key_ages_take(&ages, 0, INT64_MAX, &age));
    store_key_ages_deinit(&older);
}

static void store_key_ages_without_memory_stay_as_they_are(void **state)
{
    struct store_key_ages ages = {0};
    struct store_key_ages older = {0};
    struct store_key_age age = {.written_ns = 5};
    (void)state;
    failing_memory_after(0);
    assert_int_equal(store_key_ages_add(&ages, &age), -1);
    assert_true(failing_memory_end());
    for (int i = 0; i < 64; i++) {
        assert_int_equal(store_key_ages_add(&ages, &age), 0);
        assert_int_equal(store_key_ages_add(&older, &age), 0);
    }
    failing_memory_after(0);
    assert_int_equal(store_key_ages_prepend(&ages, &older), -1);
    assert_true(failing_memory_end());
    assert_int_equal(ages.count, 64);
    assert_int_equal(older.count, 64);
    store_key_ages_deinit(&ages);
    store_key_ages_deinit(&older);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KEYS_TEST(store_keys_record_is_read_again),
        KEYS_TEST(store_keys_record_outlives_the_store),
        KEYS_TEST(store_keys_claim_is_exclusive),
        KEYS_TEST(store_keys_claim_ends_with_its_process),
        KEYS_TEST(store_keys_release_forgets_what_is_new_only),
        KEYS_TEST(store_keys_release_of_an_overwritten_one_forgets_it),
        KEYS_TEST(store_keys_beyond_the_number_the_oldest_go),
        KEYS_TEST(store_keys_of_a_former_process_are_the_oldest),
        KEYS_TEST(store_keys_that_became_too_many_go_little_by_little),
        KEYS_TEST(store_keys_expired_is_as_good_as_new),
        KEYS_TEST(store_keys_expired_go_when_another_comes),
        KEYS_TEST(store_keys_written_anew_is_young_again),
        KEYS_TEST(store_keys_in_use_is_not_removed),
        KEYS_TEST(store_keys_foreign_files_are_left_alone),
        KEYS_TEST(store_keys_write_that_fails_says_so),
        KEYS_TEST(store_keys_without_memory_say_so),
        KEYS_TEST(store_keys_without_memory_keep_the_record),
        KEYS_TEST(store_keys_names_are_wide_and_new),
        KEYS_TEST(store_keys_none_is_released_without_harm),
        cmocka_unit_test(store_key_ages_are_taken_in_order),
        cmocka_unit_test(store_key_ages_without_memory_stay_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
