/* Goal: requests go to this machine and to no other unless that is allowed, and they are made with
 * what earlier answers gave.
 */
#include "tester/loopback.h"
#include "tester/outgoing.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static void loopback_addresses_are_told_from_others(void **state)
{
    (void)state;
    static const struct {
        int family;
        const char *text;
        bool is_loopback;
    } rows[] = {
        {AF_INET, "127.0.0.1", true},
        {AF_INET, "127.255.255.255", true},
        {AF_INET, "126.255.255.255", false},
        {AF_INET, "128.0.0.0", false},
        {AF_INET, "0.0.0.0", false},
        {AF_INET, "192.168.0.1", false},
        {AF_INET6, "::1", true},
        {AF_INET6, "::", false},
        {AF_INET6, "::2", false},
        {AF_INET6, "::ffff:127.0.0.1", true},
        {AF_INET6, "::ffff:10.0.0.1", false},
        {AF_INET6, "::127.0.0.1", false},
        {AF_INET6, "fe80::1", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sockaddr_storage storage = {.ss_family = (sa_family_t)rows[i].family};
        void *address = rows[i].family == AF_INET
                            ? (void *)&((struct sockaddr_in *)&storage)->sin_addr
                            : (void *)&((struct sockaddr_in6 *)&storage)->sin6_addr;
        assert_int_equal(inet_pton(rows[i].family, rows[i].text, address), 1);
        if (loopback_is_address((struct sockaddr *)&storage) != rows[i].is_loopback)
            fail_msg("%s", rows[i].text);
    }
    assert_false(loopback_is_address(&(struct sockaddr){.sa_family = AF_UNIX}));
}

static void loopback_hosts_are_told_from_others(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool is_loopback;
    } rows[] = {
        {"localhost", true},
        {"LocalHost", true},
        {"localhost.", false},
        {"a.localhost", false},
        {"127.0.0.1", true},
        {"127.9.9.9", true},
        {"127.0.0.1.example", false},
        {"[::1]", true},
        {"[::2]", false},
        {"[::1", false},
        {"::1", false},
        {"[", false},
        {"", false},
        {"example.org", false},
        {"0.0.0.0", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (loopback_is_host(rows[i].host) != rows[i].is_loopback)
            fail_msg("%s", rows[i].host);
    }
}

/* What is said of a request for that URL; "" if it can be sent. The caller frees it. */
static char *say(const char *url, const char *base, bool allow_remote)
{
    static const struct variables none;
    struct outgoing_rules rules = {base, allow_remote};
    struct plan_request request = {.url = url, .method = "GET"};
    struct outgoing outgoing;
    char *said = NULL;
    size_t len;
    FILE *errors = open_memstream(&said, &len);
    assert_non_null(errors);
    int result = outgoing_make(&outgoing, &request, &rules, &none, errors);
    assert_int_equal(fclose(errors), 0);
    assert_int_equal(result, len == 0 ? 0 : -1);
    outgoing_deinit(&outgoing);
    return said;
}

static void outgoing_only_this_machine_is_a_target(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *said;
    } rows[] = {
        {"/", ""},
        {"//elsewhere.example/", ""}, /* a path */
        {"http://localhost:1/", ""},
        {"http://127.1:1/", ""}, /* as libcurl reads it */
        {"https://[::1]/", ""},
        {"http://[0:0::1]/", ""},
        {"http://me:secret@127.0.0.1/", ""},
        {"http://2130706433/", ""}, /* 127.0.0.1 as a number */
        {"http://example.org/", "example.org is not this machine; --allow-remote would send there"},
        {"http://127.0.0.1@example.org/",
         "example.org is not this machine; --allow-remote would send there"},
        {"http://example.org#@127.0.0.1/",
         "example.org is not this machine; --allow-remote would send there"},
        {"http://10.0.0.1/", "10.0.0.1 is not this machine; --allow-remote would send there"},
        {"http://167772161/", "10.0.0.1 is not this machine; --allow-remote would send there"},
        {"http://[::2]/", "[::2] is not this machine; --allow-remote would send there"},
        {"http://localhost.example/",
         "localhost.example is not this machine; --allow-remote would send there"},
        {"ftp://127.0.0.1/", "an URL must begin with \"/\", \"http://\" or \"https://\""},
        {"file:///etc/passwd", "an URL must begin with \"/\", \"http://\" or \"https://\""},
        {"@example.org/", "an URL must begin with \"/\", \"http://\" or \"https://\""},
        {"{document}", "nothing has been saved as {document}"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *said = say(rows[i].url, "http://127.0.0.1:8080", false);
        assert_string_equal(said, rows[i].said);
        free(said);
    }
}

static void outgoing_remote_target_needs_leave(void **state)
{
    (void)state;
    char *said = say("http://example.org/", "http://127.0.0.1", true);
    assert_string_equal(said, "");
    free(said);
    said = say("/", "http://example.org", false);
    assert_string_not_equal(said, "");
    free(said);
    said = say("/", "http://example.org", true);
    assert_string_equal(said, "");
    free(said);
}

static void outgoing_bad_url_is_told(void **state)
{
    (void)state;
    static const char *const rows[] = {"http://", "http://[::1/", "http://127.0.0.1:99999/"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *said = say(rows[i], "http://127.0.0.1", true);
        assert_string_not_equal(said, "");
        free(said);
    }
}

static void assert_url(const struct outgoing *outgoing, const char *wanted)
{
    char *url = NULL;
    assert_int_equal(curl_url_get(outgoing->url, CURLUPART_URL, &url, 0), CURLUE_OK);
    assert_string_equal(url, wanted);
    curl_free(url);
}

static void outgoing_is_made_of_base_and_variables(void **state)
{
    (void)state;
    struct variables variables = {0};
    assert_int_equal(variables_set(&variables, "where", SLICE("/old")), 0);
    assert_int_equal(variables_set(&variables, "where", SLICE("/up/x.json")), 0);
    assert_int_equal(variables_set(&variables, "tag", SLICE("\"t\"")), 0);
    cJSON *headers = cJSON_Parse("{\"If-Match\":\"{tag}, {}\",\"Accept\":null,\"Empty\":\"\"}");
    struct plan_request request = {.url = "{where}?q={where}",
                                   .method = "GET",
                                   .headers = headers,
                                   .content = PLAN_BYTES,
                                   .media_type = "text/plain"};
    struct outgoing_rules rules = {"http://127.0.0.1:81/", false};
    struct outgoing outgoing;

    assert_int_equal(outgoing_make(&outgoing, &request, &rules, &variables, stderr), 0);
    assert_url(&outgoing, "http://127.0.0.1:81/up/x.json?q=/up/x.json");
    const struct curl_slist *field = outgoing.fields;
    assert_string_equal(field->data, "If-Match: \"t\", {}");
    field = field->next;
    assert_string_equal(field->data, "Accept:");
    field = field->next;
    assert_string_equal(field->data, "Empty;");
    field = field->next;
    assert_string_equal(field->data, "User-Agent: tarn-tester/" TARN_VERSION);
    field = field->next;
    assert_string_equal(field->data, "Content-Type: text/plain");
    assert_null(field->next);

    outgoing_deinit(&outgoing);
    cJSON_Delete(headers);
    variables_deinit(&variables);
}

static void outgoing_fields_of_the_request_replace_what_is_sent_unasked(void **state)
{
    (void)state;
    static const struct variables none;
    struct {
        const char *headers;
        const char *fields[3];
    } rows[] = {
        {"{}", {"User-Agent: tarn-tester/" TARN_VERSION, "Content-Type: text/plain"}},
        {"{\"user-agent\":\"me\"}", {"user-agent: me", "Content-Type: text/plain"}},
        {"{\"User-Agent\":null,\"content-type\":\"a/b\"}", {"User-Agent:", "content-type: a/b"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cJSON *headers = cJSON_Parse(rows[i].headers);
        struct plan_request request = {.url = "/",
                                       .method = "POST",
                                       .headers = headers,
                                       .content = PLAN_BYTES,
                                       .media_type = "text/plain"};
        struct outgoing_rules rules = {"http://127.0.0.1", false};
        struct outgoing outgoing;
        assert_int_equal(outgoing_make(&outgoing, &request, &rules, &none, stderr), 0);
        const struct curl_slist *field = outgoing.fields;
        for (size_t j = 0; rows[i].fields[j] != NULL; j++, field = field->next) {
            assert_non_null(field);
            assert_string_equal(field->data, rows[i].fields[j]);
        }
        assert_null(field);
        outgoing_deinit(&outgoing);
        cJSON_Delete(headers);
    }
}

static void outgoing_dots_of_a_path_stay(void **state)
{
    (void)state;
    static const struct variables none;
    struct plan_request request = {.url = "/a/../b", .method = "GET"};
    struct outgoing_rules rules = {"http://127.0.0.1", false};
    struct outgoing outgoing;
    assert_int_equal(outgoing_make(&outgoing, &request, &rules, &none, stderr), 0);
    assert_url(&outgoing, "http://127.0.0.1/a/../b");
    outgoing_deinit(&outgoing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_addresses_are_told_from_others),
        cmocka_unit_test(loopback_hosts_are_told_from_others),
        cmocka_unit_test(outgoing_only_this_machine_is_a_target),
        cmocka_unit_test(outgoing_remote_target_needs_leave),
        cmocka_unit_test(outgoing_bad_url_is_told),
        cmocka_unit_test(outgoing_is_made_of_base_and_variables),
        cmocka_unit_test(outgoing_fields_of_the_request_replace_what_is_sent_unasked),
        cmocka_unit_test(outgoing_dots_of_a_path_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
