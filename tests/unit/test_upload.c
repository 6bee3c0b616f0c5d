/* POST /upload, without a connection: what is valid is stored byte for byte however it comes, and
 * what is not leaves nothing in the store.
 */
#include "server/handlers/upload.h"
#include "server/log/error_log.h"
#include "server/store/store_keys.h"
#include "tests/support/failing_cjson.h"
#include "tests/support/failing_memory.h"
#include "tests/unit/folder.h"
#include "tests/unit/handling.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

#define POST           "POST /upload HTTP/1.1\r\n" HOST
#define JSON           "Content-Type: application/json\r\n"
#define NDJSON         "Content-Type: application/x-ndjson\r\n"
#define LENGTH(number) "Content-Length: " #number "\r\n"
#define CHUNKED        "Transfer-Encoding: chunked\r\n"

/* What the handler keeps in memory, at most. */
#define MEMORY_BYTES 65536

static struct folder folder;
static char uploads[64];
static struct store *store;
static struct store_keys *keys;

static void close_store(void)
{
    store_keys_close(keys);
    store_close(store);
    keys = NULL;
    store = NULL;
}

static int open_store(uint64_t min_free_bytes)
{
    close_store();
    store = store_open(&(struct store_options){
        .directory = uploads,
        .durability = STORE_UNSYNCED,
        .min_free_bytes = min_free_bytes,
    });
    handling.site.store = store;
    if (store)
        keys = store_keys_open(
            &(struct store_keys_options){.store = store, .most = 10, .lifetime_s = 60});
    handling.site.keys = keys;
    return keys ? 0 : -1;
}

static int create(void **state)
{
    (void)handling_setup(state);
    folder_create(&folder);
    (void)snprintf(uploads, sizeof(uploads), "%s/uploads", folder.path);
    handling.config.limits.body_bytes = 1000000;
    handling.config.limits.json_depth = 3;
    handling.config.limits.json_values = 100;
    handling.config.limits.batch_lines = 5;
    handling.config.uploads.durability = (char *)"none";
    handling.config.uploads_as_written = (char *)"resources/uploads";
    return error_log_open("off", LOG_ERROR) == 0 ? open_store(0) : -1;
}

static int destroy(void **state)
{
    (void)handling_teardown(state);
    error_log_close();
    close_store();
    folder_destroy(&folder);
    return 0;
}

#define UPLOAD_TEST(test) cmocka_unit_test_setup_teardown(test, create, destroy)

/* --- a request, as server/service.c hands it on --------------------------------------------- */

static enum http_status begin(const char *head)
{
    assert_int_equal(handling_resolve(head), HTTP_GO_ON);
    assert_ptr_equal(handling.request.handler, &upload_handler);
    upload_handler.open(&handling.request);
    return handling.exchange.response.status;
}

static void take(const char *bytes, size_t len)
{
    upload_handler.take(&handling.exchange, (struct slice){bytes, len});
}

static void finish(void)
{
    upload_handler.close(&handling.exchange);
    assert_null(handling.exchange.data);
}

/* The rest of the request, in two pieces. */
static enum http_status send_in_two(const char *bytes, size_t len, size_t first_len)
{
    if (first_len > 0)
        take(bytes, first_len);
    if (first_len < len)
        take(bytes + first_len, len - first_len);
    upload_handler.complete(&handling.request);
    finish();
    return handling.exchange.response.status;
}

static enum http_status post(const char *content)
{
    assert_int_equal(begin(POST JSON LENGTH(1) "\r\n"), HTTP_GO_ON);
    return send_in_two(content, strlen(content), strlen(content));
}

/* --- the store ------------------------------------------------------------------------------ */

static size_t count_entries(const char *path)
{
    DIR *entries = opendir(path);
    size_t count = 0;
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    assert_int_equal(closedir(entries), 0);
    return count;
}

/* Neither more documents, nor a temporary file. */
static void assert_documents(size_t count)
{
    char housekeeping[80];
    (void)snprintf(housekeeping, sizeof(housekeeping), "%s/.tarn", uploads);
    assert_int_equal(count_entries(uploads), count + 1);
    assert_int_equal(count_entries(housekeeping), 1); /* the keys */
}

/* The name of the document that has been stored, from the Location. */
static const char *stored_name(void)
{
    static char name[STORE_NAME_SIZE];
    static const char begins[] = "\r\nLocation: /uploads/";
    const char *location = strstr(handling_head(), begins);
    assert_non_null(location);
    location += sizeof(begins) - 1;
    size_t len = strcspn(location, "\r");
    assert_in_range(len, 1, sizeof(name) - 1);
    memcpy(name, location, len);
    name[len] = '\0';
    return name;
}

static void assert_stored(const char *bytes, size_t len)
{
    char *stored = malloc(len + 1);
    int file = store_open_document(store, stored_name());
    assert_non_null(stored);
    assert_true(file >= 0);
    assert_int_equal(read(file, stored, len + 1), len);
    assert_memory_equal(stored, bytes, len);
    assert_int_equal(close(file), 0);
    free(stored);
}

/* A string of so many bytes, quotes included. The caller's. */
static char *make_document(size_t len)
{
    char *document = malloc(len);
    assert_non_null(document);
    memset(document, 'x', len);
    document[0] = document[len - 1] = '"';
    return document;
}

/* Grows while an upload is in a file: one without a name is seen by its descriptor only. */
static int lowest_descriptor(void)
{
    int fd = open("/", O_PATH | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    return fd;
}

/* --- what is stored ------------------------------------------------------------------------- */

static void upload_valid_json_is_stored_byte_for_byte(void **state)
{
    static const char *const documents[] = {
        "{}", "0", " [1, 2,\r\n\t3 ] \n", "{\"a\":1,\"a\":2}", "\"\xc3\xa9 \\u00e9\"", "1e999",
    };
    (void)state;
    for (size_t i = 0; i < ROWS(documents); i++) {
        assert_int_equal(post(documents[i]), HTTP_CREATED);
        assert_stored(documents[i], strlen(documents[i]));
        assert_documents(i + 1);
    }
}

static void upload_is_the_same_at_every_split(void **state)
{
    static const char content[] =
        " {\"a\\n\": [-1.5e+3, true, null], \"\xf0\x9f\x98\x80\": \"x\"}\n";
    const size_t len = sizeof(content) - 1;
    (void)state;
    for (size_t split = 0; split <= len; split++) {
        assert_int_equal(begin(POST JSON CHUNKED "\r\n"), HTTP_GO_ON);
        assert_int_equal(send_in_two(content, len, split), HTTP_CREATED);
        assert_stored(content, len);
    }
    assert_documents(len + 1);
}

static void upload_byte_by_byte_is_stored(void **state)
{
    static const char content[] = "{\"name\": [\"\\ud83d\\ude00\", false]}";
    (void)state;
    assert_int_equal(begin(POST JSON CHUNKED "\r\n"), HTTP_GO_ON);
    for (size_t i = 0; i < sizeof(content) - 1; i++)
        take(content + i, 1);
    assert_int_equal(send_in_two(NULL, 0, 0), HTTP_CREATED);
    assert_stored(content, sizeof(content) - 1);
}

static void upload_beyond_its_memory_goes_to_a_file_as_it_comes(void **state)
{
    static const size_t lengths[] = {MEMORY_BYTES - 1, MEMORY_BYTES, MEMORY_BYTES + 1, 200000};
    (void)state;
    for (size_t i = 0; i < ROWS(lengths); i++) {
        char *document = make_document(lengths[i]);
        int lowest = lowest_descriptor();
        assert_int_equal(begin(POST JSON CHUNKED "\r\n"), HTTP_GO_ON);
        take(document, MEMORY_BYTES - 1);
        assert_int_equal(lowest_descriptor(), lowest);
        take(document + MEMORY_BYTES - 1, lengths[i] - (MEMORY_BYTES - 1));
        assert_int_equal(lowest_descriptor() != lowest, lengths[i] > MEMORY_BYTES);
        assert_documents(i);
        assert_int_equal(send_in_two(NULL, 0, 0), HTTP_CREATED);
        assert_stored(document, lengths[i]);
        assert_int_equal(lowest_descriptor(), lowest);
        free(document);
    }
    assert_documents(ROWS(lengths));
}

static void upload_that_grows_beyond_its_memory_is_whole_at_every_piece(void **state)
{
    static const size_t pieces[] = {1023, 1024, 1025, 8192, 50000};
    const size_t len = 150000;
    (void)state;
    for (size_t i = 0; i < ROWS(pieces); i++) {
        char *document = make_document(len);
        assert_int_equal(begin(POST JSON CHUNKED "\r\n"), HTTP_GO_ON);
        for (size_t at = 0; at < len; at += pieces[i])
            take(document + at, len - at < pieces[i] ? len - at : pieces[i]);
        assert_int_equal(send_in_two(NULL, 0, 0), HTTP_CREATED);
        assert_stored(document, len);
        free(document);
    }
}

/* --- the answer ----------------------------------------------------------------------------- */

static void assert_string_member(const cJSON *object, const char *name, const char *value)
{
    const char *string = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    assert_non_null(string);
    assert_string_equal(string, value);
}

static void assert_number_member(const cJSON *object, const char *name, int value)
{
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(object, name);
    assert_true(cJSON_IsNumber(number));
    assert_int_equal(number->valueint, value);
}

static void upload_is_answered_with_a_receipt(void **state)
{
    static const struct {
        const char *directory;
        const char *shown;
    } rows[] = {
        {"resources/uploads", "resources/uploads"},
        {"elsewhere", "elsewhere"},
        {"/srv/secret/place", "uploads"}, /* never a path of the machine */
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char path[STORE_NAME_SIZE + 32];
        handling.config.uploads_as_written = (char *)rows[i].directory;
        assert_int_equal(post("[1]"), HTTP_CREATED);
        assert_line("Content-Type: application/json");
        (void)snprintf(path, sizeof(path), "%s/%s", rows[i].shown, stored_name());
        cJSON *receipt = cJSON_Parse(handling_content());
        assert_int_equal(cJSON_GetArraySize(receipt), 4);
        assert_string_member(receipt, "path", path);
        assert_string_member(receipt, "name", stored_name());
        assert_number_member(receipt, "bytes", 3);
        assert_string_member(receipt, "durability", "none");
        cJSON_Delete(receipt);
    }
}

/* It is on the disk, so that nothing else may be said. */
static void upload_without_memory_for_the_receipt_is_created_all_the_same(void **state)
{
    bool whole = false;
    unsigned count = 0;
    (void)state;
    for (; !whole && count < 100; count++) {
        failing_cjson_after(count);
        enum http_status status = post("[1]");
        failing_cjson_end();
        assert_int_equal(status, HTTP_CREATED);
        assert_stored("[1]", 3);
        whole = strcmp(handling_content(), "{}") != 0;
    }
    assert_in_range(count, 5, 99); /* it has failed at several places before */
    assert_documents(count);
}

static void upload_wrong_json_is_told_with_its_place(void **state)
{
    static const struct {
        const char *content;
        int line, column, offset;
        const char *expected;
    } rows[] = {
        {"{\"a\":}", 1, 6, 5, "a value"},
        {"[1,\n 02]", 2, 3, 6, NULL},
        {"[\"\xc3\xa9\" x]", 1, 6, 6, NULL},
        {"[[[[", 1, 4, 3, "at most 3 levels of nesting"},
        {"[1", 1, 3, 2, NULL}, /* ends too early */
        {"", 1, 1, 0, "a value"},
        {"\xef\xbb\xbf{}", 1, 1, 0, NULL},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        assert_int_equal(post(rows[i].content), HTTP_BAD_REQUEST);
        assert_line("Content-Type: application/problem+json");
        assert_false(handling.exchange.response.close);
        cJSON *problem = cJSON_Parse(handling_content());
        assert_number_member(problem, "status", 400);
        assert_number_member(problem, "line", rows[i].line);
        assert_number_member(problem, "column", rows[i].column);
        assert_number_member(problem, "offset", rows[i].offset);
        if (rows[i].expected)
            assert_string_member(problem, "expected", rows[i].expected);
        cJSON_Delete(problem);
    }
    assert_documents(0);
}

/* What comes behind a fault is read and forgotten; the place told is that of the fault. */
static void upload_after_a_fault_keeps_nothing(void **state)
{
    char *document = make_document(MEMORY_BYTES + 100);
    int lowest = lowest_descriptor();
    (void)state;
    assert_int_equal(begin(POST JSON CHUNKED "\r\n"), HTTP_GO_ON);
    take(document, MEMORY_BYTES + 100);
    assert_int_not_equal(lowest_descriptor(), lowest);
    take("!", 1);
    assert_int_equal(lowest_descriptor(), lowest);
    assert_false(handling.exchange.may_block);
    take(document, MEMORY_BYTES + 100);
    assert_int_equal(lowest_descriptor(), lowest);
    assert_int_equal(send_in_two("[]", 2, 1), HTTP_BAD_REQUEST);
    assert_non_null(strstr(handling_content(), "\"offset\":65636,"));
    assert_documents(0);
    free(document);
}

/* --- keys and digests ----------------------------------------------------------------------- */

#define KEYED(key) POST JSON LENGTH(1) "Idempotency-Key: " key "\r\n\r\n"

static enum http_status post_with(const char *head, const char *content)
{
    enum http_status status = begin(head);
    return status != HTTP_GO_ON ? status : send_in_two(content, strlen(content), 0);
}

static void upload_repeated_with_its_key_is_answered_as_before(void **state)
{
    char name[STORE_NAME_SIZE];
    (void)state;
    assert_int_equal(post_with(KEYED("\"k\""), "[1]"), HTTP_CREATED);
    (void)snprintf(name, sizeof(name), "%s", stored_name());
    assert_int_equal(open_store(0), 0); /* as after a restart */
    assert_int_equal(post_with(KEYED("k"), "[1]"), HTTP_CREATED);
    assert_string_equal(stored_name(), name);
    assert_int_equal(post_with(KEYED("k"), "[2]"), HTTP_UNPROCESSABLE_CONTENT);
    assert_int_equal(post_with(KEYED("k"), "[1"), HTTP_BAD_REQUEST);
    assert_int_equal(post_with(KEYED("other"), "[1]"), HTTP_CREATED);
    assert_string_not_equal(stored_name(), name);
    assert_documents(2);
}

/* The document that has the name is somebody else's: as after a crash before the commit. */
static void upload_key_for_other_bytes_on_the_disk_is_unknown(void **state)
{
    char path[160];
    (void)state;
    assert_int_equal(post_with(KEYED("k"), "[1]"), HTTP_CREATED);
    (void)snprintf(path, sizeof(path), "%s/%s", uploads, stored_name());
    int file = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(file, "2", 1, 1), 1);
    assert_int_equal(close(file), 0);
    assert_int_equal(post_with(KEYED("k"), "[1]"), HTTP_CREATED);
    assert_stored("[1]", 3);
    assert_documents(2);
}

static void upload_key_in_flight_is_a_conflict(void **state)
{
    (void)state;
    assert_int_equal(begin(KEYED("k")), HTTP_GO_ON);
    void *first = handling.exchange.data;
    handling.exchange.data = NULL;
    assert_int_equal(begin(KEYED("k")), HTTP_CONFLICT);
    assert_null(handling.exchange.data);
    assert_line("Retry-After: 1");
    assert_int_equal(post_with(KEYED("another"), "[1]"), HTTP_CREATED);
    handling.exchange.data = first;
    finish();
    assert_int_equal(post_with(KEYED("k"), "[1]"), HTTP_CREATED);
}

/* The answer may still be on its way when the client has read it and comes again. */
static void upload_key_is_free_once_the_answer_is_made(void **state)
{
    static const struct {
        const char *content;
        enum http_status status;
    } rows[] = {
        {"[1", HTTP_BAD_REQUEST}, {"[1]", HTTP_CREATED},
        {"[1]", HTTP_CREATED},    {"[2]", HTTP_UNPROCESSABLE_CONTENT},
        {"[1]", HTTP_CREATED},
    };
    void *before[ROWS(rows)];
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        assert_int_equal(begin(KEYED("k")), HTTP_GO_ON);
        take(rows[i].content, strlen(rows[i].content));
        upload_handler.complete(&handling.request);
        assert_int_equal(handling.exchange.response.status, rows[i].status);
        before[i] = handling.exchange.data;
        handling.exchange.data = NULL;
    }
    for (size_t i = 0; i < ROWS(rows); i++) {
        handling.exchange.data = before[i];
        finish();
    }
    assert_documents(1);
}

static void upload_without_keys_does_not_heed_the_field(void **state)
{
    (void)state;
    handling.site.keys = NULL;
    assert_int_equal(post_with(KEYED("k"), "[1]"), HTTP_CREATED);
    assert_int_equal(post_with(KEYED("k"), "[2]"), HTTP_CREATED);
    assert_int_equal(post_with(KEYED(""), "[2]"), HTTP_CREATED);
    assert_documents(3);
}

/* Of "[1]". */
#define DIGEST_OF_1 "sha-256=:CAqe1ChVnvYCZotMAPEU8aEcP2sCpDXwvcFUV45NfyI=:"

static void upload_digest_is_verified_and_told(void **state)
{
    (void)state;
    const char *head = POST JSON LENGTH(1) "Content-Digest: " DIGEST_OF_1 "\r\n"
                                           "Want-Repr-Digest: sha-256=1\r\n\r\n";
    assert_int_equal(post_with(head, "[2]"), HTTP_BAD_REQUEST);
    assert_documents(0);
    assert_int_equal(post_with(head, "[1]"), HTTP_CREATED);
    cJSON *receipt = cJSON_Parse(handling_content());
    assert_string_member(receipt, "digest", DIGEST_OF_1);
    cJSON_Delete(receipt);
    assert_documents(1);
}

/* --- what is refused before any content is read --------------------------------------------- */

static void upload_is_refused_by_its_head(void **state)
{
    static const struct {
        const char *head;
        enum http_status status;
    } rows[] = {
        {POST LENGTH(2) "\r\n", HTTP_UNSUPPORTED_MEDIA_TYPE},
        {POST "Content-Type: text/plain\r\n" LENGTH(2) "\r\n", HTTP_UNSUPPORTED_MEDIA_TYPE},
        {POST "Content-Type: application/json; charset=latin1\r\n" LENGTH(2) "\r\n",
         HTTP_UNSUPPORTED_MEDIA_TYPE},
        {POST "Content-Type: application/jsonp\r\n" LENGTH(2) "\r\n", HTTP_UNSUPPORTED_MEDIA_TYPE},
        {POST JSON "\r\n", HTTP_LENGTH_REQUIRED},
        {POST JSON LENGTH(1000001) "\r\n", HTTP_CONTENT_TOO_LARGE},
        {POST JSON LENGTH(9223372036854775807) "\r\n", HTTP_CONTENT_TOO_LARGE},
        /* The media type comes before the length. */
        {POST "\r\n", HTTP_UNSUPPORTED_MEDIA_TYPE},
        {POST LENGTH(1000001) "\r\n", HTTP_UNSUPPORTED_MEDIA_TYPE},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        enum http_status status = begin(rows[i].head);
        if (status != rows[i].status)
            fail_msg("%d: %s", (int)status, rows[i].head);
        assert_null(handling.exchange.data);
        assert_line("Content-Type: application/problem+json");
        /* Without a length nobody knows where the next request begins. */
        assert_int_equal(handling.exchange.response.close, status == HTTP_LENGTH_REQUIRED);
    }
    assert_documents(0);
}

static void upload_is_taken_by_its_head(void **state)
{
    static const char *const heads[] = {
        POST JSON LENGTH(999999) "\r\n",
        POST JSON LENGTH(1000000) "\r\n",
        POST JSON LENGTH(0) "\r\n",
        POST JSON CHUNKED "\r\n",
        POST "content-type: Application/JSON;charset=\"UTF-8\"\r\n" LENGTH(2) "\r\n",
    };
    (void)state;
    for (size_t i = 0; i < ROWS(heads); i++) {
        if (begin(heads[i]) != HTTP_GO_ON)
            fail_msg("%s", heads[i]);
        assert_non_null(handling.exchange.data);
        finish();
    }
}

static void upload_to_a_full_disk_is_refused(void **state)
{
    static const char *const heads[] = {POST JSON LENGTH(2) "\r\n", POST JSON CHUNKED "\r\n"};
    (void)state;
    assert_int_equal(open_store(UINT64_MAX / 2), 0);
    for (size_t i = 0; i < ROWS(heads); i++) {
        assert_int_equal(begin(heads[i]), HTTP_INSUFFICIENT_STORAGE);
        assert_null(handling.exchange.data);
    }
    assert_documents(0);
}

static void upload_without_memory_is_unavailable(void **state)
{
    (void)state;
    assert_int_equal(handling_resolve(POST JSON LENGTH(2) "\r\n"), HTTP_GO_ON);
    failing_memory_after(0);
    upload_handler.open(&handling.request);
    assert_true(failing_memory_end());
    assert_int_equal(handling.exchange.response.status, HTTP_SERVICE_UNAVAILABLE);
    assert_null(handling.exchange.data);
}

/* --- what goes wrong under way -------------------------------------------------------------- */

static void upload_that_outgrows_memory_is_unavailable(void **state)
{
    (void)state;
    assert_int_equal(begin(POST JSON CHUNKED "\r\n"), HTTP_GO_ON);
    failing_memory_after(0);
    take("[", 1);
    assert_true(failing_memory_end());
    assert_false(handling.exchange.may_block);
    assert_int_equal(send_in_two("1]", 2, 1), HTTP_SERVICE_UNAVAILABLE);
    assert_documents(0);
}

/* The store writes no file longer than this. */
static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void upload_whose_write_fails_is_an_error(void **state)
{
    static const size_t lengths[] = {1000, MEMORY_BYTES + 1}; /* at its end, and as it comes */
    (void)state;
    assert_ptr_not_equal(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
    for (size_t i = 0; i < ROWS(lengths); i++) {
        char *document = make_document(lengths[i]);
        int lowest = lowest_descriptor();
        assert_int_equal(begin(POST JSON CHUNKED "\r\n"), HTTP_GO_ON);
        limit_file_size(100);
        enum http_status status = send_in_two(document, lengths[i], lengths[i] - 1);
        limit_file_size(RLIM_INFINITY);
        assert_int_equal(status, HTTP_INTERNAL_SERVER_ERROR);
        assert_int_equal(lowest_descriptor(), lowest);
        assert_documents(0);
        free(document);
    }
}

/* --- memory that runs out ------------------------------------------------------------------- */

static const struct {
    const char *label;
    const char *head;
    const char *content;
    size_t documents; /* that it becomes; 0: it is wrong */
} shapes[] = {
    {"document", POST JSON LENGTH(1) "\r\n", "[1,2,3]", 1},
    {"document with a key", POST JSON LENGTH(1) "Idempotency-Key: key\r\n\r\n", "[1,2,3]", 1},
    {"batch", POST NDJSON LENGTH(1) "\r\n", "1\n2\n3\n", 3},
    {"batch with a key", POST NDJSON LENGTH(1) "Idempotency-Key: key\r\n\r\n", "1\n2\n3\n", 3},
    {"wrong document", POST JSON LENGTH(1) "\r\n", "[1,", 0},
    {"wrong batch", POST NDJSON LENGTH(1) "Idempotency-Key: key\r\n\r\n", "1\n2\n[\n", 0},
};

/* The whole request; what cJSON allocates is told apart, so that the n-th failure is the same. */
static enum http_status post_shape(size_t shape, size_t first_len)
{
    enum http_status status = begin(shapes[shape].head);
    const char *content = shapes[shape].content;
    return status != HTTP_GO_ON ? status : send_in_two(content, strlen(content), first_len);
}

static void remove_documents(void)
{
    DIR *entries = opendir(uploads);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        if (entry->d_name[0] != '.')
            assert_int_equal(unlinkat(dirfd(entries), entry->d_name, 0), 0);
    assert_int_equal(closedir(entries), 0);
}

/* Lets the n-th allocation of the project fail, for each n: what is answered is true. */
static void upload_without_memory_anywhere_says_what_is_true(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(shapes); i++) {
        bool has_failed = true;
        unsigned count = 0;
        for (; has_failed && count < 100; count++) {
            assert_int_equal(handling_resolve(shapes[i].head), HTTP_GO_ON);
            failing_memory_after(count);
            enum http_status status = post_shape(i, 2);
            has_failed = failing_memory_end();
            bool is_stored = status == HTTP_CREATED;
            if (!is_stored && status != HTTP_SERVICE_UNAVAILABLE &&
                (status != HTTP_BAD_REQUEST || shapes[i].documents > 0))
                fail_msg("%s, allocation %u: %d", shapes[i].label, count, (int)status);
            assert_documents(is_stored ? shapes[i].documents : 0);
            if (is_stored)
                assert_stored(shapes[i].documents == 1 ? shapes[i].content : "1",
                              shapes[i].documents == 1 ? strlen(shapes[i].content) : 1);
            remove_documents();
        }
        if (count < 2 || count == 100)
            fail_msg("%s: %u", shapes[i].label, count);
    }
}

/* The same for the allocations of cJSON: they only serve the answer. */
static void upload_without_memory_for_the_answer_keeps_its_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(shapes); i++) {
        size_t whole_len = 0;
        for (unsigned count = 100; count-- > 0;) {
            failing_cjson_after(count);
            enum http_status status = post_shape(i, 2);
            failing_cjson_end();
            assert_int_equal(status, shapes[i].documents > 0 ? HTTP_CREATED : HTTP_BAD_REQUEST);
            assert_documents(shapes[i].documents);
            size_t len = strlen(handling_content());
            assert_in_range(len, 2, whole_len > 0 ? whole_len : len);
            whole_len = whole_len > 0 ? whole_len : len;
            remove_documents();
        }
    }
}

/* --- the client that goes away -------------------------------------------------------------- */

static void upload_given_up_at_any_stage_leaves_nothing(void **state)
{
    static const size_t lengths[] = {0, 1, 2000, MEMORY_BYTES, MEMORY_BYTES + 1, 200000};
    char *document = make_document(200000);
    int lowest = lowest_descriptor();
    (void)state;
    for (size_t i = 0; i < ROWS(lengths); i++) {
        assert_int_equal(begin(POST JSON CHUNKED "\r\n"), HTTP_GO_ON);
        if (lengths[i] > 0)
            take(document, lengths[i]);
        finish();
        assert_int_equal(lowest_descriptor(), lowest);
        assert_documents(0);
    }
    free(document);
}

static void upload_given_up_after_a_fault_leaves_nothing(void **state)
{
    (void)state;
    assert_int_equal(begin(POST JSON CHUNKED "\r\n"), HTTP_GO_ON);
    take("[}", 2);
    finish();
    assert_documents(0);
}

/* Only a commit that is synced keeps its worker waiting; what turned out wrong is not committed. */
static void upload_announces_that_it_blocks_if_it_will_be_synced(void **state)
{
    (void)state;
    assert_int_equal(begin(POST JSON CHUNKED "\r\n"), HTTP_GO_ON);
    assert_false(handling.exchange.may_block);
    upload_handler.close(&handling.exchange);

    struct store *durable =
        store_open(&(struct store_options){.directory = uploads, .durability = STORE_DURABLE});
    assert_non_null(durable);
    handling.site.store = durable;
    assert_int_equal(begin(POST JSON CHUNKED "\r\n"), HTTP_GO_ON);
    assert_true(handling.exchange.may_block);
    take("!", 1);
    assert_false(handling.exchange.may_block);
    upload_handler.close(&handling.exchange);
    store_close(durable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UPLOAD_TEST(upload_valid_json_is_stored_byte_for_byte),
        UPLOAD_TEST(upload_is_the_same_at_every_split),
        UPLOAD_TEST(upload_byte_by_byte_is_stored),
        UPLOAD_TEST(upload_beyond_its_memory_goes_to_a_file_as_it_comes),
        UPLOAD_TEST(upload_that_grows_beyond_its_memory_is_whole_at_every_piece),
        UPLOAD_TEST(upload_is_answered_with_a_receipt),
        UPLOAD_TEST(upload_without_memory_for_the_receipt_is_created_all_the_same),
        UPLOAD_TEST(upload_wrong_json_is_told_with_its_place),
        UPLOAD_TEST(upload_after_a_fault_keeps_nothing),
        UPLOAD_TEST(upload_repeated_with_its_key_is_answered_as_before),
        UPLOAD_TEST(upload_key_for_other_bytes_on_the_disk_is_unknown),
        UPLOAD_TEST(upload_key_in_flight_is_a_conflict),
        UPLOAD_TEST(upload_key_is_free_once_the_answer_is_made),
        UPLOAD_TEST(upload_without_keys_does_not_heed_the_field),
        UPLOAD_TEST(upload_digest_is_verified_and_told),
        UPLOAD_TEST(upload_is_refused_by_its_head),
        UPLOAD_TEST(upload_is_taken_by_its_head),
        UPLOAD_TEST(upload_to_a_full_disk_is_refused),
        UPLOAD_TEST(upload_without_memory_is_unavailable),
        UPLOAD_TEST(upload_that_outgrows_memory_is_unavailable),
        UPLOAD_TEST(upload_whose_write_fails_is_an_error),
        UPLOAD_TEST(upload_without_memory_anywhere_says_what_is_true),
        UPLOAD_TEST(upload_without_memory_for_the_answer_keeps_its_status),
        UPLOAD_TEST(upload_given_up_at_any_stage_leaves_nothing),
        UPLOAD_TEST(upload_given_up_after_a_fault_leaves_nothing),
        UPLOAD_TEST(upload_announces_that_it_blocks_if_it_will_be_synced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
