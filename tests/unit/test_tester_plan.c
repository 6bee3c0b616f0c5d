/* Goal: a file of requests is read as the README says, and what is wrong is told with its line. */
#include "folder.h"
#include "tester/plan.h"

struct loaded {
    struct folder folder;
    char path[48];
    struct plan plan;
    int result;
    char *said;
};

/* Loads a file with that text; a.txt, of three bytes, is beside it. */
static void load(struct loaded *loaded, const char *text)
{
    size_t len;
    *loaded = (struct loaded){0};
    folder_create(&loaded->folder);
    folder_add_file(&loaded->folder, "a.txt", "abc");
    folder_add_file(&loaded->folder, "test.json", text);
    (void)snprintf(loaded->path, sizeof loaded->path, "%s/test.json", loaded->folder.path);
    FILE *errors = open_memstream(&loaded->said, &len);
    assert_non_null(errors);
    loaded->result = plan_load(&loaded->plan, loaded->path, errors);
    assert_int_equal(fclose(errors), 0);
}

static void unload(struct loaded *loaded)
{
    plan_deinit(&loaded->plan);
    folder_destroy(&loaded->folder);
    free(loaded->said);
}

static const struct plan_request *load_one(struct loaded *loaded, const char *text)
{
    load(loaded, text);
    assert_string_equal(loaded->said, "");
    assert_int_equal(loaded->result, 0);
    assert_int_equal(loaded->plan.count, 1);
    return &loaded->plan.requests[0];
}

static void plan_url_alone_is_a_get(void **state)
{
    (void)state;
    struct loaded loaded;
    const struct plan_request *request = load_one(&loaded, "\n[\n{\"url\": \"/\"}]");

    assert_int_equal(request->line, 3);
    assert_string_equal(request->url, "/");
    assert_string_equal(request->method, "GET");
    assert_int_equal(request->content, PLAN_NO_CONTENT);
    assert_null(request->name);
    assert_false(plan_allows_status(&request->expect, 99));
    assert_true(plan_allows_status(&request->expect, 200));
    assert_true(plan_allows_status(&request->expect, 399));
    assert_false(plan_allows_status(&request->expect, 400));
    assert_false(plan_allows_status(&request->expect, -1));
    assert_false(plan_allows_status(&request->expect, 600));
    unload(&loaded);
}

static void plan_content_is_what_will_be_sent(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *method;
        const char *bytes;
        const char *media_type;
    } rows[] = {
        {"[{\"url\":\"/\",\"json\": {\"n\":  12345678901234567890} }]", "POST",
         "{\"n\":  12345678901234567890}", "application/json"},
        {"[{\"url\":\"/\",\"json\":null}]", "POST", "null", "application/json"},
        {"[{\"url\":\"/\",\"body\":\"\"}]", "POST", "", NULL},
        {"[{\"url\":\"/\",\"method\":\"PUT\",\"body\":\"a\\nb\"}]", "PUT", "a\nb", NULL},
        {"[{\"url\":\"/\",\"method\":\"PUT\",\"bodyFile\":\"a.txt\"}]", "PUT", "abc", NULL},
        {"[{\"url\":\"/\",\"method\":\"POST\"}]", "POST", "", NULL},
        {"[{\"url\":\"/\",\"data\":{}}]", "POST", "", "application/x-www-form-urlencoded"},
        {"[{\"url\":\"/\",\"data\":{\"a b\":\"1&2=\\u00e4\",\"n\":[1.50,true],\"~\":\"\"}}]",
         "POST", "a%20b=1%262%3D%C3%A4&n=1.50&n=true&~=", "application/x-www-form-urlencoded"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct loaded loaded;
        const struct plan_request *request = load_one(&loaded, rows[i].text);
        assert_int_equal(request->content, PLAN_BYTES);
        assert_string_equal(request->method, rows[i].method);
        assert_int_equal(request->bytes.len, strlen(rows[i].bytes));
        if (request->bytes.len > 0)
            assert_memory_equal(request->bytes.bytes, rows[i].bytes, request->bytes.len);
        assert_int_equal(request->media_type == NULL, rows[i].media_type == NULL);
        if (rows[i].media_type != NULL)
            assert_string_equal(request->media_type, rows[i].media_type);
        unload(&loaded);
    }
}

static void plan_file_makes_parts(void **state)
{
    (void)state;
    struct loaded loaded;
    char path[64];
    const struct plan_request *request =
        load_one(&loaded, "[{\"url\":\"/form\",\"data\":{\"a\":[1,\"2\"]},\"file\":["
                          "{\"name\":\"f\",\"path\":\"a.txt\",\"fileType\":\"text/x\"},"
                          "{\"name\":\"g\",\"path\":\"./a.txt\"}]}]");

    (void)snprintf(path, sizeof path, "%s/a.txt", loaded.folder.path);
    assert_int_equal(request->content, PLAN_PARTS);
    assert_int_equal(request->part_count, 4);
    assert_string_equal(request->parts[0].name, "a");
    assert_string_equal(request->parts[0].value, "1");
    assert_string_equal(request->parts[1].value, "2");
    assert_string_equal(request->parts[2].name, "f");
    assert_string_equal(request->parts[2].path, path);
    assert_string_equal(request->parts[2].media_type, "text/x");
    assert_null(request->parts[3].media_type);
    unload(&loaded);
}

static void plan_status_is_a_code_a_class_or_a_list(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        int allowed, refused;
    } rows[] = {
        {"100", 100, 101},        {"599", 599, 598},     {"\"2xx\"", 200, 199},
        {"\"2xx\"", 299, 300},    {"\"5xx\"", 599, 499}, {"[200, \"4xx\"]", 404, 201},
        {"[200, 204]", 204, 203},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct loaded loaded;
        char text[100];
        (void)snprintf(text, sizeof text, "[{\"url\":\"/\",\"expect\":{\"status\":%s}}]",
                       rows[i].status);
        const struct plan_request *request = load_one(&loaded, text);
        assert_true(plan_allows_status(&request->expect, rows[i].allowed));
        assert_false(plan_allows_status(&request->expect, rows[i].refused));
        unload(&loaded);
    }
}

static void plan_expected_content_is_kept(void **state)
{
    (void)state;
    struct loaded loaded;
    const struct plan_request *request =
        load_one(&loaded, "[{\"url\":\"/\",\"expect\":{\"body\":\"x\",\"bodyFile\":\"a.txt\","
                          "\"json\":1,\"jsonHas\":{},\"headers\":{\"A\":\"1\",\"B\":true,"
                          "\"C\":false,\"D\":{\"startsWith\":\"\"},\"E\":{\"contains\":\"\"}}},"
                          "\"save\":{\"x_1\":\"ETag\"},\"headers\":{\"X\":\"\",\"Y\":null}}]");

    assert_string_equal(request->expect.body, "x");
    assert_int_equal(request->expect.file->len, 3);
    assert_non_null(request->expect.json);
    assert_non_null(request->expect.json_has);
    assert_int_equal(cJSON_GetArraySize(request->expect.headers), 5);
    assert_non_null(request->save);
    unload(&loaded);
}

/* What is said stands behind the file's path. */
static void plan_fault_is_told_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *said;
    } rows[] = {
        {"", ":1: not JSON: expected a value at column 1"},
        {"[\n{\"url\" \"/\"}]", ":2: not JSON: expected ':' at column 8"},
        {"[1]\n]", ":2: not JSON: expected the end of the document at column 1"},
        {"[\n\"a\\\\\\u0000\"]", ":2: a text cannot hold \\u0000; such bytes can come from a file"},
        {"{}", ":1: the file must be a list of requests: [ {...}, ... ]"},
        {"[]", ":1: the file must be a list of requests: [ {...}, ... ]"},
        {"[1]", ":1: a request must be an object: {\"url\": \"/\"}"},
        {"[\n{}]", ":2: the request has no \"url\""},
        {"[{\n\"url\":\"\"}]", ":2: \"url\" must be a text that is not empty"},
        {"[{\"url\":\n1}]", ":1: \"url\" must be a text that is not empty"},
        {"[{\"url\":\"/\",\n\"mehtod\":\"GET\"}]",
         ":2: unknown key \"mehtod\"; did you mean \"method\"?"},
        {"[{\"url\":\"/\",\n\"Url\":\"/\"}]", ":2: unknown key \"Url\"; did you mean \"url\"?"},
        {"[{\"url\":\"/\",\"xyz\":1}]", ":1: unknown key \"xyz\""},
        {"[{\"url\":\"/\",\n\"url\":\"/\"}]", ":2: \"url\" is there twice"},
        {"[{\"url\":\"/\",\n\"method\":\"G T\"}]", ":2: \"method\": G T cannot be sent"},
        {"[{\"url\":\"/\",\"method\":\"CONNECT\"}]", ":1: \"method\": CONNECT cannot be sent"},
        {"[{\"url\":\"/\",\"method\":\"HEAD\",\"body\":\"\"}]", ":1: HEAD is sent without content"},
        {"[{\"url\":\"/\",\"headers\":[]}]",
         ":1: \"headers\" must be an object: {\"Accept\": \"*/*\"}"},
        {"[{\"url\":\"/\",\"headers\":{\n\"A B\":\"\"}}]",
         ":2: \"A B\" cannot be the name of a header field"},
        {"[{\"url\":\"/\",\"headers\":{\"A\":\"\\r\\nB: c\"}}]",
         ":1: \"A\" holds a control character"},
        {"[{\"url\":\"/\",\"headers\":{\"A\":1}}]",
         ":1: \"A\" must be a text, or null to leave out what would be sent unasked"},
        {"[{\"url\":\"/\",\n\"body\":\"\",\"json\":1}]",
         ":1: the request has more than one content: say one of \"data\" (with \"file\"), "
         "\"json\", \"body\" and \"bodyFile\""},
        {"[{\"url\":\"/\",\"body\":1}]", ":1: \"body\" must be a text"},
        {"[{\"url\":\"/\",\"bodyFile\":1}]", ":1: \"bodyFile\" must be the path of a file"},
        {"[{\"url\":\"/\",\"data\":1}]", ":1: \"data\" must be an object: {\"field\": \"value\"}"},
        {"[{\"url\":\"/\",\"data\":{\"a\":\n{}}}]",
         ":1: \"a\" must be a text, a number, true, false, or a list of these"},
        {"[{\"url\":\"/\",\"data\":{\"a\":[\n[]]}}]",
         ":2: \"a\" must be a list of texts and numbers"},
        {"[{\"url\":\"/\",\"file\":1}]",
         ":1: \"file\" must be an object: {\"name\": \"photo\", \"path\": \"a.jpg\"}"},
        {"[{\"url\":\"/\",\"file\":{\"name\":\"a\"}}]",
         ":1: a \"file\" needs a \"name\" and a \"path\""},
        {"[{\"url\":\"/\",\"file\":{\"name\":\"a\",\"path\":\"a.txt\",\n\"filetype\":\"\"}}]",
         ":2: unknown key \"filetype\"; did you mean \"fileType\"?"},
        {"[{\"url\":\"/\",\"save\":1}]", ":1: \"save\" must be an object"},
        {"[{\"url\":\"/\",\"save\":{\n\"a-b\":\"ETag\"}}]",
         ":2: \"save\" must be names of header fields by names of letters: {\"location\": "
         "\"Location\"}"},
        {"[{\"url\":\"/\",\"expect\":200}]", ":1: \"expect\" must be an object: {\"status\": 200}"},
        {"[{\"url\":\"/\",\"expect\":{\n\"stauts\":200}}]",
         ":2: unknown key \"stauts\"; did you mean \"status\"?"},
        {"[{\"url\":\"/\",\"expect\":{\"status\":99}}]",
         ":1: \"status\" must be a code (200), a class (\"2xx\"), or a list of these"},
        {"[{\"url\":\"/\",\"expect\":{\"status\":600}}]",
         ":1: \"status\" must be a code (200), a class (\"2xx\"), or a list of these"},
        {"[{\"url\":\"/\",\"expect\":{\"status\":[200,\n\"6xx\"]}}]",
         ":2: \"status\" must be a code (200), a class (\"2xx\"), or a list of these"},
        {"[{\"url\":\"/\",\"expect\":{\"body\":{}}}]", ":1: \"body\" must be a text"},
        {"[{\"url\":\"/\",\"expect\":{\"headers\":{\"A\":{\"is\":\"\"}}}}]",
         ":1: \"A\" must be a text, true (is there), false (is not there), {\"startsWith\": "
         "\"...\"} or {\"contains\": \"...\"}"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct loaded loaded;
        char said[300];
        load(&loaded, rows[i].text);
        (void)snprintf(said, sizeof said, "%s%s\n", loaded.path, rows[i].said);
        assert_string_equal(loaded.said, said);
        assert_int_equal(loaded.result, -1);
        unload(&loaded);
    }
}

static void plan_all_faults_are_told(void **state)
{
    (void)state;
    struct loaded loaded;
    char said[300];
    load(&loaded, "[{\"ulr\":\"/\"},\n{\"url\":\"/\",\"body\":1}]");
    (void)snprintf(said, sizeof said,
                   "%s:1: unknown key \"ulr\"\n%s:1: the request has no \"url\"\n"
                   "%s:2: \"body\" must be a text\n",
                   loaded.path, loaded.path, loaded.path);
    assert_int_equal(loaded.result, -1);
    assert_string_equal(loaded.said, said);
    unload(&loaded);
}

static void plan_missing_files_are_told(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "[{\"url\":\"/\",\"bodyFile\":\"no.txt\"}]",
        "[{\"url\":\"/\",\"file\":{\"name\":\"a\",\"path\":\"no.txt\"}}]",
        "[{\"url\":\"/\",\"expect\":{\"bodyFile\":\"no.txt\"}}]",
    };
    struct loaded loaded;
    struct plan plan;
    char *said = NULL;
    size_t len;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        load(&loaded, rows[i]);
        assert_int_equal(loaded.result, -1);
        assert_non_null(strstr(loaded.said, "/no.txt: No such file or directory\n"));
        unload(&loaded);
    }
    FILE *errors = open_memstream(&said, &len);
    assert_non_null(errors);
    assert_int_equal(plan_load(&plan, "/no/such.json", errors), -1);
    assert_int_equal(fclose(errors), 0);
    assert_string_equal(said, "/no/such.json: No such file or directory\n");
    plan_deinit(&plan);
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_url_alone_is_a_get),
        cmocka_unit_test(plan_content_is_what_will_be_sent),
        cmocka_unit_test(plan_file_makes_parts),
        cmocka_unit_test(plan_status_is_a_code_a_class_or_a_list),
        cmocka_unit_test(plan_expected_content_is_kept),
        cmocka_unit_test(plan_fault_is_told_with_its_line),
        cmocka_unit_test(plan_all_faults_are_told),
        cmocka_unit_test(plan_missing_files_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
