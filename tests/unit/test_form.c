/* POST /form, without a connection: what is right is stored as one record and its files, however it
 * comes, and what is not leaves nothing in either store.
 */
#include "server/handlers/form.h"
#include "server/handlers/form_entries.h"
#include "server/handlers/form_files.h"
#include "server/log/error_log.h"
#include "server/store/store.h"
#include "tests/support/failing_cjson.h"
#include "tests/support/failing_memory.h"
#include "tests/unit/folder.h"
#include "tests/unit/handling.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

#define POST               "POST /form HTTP/1.1\r\n" HOST
#define URLENCODED         "Content-Type: application/x-www-form-urlencoded\r\n"
#define MULTIPART          "Content-Type: multipart/form-data; boundary=b\r\n"
#define LENGTH(number)     "Content-Length: " #number "\r\n"
#define CHUNKED            "Transfer-Encoding: chunked\r\n"

#define DISPOSITION        "--b\r\nContent-Disposition: form-data; name="
#define FIELD(name, value) DISPOSITION #name "\r\n\r\n" value "\r\n"
#define FILE_PART(name, filename, bytes)                                                           \
    DISPOSITION #name "; filename=\"" filename "\"\r\nContent-Type: text/plain\r\n\r\n" bytes "\r" \
                      "\n"
#define LAST       "--b--\r\n"

#define BODY_BYTES 100000
#define FILE_BYTES 20000

static struct folder folder;
static char uploads[64];
static char files[64];

static struct store *open_store(const char *directory, uint64_t max_files)
{
    struct store *store = store_open(&(struct store_options){
        .directory = directory, .durability = STORE_UNSYNCED, .max_files = max_files});
    assert_non_null(store);
    return store;
}

static int create(void **state)
{
    (void)handling_setup(state);
    folder_create(&folder);
    (void)snprintf(uploads, sizeof(uploads), "%s/uploads", folder.path);
    (void)snprintf(files, sizeof(files), "%s/files", folder.path);
    handling.config.limits.body_bytes = BODY_BYTES;
    handling.config.limits.file_bytes = FILE_BYTES;
    handling.config.uploads.durability = (char *)"none";
    handling.config.uploads_as_written = (char *)"resources/uploads";
    handling.site.store = open_store(uploads, 0);
    handling.site.files = open_store(files, 0);
    return error_log_open("off", LOG_ERROR);
}

static int destroy(void **state)
{
    (void)handling_teardown(state);
    error_log_close();
    store_close(handling.site.store);
    store_close(handling.site.files);
    folder_destroy(&folder);
    return 0;
}

#define FORM_TEST(test) cmocka_unit_test_setup_teardown(test, create, destroy)

/* --- a request, as server/service.c hands it on --------------------------------------------- */

static enum http_status begin(const char *head)
{
    assert_int_equal(handling_resolve(head), HTTP_GO_ON);
    assert_ptr_equal(handling.request.handler, &form_handler);
    handling.exchange.data = NULL;
    form_handler.open(&handling.request);
    return handling.exchange.response.status;
}

static void take(const char *bytes, size_t len)
{
    if (len > 0)
        form_handler.take(&handling.exchange, (struct slice){bytes, len});
}

static enum http_status complete(void)
{
    assert_int_equal(form_handler.give_up(&handling.exchange), HTTP_GO_ON);
    form_handler.complete(&handling.request);
    form_handler.close(&handling.exchange);
    assert_null(handling.exchange.data);
    return handling.exchange.response.status;
}

static enum http_status post_bytes(const char *head, const char *content, size_t len)
{
    assert_int_equal(begin(head), HTTP_GO_ON);
    take(content, len);
    return complete();
}

static enum http_status post_urlencoded(const char *content)
{
    return post_bytes(POST URLENCODED CHUNKED "\r\n", content, strlen(content));
}

static enum http_status post_multipart(const char *content)
{
    return post_bytes(POST MULTIPART CHUNKED "\r\n", content, strlen(content));
}

/* --- the stores ----------------------------------------------------------------------------- */

/* Entries that a client could see, or, in the housekeeping folder, temporary ones. */
static size_t count_entries(const char *path, bool temporary)
{
    DIR *entries = opendir(path);
    size_t count = 0;
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        count += temporary ? strncmp(entry->d_name, "tmp_", 4) == 0 : entry->d_name[0] != '.';
    assert_int_equal(closedir(entries), 0);
    return count;
}

/* A store with limits writes its figures to a temporary file now and then, which is soon gone. */
static void assert_nothing_temporary(const char *path)
{
    char housekeeping[80];
    (void)snprintf(housekeeping, sizeof(housekeeping), "%s/.tarn", path);
    for (int tries = 0; count_entries(housekeeping, true) > 0; tries++) {
        assert_in_range(tries, 0, 10000);
        (void)usleep(1000);
    }
}

static void assert_stored(size_t record_count, size_t file_count)
{
    assert_int_equal(count_entries(uploads, false), record_count);
    assert_int_equal(count_entries(files, false), file_count);
    assert_nothing_temporary(uploads);
    assert_nothing_temporary(files);
}

/* Grows while something is in a file that has no name. */
static int lowest_descriptor(void)
{
    int fd = open("/", O_PATH | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    return fd;
}

/* All of an object, NUL-terminated; the caller's. */
static char *read_object(const struct store *store, const char *name, size_t *out_len)
{
    struct stat stat;
    int file = store_open_document(store, name);
    assert_true(file >= 0);
    assert_int_equal(fstat(file, &stat), 0);
    char *bytes = malloc((size_t)stat.st_size + 1);
    assert_non_null(bytes);
    assert_int_equal(read(file, bytes, (size_t)stat.st_size), stat.st_size);
    bytes[stat.st_size] = '\0';
    *out_len = (size_t)stat.st_size;
    assert_int_equal(close(file), 0);
    return bytes;
}

/* What stands behind this in the line of the Location. */
static const char *location(const char *folder_of_it)
{
    static char name[STORE_NAME_SIZE];
    char begins[64];
    (void)snprintf(begins, sizeof(begins), "\r\nLocation: %s", folder_of_it);
    const char *found = strstr(handling_head(), begins);
    assert_non_null(found);
    found += strlen(begins);
    size_t len = strcspn(found, "\r");
    assert_in_range(len, 1, sizeof(name) - 1);
    memcpy(name, found, len);
    name[len] = '\0';
    return name;
}

static const char *string_of(const cJSON *object, const char *name)
{
    const char *string =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive((cJSON *)object, name));
    assert_non_null(string);
    return string;
}

/* The record that has been stored is this text. */
static void assert_record(const char *expected)
{
    size_t len;
    char *record = read_object(handling.site.store, location("/uploads/"), &len);
    if (strcmp(record, expected) != 0)
        fail_msg("%s\n%s", record, expected);
    free(record);
}

/* The record; the caller deletes it. */
static cJSON *read_record(void)
{
    size_t len;
    char *text = read_object(handling.site.store, location("/uploads/"), &len);
    cJSON *record = cJSON_Parse(text);
    assert_non_null(record);
    free(text);
    return record;
}

static void assert_file(const cJSON *file, const char *filename, const char *bytes, size_t len)
{
    size_t stored_len;
    char path[256];
    char *stored = read_object(handling.site.files, string_of(file, "name"), &stored_len);
    assert_int_equal(stored_len, len);
    assert_memory_equal(stored, bytes, len);
    free(stored);
    assert_string_equal(string_of(file, "filename"), filename);
    (void)snprintf(path, sizeof(path), "/files/%s", string_of(file, "name"));
    assert_string_equal(string_of(file, "path"), path);
    assert_int_equal(cJSON_GetObjectItem(file, "bytes")->valuedouble, len);
}

/* --- fields --------------------------------------------------------------------------------- */

static void form_urlencoded_fields_become_a_record(void **state)
{
    static const struct {
        const char *content;
        const char *record;
    } rows[] = {
        {"", "{\"fields\":{},\"files\":[]}"},
        {"name=Ada+Lovelace", "{\"fields\":{\"name\":\"Ada Lovelace\"},\"files\":[]}"},
        {"a=1&b=2&a=3&a=", "{\"fields\":{\"a\":[\"1\",\"3\",\"\"],\"b\":\"2\"},\"files\":[]}"},
        {"A=1&a=2", "{\"fields\":{\"A\":\"1\",\"a\":\"2\"},\"files\":[]}"},
        {"a&b=", "{\"fields\":{\"a\":\"\",\"b\":\"\"},\"files\":[]}"},
        {"t=%C3%A9%22%0D%0A", "{\"fields\":{\"t\":\"\xc3\xa9\\\"\\r\\n\"},\"files\":[]}"},
        {"__proto__=1", "{\"fields\":{\"__proto__\":\"1\"},\"files\":[]}"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        assert_int_equal(post_urlencoded(rows[i].content), HTTP_CREATED);
        assert_record(rows[i].record);
        assert_stored(i + 1, 0);
    }
}

static void form_multipart_fields_become_a_record(void **state)
{
    (void)state;
    assert_int_equal(
        post_multipart(FIELD(a, "1") FIELD(b, "x\r\ny") FIELD(a, "2") FIELD(c, "") LAST),
        HTTP_CREATED);
    assert_record("{\"fields\":{\"a\":[\"1\",\"2\"],\"b\":\"x\\r\\ny\",\"c\":\"\"},\"files\":[]}");
    assert_int_equal(post_multipart(LAST), HTTP_CREATED);
    assert_record("{\"fields\":{},\"files\":[]}");
    assert_stored(2, 0);
}

static void form_is_the_same_at_every_split(void **state)
{
    static const char urlencoded[] = "name=Ada+L&c=%C3%A9&c=2";
    static const char multipart[] = FIELD(a, "1") FIELD(b, "\r\n--") LAST;
    (void)state;
    for (size_t split = 0; split < sizeof(urlencoded); split++) {
        assert_int_equal(begin(POST URLENCODED CHUNKED "\r\n"), HTTP_GO_ON);
        take(urlencoded, split);
        take(urlencoded + split, sizeof(urlencoded) - 1 - split);
        assert_int_equal(complete(), HTTP_CREATED);
        assert_record("{\"fields\":{\"name\":\"Ada L\",\"c\":[\"\xc3\xa9\",\"2\"]},\"files\":[]}");
    }
    for (size_t split = 0; split < sizeof(multipart); split++) {
        assert_int_equal(begin(POST MULTIPART CHUNKED "\r\n"), HTTP_GO_ON);
        take(multipart, split);
        take(multipart + split, sizeof(multipart) - 1 - split);
        assert_int_equal(complete(), HTTP_CREATED);
        assert_record("{\"fields\":{\"a\":\"1\",\"b\":\"\\r\\n--\"},\"files\":[]}");
    }
}

static void form_fields_beyond_memory_are_whole(void **state)
{
    static char content[BODY_BYTES];
    int lowest = lowest_descriptor();
    (void)state;
    memset(content, 'x', sizeof(content));
    memcpy(content, "a=1&b=", 6);
    assert_int_equal(begin(POST URLENCODED CHUNKED "\r\n"), HTTP_GO_ON);
    take(content, 60000);
    assert_int_equal(lowest_descriptor(), lowest);
    take(content + 60000, sizeof(content) - 60000);
    assert_int_not_equal(lowest_descriptor(), lowest);
    assert_int_equal(complete(), HTTP_CREATED);
    assert_int_equal(lowest_descriptor(), lowest);
    cJSON *record = read_record();
    const cJSON *fields = cJSON_GetObjectItem(record, "fields");
    assert_string_equal(string_of(fields, "a"), "1");
    assert_int_equal(strlen(string_of(fields, "b")), sizeof(content) - 6);
    cJSON_Delete(record);
}

/* --- files ---------------------------------------------------------------------------------- */

static void form_files_are_stored_under_names_of_their_own(void **state)
{
    (void)state;
    assert_int_equal(post_multipart(FIELD(a, "1") FILE_PART(f, "../../x.TXT", "one\r\n--")
                                        FILE_PART(f, "C:\\\\x.txt", "") FILE_PART(g, "<b>", "two")
                                            LAST),
                     HTTP_CREATED);
    assert_stored(1, 3);
    cJSON *record = read_record();
    const cJSON *list = cJSON_GetObjectItem(record, "files");
    assert_int_equal(cJSON_GetArraySize(list), 3);
    assert_file(cJSON_GetArrayItem(list, 0), "../../x.TXT", "one\r\n--", 7);
    assert_file(cJSON_GetArrayItem(list, 1), "C:\\x.txt", "", 0);
    assert_file(cJSON_GetArrayItem(list, 2), "<b>", "two", 3);
    assert_string_equal(string_of(cJSON_GetArrayItem(list, 0), "field"), "f");
    assert_string_equal(string_of(cJSON_GetArrayItem(list, 2), "type"), "text/plain");
    assert_true(strncmp(string_of(cJSON_GetArrayItem(list, 0), "name"), "x_", 2) == 0);
    cJSON_Delete(record);
}

static void form_file_that_was_not_chosen_is_none(void **state)
{
    (void)state;
    assert_int_equal(post_multipart(FILE_PART(f, "", "") FIELD(a, "1") LAST), HTTP_CREATED);
    assert_record("{\"fields\":{\"a\":\"1\"},\"files\":[]}");
    assert_stored(1, 0);
    assert_int_equal(post_multipart(FILE_PART(f, "", "x") LAST), HTTP_CREATED);
    assert_stored(2, 1);
}

/* A part with parameters that name a file twice is one file, not a field. */
static void form_file_with_an_extended_name_only_is_a_file(void **state)
{
    (void)state;
    assert_int_equal(post_multipart(DISPOSITION "f; filename*=UTF-8''..%2fx\r\n\r\none\r\n" LAST),
                     HTTP_CREATED);
    cJSON *record = read_record();
    const cJSON *file = cJSON_GetArrayItem(cJSON_GetObjectItem(record, "files"), 0);
    assert_file(file, "", "one", 3);
    assert_null(cJSON_GetObjectItem(file, "type"));
    cJSON_Delete(record);
}

/* The content of a file in pieces of this size. */
static enum http_status post_file(size_t len, size_t piece)
{
    static char bytes[FILE_BYTES + 1];
    static const char head[] = DISPOSITION "f; filename=x\r\n\r\n";
    static const char end[] = "\r\n" LAST;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 7 + i / 251);
    assert_int_equal(begin(POST MULTIPART CHUNKED "\r\n"), HTTP_GO_ON);
    take(head, sizeof(head) - 1);
    for (size_t at = 0; at < len; at += piece)
        take(bytes + at, len - at < piece ? len - at : piece);
    enum http_status status = form_handler.give_up(&handling.exchange);
    if (status != HTTP_GO_ON) {
        form_handler.close(&handling.exchange);
        return status;
    }
    take(end, sizeof(end) - 1);
    status = complete();
    cJSON *record = read_record();
    assert_file(cJSON_GetArrayItem(cJSON_GetObjectItem(record, "files"), 0), "x", bytes, len);
    cJSON_Delete(record);
    return status;
}

static void form_file_is_whole_in_pieces_of_any_size(void **state)
{
    static const size_t pieces[] = {1,
                                    1000,
                                    FORM_FILES_BUFFER_BYTES - 1,
                                    FORM_FILES_BUFFER_BYTES,
                                    FORM_FILES_BUFFER_BYTES + 1,
                                    FILE_BYTES};
    (void)state;
    for (size_t i = 0; i < ROWS(pieces); i++)
        assert_int_equal(post_file(FILE_BYTES, pieces[i]), HTTP_CREATED);
    assert_stored(ROWS(pieces), ROWS(pieces));
}

static void form_file_over_its_limit_is_413_at_once(void **state)
{
    (void)state;
    assert_int_equal(post_file(FILE_BYTES - 1, 999), HTTP_CREATED);
    assert_int_equal(post_file(FILE_BYTES, 999), HTTP_CREATED);
    assert_int_equal(post_file(FILE_BYTES + 1, 999), HTTP_CONTENT_TOO_LARGE);
    assert_stored(2, 2);
    handling.config.limits.file_bytes = 0;
    assert_int_equal(post_file(FILE_BYTES + 1, 999), HTTP_CREATED);
}

static void form_with_a_file_is_403_where_none_are_taken(void **state)
{
    struct store *store = handling.site.files;
    (void)state;
    handling.site.files = NULL;
    assert_int_equal(post_multipart(FIELD(a, "1") FILE_PART(f, "x", "one") LAST), HTTP_FORBIDDEN);
    assert_non_null(strstr(handling_content(), "takes no files"));
    assert_int_equal(post_multipart(FILE_PART(f, "x", "") LAST), HTTP_FORBIDDEN);
    assert_int_equal(post_multipart(FIELD(a, "1") FILE_PART(f, "", "") LAST), HTTP_CREATED);
    assert_int_equal(post_urlencoded("a=1"), HTTP_CREATED);
    handling.site.files = store;
    assert_stored(2, 0);
}

/* Row E18. */
static void form_of_many_files_holds_a_limited_number_of_descriptors(void **state)
{
    static char content[65536];
    int lowest = lowest_descriptor();
    (void)state;
    for (size_t count = MULTIPART_PARTS_MAX; count <= MULTIPART_PARTS_MAX + 1; count++) {
        struct text text = text_over(content, sizeof(content));
        for (size_t i = 0; i < count; i++)
            text_append(&text, SLICE(FILE_PART(f, "x", "one")));
        text_append(&text, SLICE(LAST));
        assert_int_equal(post_bytes(POST MULTIPART CHUNKED "\r\n", text.data, text.len),
                         count <= MULTIPART_PARTS_MAX ? HTTP_CREATED : HTTP_BAD_REQUEST);
        assert_int_equal(lowest_descriptor(), lowest);
    }
    assert_stored(1, MULTIPART_PARTS_MAX);
}

static void form_files_of_all_forms_are_limited(void **state)
{
    static struct form_files forms[FORM_FILES_MORE_MAX / (MULTIPART_PARTS_MAX - 1) + 2];
    unsigned more = 0;
    (void)state;
    for (size_t i = 0; i < ROWS(forms); i++) {
        forms[i] = (struct form_files){.store = handling.site.files};
        assert_int_equal(form_files_begin(&forms[i]).status, HTTP_GO_ON);
        while (forms[i].count < MULTIPART_PARTS_MAX &&
               form_files_begin(&forms[i]).status == HTTP_GO_ON)
            more++;
    }
    assert_int_equal(more, FORM_FILES_MORE_MAX);
    assert_int_equal(form_files_begin(&forms[ROWS(forms) - 1]).status, HTTP_SERVICE_UNAVAILABLE);
    form_files_discard(&forms[0]);
    assert_int_equal(form_files_begin(&forms[ROWS(forms) - 1]).status, HTTP_GO_ON);
    for (size_t i = 0; i < ROWS(forms); i++)
        form_files_discard(&forms[i]);
    assert_stored(0, 0);
}

/* --- the answer ----------------------------------------------------------------------------- */

static void form_is_answered_with_a_receipt(void **state)
{
    (void)state;
    assert_int_equal(post_multipart(FIELD(a, "1") FILE_PART(f, "x.txt", "one") LAST), HTTP_CREATED);
    const char *name = location("/uploads/");
    char path[128];
    (void)snprintf(path, sizeof(path), "resources/uploads/%s", name);
    assert_line("Content-Type: application/json");
    cJSON *receipt = cJSON_Parse(handling_content());
    assert_string_equal(string_of(receipt, "name"), name);
    assert_string_equal(string_of(receipt, "path"), path);
    assert_string_equal(string_of(receipt, "durability"), "none");
    assert_file(cJSON_GetArrayItem(cJSON_GetObjectItem(receipt, "files"), 0), "x.txt", "one", 3);
    size_t len;
    free(read_object(handling.site.store, name, &len));
    assert_int_equal(cJSON_GetObjectItem(receipt, "bytes")->valuedouble, len);
    cJSON_Delete(receipt);
}

static void form_path_of_the_machine_is_not_shown(void **state)
{
    (void)state;
    handling.config.uploads_as_written = (char *)"/srv/uploads";
    assert_int_equal(post_urlencoded("a=1"), HTTP_CREATED);
    assert_non_null(strstr(handling_content(), "{\"path\":\"uploads/upload_"));
}

static void form_of_a_browser_is_answered_with_a_redirect(void **state)
{
    static const struct {
        const char *accept;
        enum http_status status;
    } rows[] = {
        {"", HTTP_CREATED},
        {"Accept: */*\r\n", HTTP_CREATED},
        {"Accept: application/json\r\n", HTTP_CREATED},
        {"Accept: text/*\r\n", HTTP_CREATED},
        {"Accept: text/html\r\n", HTTP_SEE_OTHER},
        {"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n",
         HTTP_SEE_OTHER},
        {"Accept: text/html;q=0.5, application/json\r\n", HTTP_CREATED},
        {"Accept: text/html;q=0\r\n", HTTP_CREATED},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char head[256];
        (void)snprintf(head, sizeof(head), POST URLENCODED CHUNKED "%s\r\n", rows[i].accept);
        enum http_status status = post_bytes(head, "a=1", 3);
        if (status != rows[i].status)
            fail_msg("%s: %d", rows[i].accept, (int)status);
        assert_non_null(location(status == HTTP_CREATED ? "/uploads/upload_" : "/form/upload_"));
    }
    assert_stored(ROWS(rows), 0);
}

/* --- what is refused by its head ------------------------------------------------------------ */

static void form_is_refused_by_its_head(void **state)
{
    static const struct {
        const char *head;
        enum http_status status;
    } rows[] = {
        {POST LENGTH(2) "\r\n", HTTP_UNSUPPORTED_MEDIA_TYPE},
        {POST "Content-Type: application/json\r\n" LENGTH(2) "\r\n", HTTP_UNSUPPORTED_MEDIA_TYPE},
        {POST
         "Content-Type: application/x-www-form-urlencoded; charset=latin1\r\n" LENGTH(2) "\r\n",
         HTTP_UNSUPPORTED_MEDIA_TYPE},
        {POST "Content-Type: multipart/mixed; boundary=b\r\n" LENGTH(2) "\r\n",
         HTTP_UNSUPPORTED_MEDIA_TYPE},
        {POST URLENCODED "Content-Encoding: gzip\r\n" LENGTH(2) "\r\n",
         HTTP_UNSUPPORTED_MEDIA_TYPE},
        {POST "Content-Type: multipart/form-data\r\n" LENGTH(2) "\r\n", HTTP_BAD_REQUEST},
        {POST "Content-Type: multipart/form-data; boundary=\r\n" LENGTH(2) "\r\n",
         HTTP_BAD_REQUEST},
        {POST "Content-Type: multipart/form-data; boundary=a; boundary=b\r\n" LENGTH(2) "\r\n",
         HTTP_BAD_REQUEST},
        {POST URLENCODED "\r\n", HTTP_LENGTH_REQUIRED},
        {POST MULTIPART "\r\n", HTTP_LENGTH_REQUIRED},
        {POST URLENCODED LENGTH(100001) "\r\n", HTTP_CONTENT_TOO_LARGE},
        {POST MULTIPART LENGTH(10000000) "\r\n", HTTP_CONTENT_TOO_LARGE},
        {POST MULTIPART LENGTH(9223372036854775807) "\r\n", HTTP_CONTENT_TOO_LARGE},
        {POST URLENCODED "Content-Digest: sha-256=x\r\n" LENGTH(2) "\r\n", HTTP_BAD_REQUEST},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        enum http_status status = begin(rows[i].head);
        if (status != rows[i].status)
            fail_msg("%d: %s", (int)status, rows[i].head);
        assert_null(handling.exchange.data);
        assert_line("Content-Type: application/problem+json");
        assert_int_equal(handling.exchange.response.close, status == HTTP_LENGTH_REQUIRED);
    }
    assert_stored(0, 0);
}

static void form_content_limit_is_that_of_its_kind(void **state)
{
    (void)state;
    assert_int_equal(begin(POST URLENCODED LENGTH(100000) "\r\n"), HTTP_GO_ON);
    assert_int_equal(handling.exchange.content_limit, BODY_BYTES);
    form_handler.close(&handling.exchange);

    assert_int_equal(begin(POST MULTIPART CHUNKED "\r\n"), HTTP_GO_ON);
    assert_true(handling.exchange.content_limit > BODY_BYTES + MULTIPART_PARTS_MAX * FILE_BYTES);
    form_handler.close(&handling.exchange);

    static const int64_t unlimited[] = {0, INT64_MAX, INT64_MAX / MULTIPART_PARTS_MAX + 1};
    for (size_t i = 0; i < ROWS(unlimited); i++) {
        handling.config.limits.file_bytes = unlimited[i];
        assert_int_equal(begin(POST MULTIPART CHUNKED "\r\n"), HTTP_GO_ON);
        assert_int_equal(handling.exchange.content_limit, 0);
        form_handler.close(&handling.exchange);
    }
}

/* --- what is wrong with its content --------------------------------------------------------- */

static void form_that_is_wrong_is_400_and_leaves_nothing(void **state)
{
    static const struct {
        const char *content;
        const char *detail;
    } urlencoded[] = {
        {"a=%4", "'%'"},  {"a=%zz&b=1", "'%'"}, {"=1", "no name"},
        {"=", "no name"}, {"a=1&=", "no name"}, {"a=%00", "NUL"},
        {"%00=1", "NUL"}, {"a=%ff", "UTF-8"},   {"%c3=%a9", "UTF-8"},
    };
    static const struct {
        const char *content;
        const char *detail;
    } multipart[] = {
        {"", "last boundary"},
        {FIELD(a, "1"), "last boundary"},
        {FIELD(a, "1") "--bx", "boundary"},
        {FILE_PART(f, "x", "one") FIELD(a, "\xff") LAST, "UTF-8"},
        {FILE_PART(f, "x", "one") DISPOSITION "\"\"\r\n\r\n1\r\n" LAST, "no name"},
        {FILE_PART(f, "x", "one") "--b\r\n\r\n1\r\n" LAST, "Content-Disposition"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(urlencoded); i++) {
        assert_int_equal(post_urlencoded(urlencoded[i].content), HTTP_BAD_REQUEST);
        assert_non_null(strstr(handling_content(), urlencoded[i].detail));
        assert_false(handling.exchange.response.close);
        assert_line("Content-Type: application/problem+json");
    }
    for (size_t i = 0; i < ROWS(multipart); i++) {
        assert_int_equal(post_multipart(multipart[i].content), HTTP_BAD_REQUEST);
        if (!strstr(handling_content(), multipart[i].detail))
            fail_msg("%s: %s", multipart[i].content, handling_content());
    }
    assert_stored(0, 0);
}

static void form_with_another_digest_is_400(void **state)
{
    (void)state;
    assert_int_equal(
        post_bytes(POST URLENCODED CHUNKED
                   "Content-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\r\n\r\n",
                   "a=1", 3),
        HTTP_BAD_REQUEST);
    assert_non_null(strstr(handling_content(), "digest"));
    assert_int_equal(
        post_bytes(POST URLENCODED CHUNKED
                   "Content-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\r\n\r\n",
                   "", 0),
        HTTP_CREATED);
    assert_stored(1, 0);
}

static void form_fields_are_limited(void **state)
{
    static char content[FORM_ENTRIES_MAX * 8 + 64];
    (void)state;
    for (size_t count = FORM_ENTRIES_MAX - 1; count <= FORM_ENTRIES_MAX + 1; count++) {
        struct text text = text_over(content, sizeof(content));
        for (size_t i = 0; i < count; i++) {
            text_append_u64(&text, i);
            text_append(&text, SLICE("=&"));
        }
        assert_int_equal(post_bytes(POST URLENCODED CHUNKED "\r\n", text.data, text.len),
                         count <= FORM_ENTRIES_MAX ? HTTP_CREATED : HTTP_BAD_REQUEST);
    }
}

static void form_name_of_a_field_is_limited(void **state)
{
    static char content[FORM_NAME_BYTES_MAX + 64];
    (void)state;
    memset(content, 'a', sizeof(content));
    for (size_t len = FORM_NAME_BYTES_MAX - 1; len <= FORM_NAME_BYTES_MAX + 1; len++)
        assert_int_equal(post_bytes(POST URLENCODED CHUNKED "\r\n", content, len),
                         len <= FORM_NAME_BYTES_MAX ? HTTP_CREATED : HTTP_BAD_REQUEST);
}

/* The fields of a multipart form, their names counted too. */
static void form_text_over_the_limit_is_413_at_once(void **state)
{
    static char value[BODY_BYTES];
    static const char head[] = DISPOSITION "a\r\n\r\n";
    (void)state;
    memset(value, 'x', sizeof(value));
    for (size_t len = BODY_BYTES - 2; len <= BODY_BYTES; len++) {
        assert_int_equal(begin(POST MULTIPART CHUNKED "\r\n"), HTTP_GO_ON);
        take(head, sizeof(head) - 1);
        take(value, len);
        assert_int_equal(form_handler.give_up(&handling.exchange),
                         len < BODY_BYTES ? HTTP_GO_ON : HTTP_CONTENT_TOO_LARGE);
        form_handler.close(&handling.exchange);
    }
    assert_stored(0, 0);
}

/* What comes behind a fault is read so that the answer is, but not without end. */
static void form_after_a_fault_is_read_for_a_while(void **state)
{
    static char rest[BODY_BYTES];
    int lowest = lowest_descriptor();
    (void)state;
    assert_int_equal(begin(POST MULTIPART CHUNKED "\r\n"), HTTP_GO_ON);
    take(DISPOSITION "f; filename=x\r\n\r\none",
         sizeof(DISPOSITION "f; filename=x\r\n\r\none") - 1);
    assert_int_not_equal(lowest_descriptor(), lowest);
    take("\r\n--bx", 6);
    assert_int_equal(lowest_descriptor(), lowest);
    assert_false(handling.exchange.may_block);
    take(rest, sizeof(rest) - 1);
    assert_int_equal(form_handler.give_up(&handling.exchange), HTTP_GO_ON);
    take(rest, 1);
    assert_int_equal(form_handler.give_up(&handling.exchange), HTTP_BAD_REQUEST);
    take(rest, sizeof(rest));
    form_handler.close(&handling.exchange);
    assert_stored(0, 0);
}

static void form_that_does_not_end_leaves_nothing(void **state)
{
    static const char content[] = FIELD(a, "1") FILE_PART(f, "x", "one") LAST;
    int lowest = lowest_descriptor();
    (void)state;
    for (size_t len = 0; len < sizeof(content); len++) {
        assert_int_equal(begin(POST MULTIPART CHUNKED "\r\n"), HTTP_GO_ON);
        take(content, len);
        form_handler.close(&handling.exchange);
        assert_int_equal(lowest_descriptor(), lowest);
    }
    assert_stored(0, 0);
}

/* --- faults of the machine ------------------------------------------------------------------ */

#define WHOLE FIELD(a, "1") FIELD(a, "2") FILE_PART(f, "x", "one") FILE_PART(f, "y", "two") LAST

/* Each allocation fails once: nothing is left then, and nothing is promised. */
static void form_without_memory_is_unavailable(void **state)
{
    enum http_status status = HTTP_SERVICE_UNAVAILABLE;
    unsigned count = 0;
    (void)state;
    for (; status != HTTP_CREATED && count < 100; count++) {
        assert_int_equal(handling_resolve(POST MULTIPART CHUNKED "\r\n"), HTTP_GO_ON);
        handling.exchange.data = NULL;
        failing_memory_after(count);
        form_handler.open(&handling.request);
        if (handling.exchange.data) {
            take(WHOLE, sizeof(WHOLE) - 1);
            (void)complete();
        }
        bool failed = failing_memory_end();
        status = handling.exchange.response.status;
        assert_int_equal(status, failed ? HTTP_SERVICE_UNAVAILABLE : HTTP_CREATED);
        assert_stored(failed ? 0 : 1, failed ? 0 : 2);
    }
    assert_in_range(count, 4, 99);
}

static void form_without_memory_for_its_record_is_unavailable(void **state)
{
    unsigned stored = 0;
    bool whole = false;
    unsigned count = 0;
    (void)state;
    for (; !whole && count < 200; count++) {
        failing_cjson_after(count);
        enum http_status status = post_multipart(WHOLE);
        failing_cjson_end();
        if (status == HTTP_CREATED) { /* it is stored; only the receipt may be cut */
            stored++;
            whole = strcmp(handling_content(), "{}") != 0;
        } else {
            assert_int_equal(status, HTTP_SERVICE_UNAVAILABLE);
        }
        assert_stored(stored, 2 * stored);
    }
    assert_in_range(count, 20, 199);
}

/* The store of records is full: the files are removed again. */
static void form_whose_record_does_not_fit_leaves_no_file(void **state)
{
    (void)state;
    assert_int_equal(begin(POST MULTIPART CHUNKED "\r\n"), HTTP_GO_ON);
    take(WHOLE, sizeof(WHOLE) - 1);
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    struct rlimit less = {.rlim_cur = 10, .rlim_max = limit.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
    enum http_status status = complete();
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(status, HTTP_INTERNAL_SERVER_ERROR);
    assert_stored(0, 0);
}

/* As a store that has counted itself says it. */
static void wait_for_usage(struct store *store)
{
    struct store_usage usage = {0};
    for (int tries = 0; !usage.is_known && tries < 10000; tries++) {
        store_usage(store, &usage);
        (void)usleep(1000);
    }
    assert_true(usage.is_known);
}

static void form_beyond_the_quota_of_files_leaves_nothing(void **state)
{
    static const struct {
        uint64_t max_files;
        enum http_status status;
    } rows[] = {
        {1, HTTP_INSUFFICIENT_STORAGE}, /* found out by the second file's commit */
        {2, HTTP_CREATED},
        {2, HTTP_INSUFFICIENT_STORAGE}, /* at the first file's begin */
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        size_t files_before = count_entries(files, false);
        size_t records_before = count_entries(uploads, false);
        bool created = rows[i].status == HTTP_CREATED;
        store_close(handling.site.files);
        handling.site.files = open_store(files, rows[i].max_files);
        wait_for_usage(handling.site.files);
        assert_int_equal(post_multipart(WHOLE), rows[i].status);
        assert_stored(records_before + created, files_before + 2 * created);
    }
}

static void form_whose_file_cannot_be_written_leaves_nothing(void **state)
{
    struct rlimit limit;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    struct rlimit less = {.rlim_cur = 2, .rlim_max = limit.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
    enum http_status status = post_multipart(WHOLE);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(status, HTTP_INTERNAL_SERVER_ERROR);
    assert_stored(0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FORM_TEST(form_urlencoded_fields_become_a_record),
        FORM_TEST(form_multipart_fields_become_a_record),
        FORM_TEST(form_is_the_same_at_every_split),
        FORM_TEST(form_fields_beyond_memory_are_whole),
        FORM_TEST(form_files_are_stored_under_names_of_their_own),
        FORM_TEST(form_file_that_was_not_chosen_is_none),
        FORM_TEST(form_file_with_an_extended_name_only_is_a_file),
        FORM_TEST(form_file_is_whole_in_pieces_of_any_size),
        FORM_TEST(form_file_over_its_limit_is_413_at_once),
        FORM_TEST(form_with_a_file_is_403_where_none_are_taken),
        FORM_TEST(form_of_many_files_holds_a_limited_number_of_descriptors),
        FORM_TEST(form_files_of_all_forms_are_limited),
        FORM_TEST(form_is_answered_with_a_receipt),
        FORM_TEST(form_path_of_the_machine_is_not_shown),
        FORM_TEST(form_of_a_browser_is_answered_with_a_redirect),
        FORM_TEST(form_is_refused_by_its_head),
        FORM_TEST(form_content_limit_is_that_of_its_kind),
        FORM_TEST(form_that_is_wrong_is_400_and_leaves_nothing),
        FORM_TEST(form_with_another_digest_is_400),
        FORM_TEST(form_fields_are_limited),
        FORM_TEST(form_name_of_a_field_is_limited),
        FORM_TEST(form_text_over_the_limit_is_413_at_once),
        FORM_TEST(form_after_a_fault_is_read_for_a_while),
        FORM_TEST(form_that_does_not_end_leaves_nothing),
        FORM_TEST(form_without_memory_is_unavailable),
        FORM_TEST(form_without_memory_for_its_record_is_unavailable),
        FORM_TEST(form_whose_record_does_not_fit_leaves_no_file),
        FORM_TEST(form_beyond_the_quota_of_files_leaves_nothing),
        FORM_TEST(form_whose_file_cannot_be_written_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
