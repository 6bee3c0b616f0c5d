/* Error answers: the form suits the client, and nothing of the request gets into them. */
#include "server/handlers/problem.h"
#include "tests/support/failing_memory.h"
#include "tests/unit/handling.h"

#include <cjson/cJSON.h>
#include <errno.h>

static const struct handler json_handler = {.errors_are_json = true};

#define TEXT "text/plain; charset=utf-8"
#define HTML "text/html; charset=utf-8"
#define JSON "application/problem+json"

static void begin(const char *fields)
{
    char head[1024];
    (void)snprintf(head, sizeof(head), "GET /<b>&secret HTTP/1.1\r\n%s\r\n", fields);
    /* '<' may not stand in a target, but in a head it may. */
    handling_begin(head);
}

static const struct {
    const char *fields;
    const char *media_type;
} forms[] = {
    {"", TEXT},
    {"Accept: */*\r\n", TEXT},
    {"Accept: text/plain\r\n", TEXT},
    {"Accept: image/*, */*;q=0.1\r\n", TEXT},
    {"Accept: text/html\r\n", HTML},
    {"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n", HTML},
    {"Accept: TEXT/HTML;q=0.1\r\n", HTML},
    {"Accept: text/html;q=0\r\n", TEXT},
    {"Accept: application/json\r\n", JSON},
    {"Accept: application/json, text/plain, */*\r\n", JSON},
    {"Accept: application/problem+json\r\n", JSON},
    {"Accept: application/json;q=0\r\n", TEXT},
    {"Accept: text/html;q=0.5, application/json\r\n", JSON},
    {"Accept: text/html, application/json;q=0.5\r\n", HTML},
    {"Accept: application/json, text/html\r\n", HTML},
    {"Accept: text/xml\r\nAccept: application/json\r\n", JSON},
};

static void problem_form_is_what_the_client_prefers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(forms); i++) {
        begin(forms[i].fields);
        problem_answer(&handling.request, HTTP_NOT_FOUND, NULL);
        const struct response *response = &handling.exchange.response;
        assert_int_equal(response->status, HTTP_NOT_FOUND);
        if (!slice_equal(response->media_type, slice_from_string(forms[i].media_type)))
            fail_msg("%s: %.*s", forms[i].fields, (int)response->media_type.len,
                     response->media_type.data);
        assert_null(strstr(handling_content(), "secret"));
        assert_non_null(strstr(handling_content(), "There is nothing at this address."));
    }
}

static void problem_of_an_interface_is_json_always(void **state)
{
    (void)state;
    begin("Accept: text/html\r\n");
    handling.request.handler = &json_handler;
    problem_answer(&handling.request, HTTP_NOT_FOUND, "Not here.");
    assert_slice_is(handling.exchange.response.media_type, JSON);
}

static void problem_in_text_is_a_line(void **state)
{
    (void)state;
    begin("");
    problem_answer(&handling.request, HTTP_FORBIDDEN, "Not you.");
    assert_string_equal(handling_content(), "403 Forbidden: Not you.\n");
}

static void problem_in_json_has_the_members_of_the_rfc(void **state)
{
    (void)state;
    begin("Accept: application/json\r\n");
    problem_answer(&handling.request, HTTP_FORBIDDEN, "A \"quoted\" \\ detail.");
    cJSON *problem = cJSON_Parse(handling_content());
    assert_non_null(problem);
    assert_int_equal(cJSON_GetArraySize(problem), 4);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(problem, "type")), "about:blank");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(problem, "title")), "Forbidden");
    assert_int_equal(cJSON_GetObjectItem(problem, "status")->valueint, 403);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(problem, "detail")),
                        "A \"quoted\" \\ detail.");
    cJSON_Delete(problem);
}

static void problem_in_html_is_escaped(void **state)
{
    (void)state;
    begin("Accept: text/html\r\n");
    problem_answer(&handling.request, HTTP_FORBIDDEN, "<script>\"&'");
    assert_non_null(strstr(handling_content(), "<title>403 Forbidden</title>"));
    assert_non_null(strstr(handling_content(), "<p>&lt;script&gt;&quot;&amp;&#39;</p>"));
    assert_null(strstr(handling_content(), "<script>"));
}

static void problem_place_is_named(void **state)
{
    const struct problem_place place = {
        .line = 3, .column = 14, .offset = 159, .expected = "',' or ']'"};
    (void)state;
    begin("");
    problem_answer_place(&handling.request, &place);
    assert_int_equal(handling.exchange.response.status, HTTP_BAD_REQUEST);
    assert_string_equal(handling_content(),
                        "400 Bad Request: Line 3, column 14: expected ',' or ']'.\n");

    begin("Accept: application/json\r\n");
    problem_answer_place(&handling.request, &place);
    cJSON *problem = cJSON_Parse(handling_content());
    assert_non_null(problem);
    assert_int_equal(cJSON_GetObjectItem(problem, "status")->valueint, 400);
    assert_int_equal(cJSON_GetObjectItem(problem, "line")->valueint, 3);
    assert_int_equal(cJSON_GetObjectItem(problem, "column")->valueint, 14);
    assert_int_equal(cJSON_GetObjectItem(problem, "offset")->valueint, 159);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(problem, "expected")),
                        "',' or ']'");
    cJSON_Delete(problem);
}

static void problem_place_shows_an_excerpt_in_json(void **state)
{
    const struct problem_place place = {
        .line = 1, .column = 2, .offset = 1, .expected = "a value", .excerpt = "[<\"\xef\xbf\xbd"};
    (void)state;
    begin("Accept: application/json\r\n");
    problem_answer_place(&handling.request, &place);
    assert_non_null(strstr(handling_content(), "\"excerpt\":\"[<\\\"\xef\xbf\xbd\""));

    begin("Accept: text/html\r\n");
    problem_answer_place(&handling.request, &place);
    assert_null(strstr(handling_content(), "[&lt;"));
}

static void problem_places_are_listed(void **state)
{
    const struct problem_place items[] = {
        {.line = 3, .column = 1, .offset = 9, .expected = "a value", .excerpt = "x"},
        {.line = 5, .column = 2, .offset = 17, .expected = "':'", .excerpt = "y"},
    };
    const struct problem_places places = {.items = items, .count = 2, .total = 7};
    (void)state;
    begin("Accept: application/json\r\n");
    problem_answer_places(&handling.request, &places);
    cJSON *problem = cJSON_Parse(handling_content());
    const cJSON *errors = cJSON_GetObjectItem(problem, "errors");
    assert_int_equal(cJSON_GetArraySize(errors), 2);
    assert_int_equal(cJSON_GetObjectItem(problem, "total")->valueint, 7);
    for (int i = 0; i < 2; i++) {
        const cJSON *error = cJSON_GetArrayItem(errors, i);
        assert_int_equal(cJSON_GetObjectItem(error, "line")->valueint, items[i].line);
        assert_int_equal(cJSON_GetObjectItem(error, "column")->valueint, items[i].column);
        assert_int_equal(cJSON_GetObjectItem(error, "offset")->valueint, items[i].offset);
        assert_string_equal(cJSON_GetObjectItem(error, "expected")->valuestring, items[i].expected);
        assert_string_equal(cJSON_GetObjectItem(error, "excerpt")->valuestring, items[i].excerpt);
    }
    cJSON_Delete(problem);
    begin("");
    problem_answer_places(&handling.request, &places);
    assert_string_equal(
        handling_content(),
        "400 Bad Request: 7 of the lines are wrong; line 3, column 1: expected a value.\n");
}

/* Every status of the table can be answered, in each form, and says what it is. */
static void problem_details_are_sentences(void **state)
{
#define STATUS(code, name, reason) HTTP_##name,
    static const enum http_status all[] = {HTTP_STATUS_TABLE(STATUS)};
#undef STATUS
    (void)state;
    for (size_t i = 0; i < ROWS(all); i++) {
        const char *detail = problem_detail(all[i]);
        assert_in_range(strlen(detail), 10, 200);
        assert_int_equal(detail[strlen(detail) - 1], '.');
        for (size_t form = 0; form < ROWS(forms); form++) {
            begin(forms[form].fields);
            problem_answer(&handling.request, all[i], detail);
            assert_non_null(handling_content());
            assert_false(handling.request.content.truncated);
        }
    }
}

static void problem_without_memory_is_answered_in_text(void **state)
{
    (void)state;
    for (unsigned count = 0;; count++) {
        begin("Accept: application/json\r\n");
        failing_memory_after(count);
        problem_answer(&handling.request, HTTP_NOT_FOUND, "Not here.");
        bool failed = failing_memory_end();
        assert_int_equal(handling.exchange.response.status, HTTP_NOT_FOUND);
        assert_non_null(strstr(handling_content(), "Not here."));
        if (!failed)
            break;
    }
}

static void problem_statuses_of_errors_tell_what_the_client_can_do(void **state)
{
    (void)state;
    assert_int_equal(problem_status_of_errno(ENOSPC), HTTP_INSUFFICIENT_STORAGE);
    assert_int_equal(problem_status_of_errno(EDQUOT), HTTP_INSUFFICIENT_STORAGE);
    assert_int_equal(problem_status_of_errno(EMFILE), HTTP_SERVICE_UNAVAILABLE);
    assert_int_equal(problem_status_of_errno(ENOMEM), HTTP_SERVICE_UNAVAILABLE);
    assert_int_equal(problem_status_of_errno(EIO), HTTP_INTERNAL_SERVER_ERROR);
    assert_int_equal(problem_status_of_errno(EROFS), HTTP_INTERNAL_SERVER_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDLING_TEST(problem_form_is_what_the_client_prefers),
        HANDLING_TEST(problem_of_an_interface_is_json_always),
        HANDLING_TEST(problem_in_text_is_a_line),
        HANDLING_TEST(problem_in_json_has_the_members_of_the_rfc),
        HANDLING_TEST(problem_in_html_is_escaped),
        HANDLING_TEST(problem_place_is_named),
        HANDLING_TEST(problem_place_shows_an_excerpt_in_json),
        HANDLING_TEST(problem_places_are_listed),
        HANDLING_TEST(problem_details_are_sentences),
        HANDLING_TEST(problem_without_memory_is_answered_in_text),
        HANDLING_TEST(problem_statuses_of_errors_tell_what_the_client_can_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
