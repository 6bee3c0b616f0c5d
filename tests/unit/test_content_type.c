#include "server/handlers/content_type.h"
#include "tests/unit/assert_slice.h"
#include "tests/unit/request.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
    const char *fields;
    bool is_json;
} rows[] = {
    {"Content-Type: application/json\r\n", true},
    {"content-type: APPLICATION/Json\r\n", true},
    {"Content-Type: application/json; charset=utf-8\r\n", true},
    {"Content-Type: application/json;charset=UTF-8\r\n", true},
    {"Content-Type: application/json; charset=\"utf-8\"\r\n", true},
    {"Content-Type: application/json ; CharSet=utf-8\r\n", true},
    {"Content-Type: application/json; profile=\"a;charset=latin1\"\r\n", true},
    {"Content-Type: application/json; profile=\"a\\\";charset=latin1\"; charset=utf-8\r\n", true},
    {"Content-Type: application/json;\r\n", true},
    {"Content-Type: application/json;; x=y\r\n", true},
    {"Content-Type: application/json\r\nContent-Encoding: identity\r\n", true},

    {"", false},
    {"Content-Type:\r\n", false},
    {"Content-Type: ;charset=utf-8\r\n", false},
    {"Content-Type: text/json\r\n", false},
    {"Content-Type: application/jsonx\r\n", false},
    {"Content-Type: application/problem+json\r\n", false},
    {"Content-Type: application/json, text/plain\r\n", false},
    {"Content-Type: \"application/json\"\r\n", false},
    {"Content-Type: application/json; charset=utf-16\r\n", false},
    {"Content-Type: application/json; charset=latin1; charset=utf-8\r\n", false},
    {"Content-Type: application/json; charset=utf-8; charset=latin1\r\n", false},
    {"Content-Type: application/json;; charset=latin1\r\n", false},
    {"Content-Type: application/json; charset=\r\n", false},
    {"Content-Type: application/json; charset\r\n", false},
    {"Content-Type: application/json; charset=\"\r\n", false},
    {"Content-Type: application/json; CHARSET=\"utf-16\"\r\n", false},
    {"Content-Type: application/json\r\nContent-Type: application/json\r\n", false},
    {"Content-Type: application/json\r\nContent-Type: text/plain\r\n", false},
    {"Content-Type: application/json\r\nContent-Encoding: gzip\r\n", false},
    {"Content-Type: application/json\r\nContent-Encoding: identity, gzip\r\n", false},
    {"Content-Type: application/json\r\nContent-Encoding: identity\r\nContent-Encoding: gzip\r\n",
     false},
};

static void content_type_is_what_the_fields_declare(void **state)
{
    struct guard guard = guard_create(REQUEST_BYTES_MAX);
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct head head = request_parse(&guard, "POST", rows[i].fields);
        if (content_type_is(&head, SLICE("application/json")) != rows[i].is_json)
            fail_msg("%s", rows[i].fields);
    }
    guard_destroy(&guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_type_is_what_the_fields_declare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
