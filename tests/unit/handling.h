/* One request as a handler sees it, without a connection: for the tests of the router and of the
 * handlers.
 */
#ifndef TARN_TESTS_UNIT_HANDLING_H
#define TARN_TESTS_UNIT_HANDLING_H

#include "server/handlers/request.h"
#include "server/router.h"
#include "tests/unit/assert_slice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* The host of most requests. */
#define HOST "Host: localhost:8080\r\n"

struct handling {
    struct config config;
    struct site site;
    const char *local_address; /* of the connection, as text */
    unsigned local_address_calls;

    struct exchange exchange; /* its response is the result */
    struct request request;
    char bytes[20000];
    char path[8193];
    char fields[4096];
    char content[16384];
    char answer[8192]; /* the response's head, or its content, as a string */
};

static struct handling handling;

static inline int handling_setup(void **state)
{
    static char *attachments[] = {(char *)"txt", (char *)"png"};
    (void)state;
    handling = (struct handling){.local_address = "192.0.2.7"};
    handling.config.index = (char *)"index.html";
    handling.config.static_files.cache_control = (char *)"no-cache";
    handling.config.static_files.attachments.items = attachments;
    handling.config.static_files.attachments.count = ROWS(attachments);
    handling.site = (struct site){
        .config = &handling.config,
        .root = -1,
        .authorities = {.configured_host = SLICE("files.test"), .port = 8080},
    };
    handling.exchange.response.file = -1;
    return 0;
}

static inline int handling_teardown(void **state)
{
    (void)state;
    response_deinit(&handling.exchange.response);
    return 0;
}

#define HANDLING_TEST(test) cmocka_unit_test_setup_teardown(test, handling_setup, handling_teardown)

/* Begins a request with these bytes of a head, which must be right. */
static inline void handling_begin(const char *head)
{
    const struct parser_limits limits = {sizeof(handling.bytes), HEAD_FIELDS_MAX};
    struct exchange *exchange = &handling.exchange;
    size_t len = strlen(head);
    assert_in_range(len, 1, sizeof(handling.bytes));
    memcpy(handling.bytes, head, len);
    response_deinit(&exchange->response);
    response_init(&exchange->response, handling.fields, sizeof(handling.fields));
    parser_init(&exchange->parser, &exchange->head);
    if (parser_run(&exchange->parser, &exchange->head, &limits, handling.bytes, len) != PARSE_DONE)
        fail_msg("no head: %s", head);
    assert_int_equal(framing_read(&exchange->head, &exchange->framing), HTTP_GO_ON);
    handling.request = (struct request){
        .exchange = exchange,
        .site = &handling.site,
        .client = "192.0.2.99",
        .content = text_over(handling.content, sizeof(handling.content)),
    };
}

static inline struct slice handling_local_address(void *context)
{
    struct handling *self = context;
    self->local_address_calls++;
    return slice_from_string(self->local_address);
}

/* Begins the request, and has it resolved. */
static inline enum http_status handling_resolve(const char *head)
{
    handling_begin(head);
    return router_resolve(&handling.request, handling.path, sizeof(handling.path),
                          handling_local_address, &handling);
}

/* Has a request without content answered, as server/service.c does it. */
static inline enum http_status handling_answer(const char *head)
{
    enum http_status status = handling_resolve(head);
    if (status != HTTP_GO_ON)
        router_refuse(&handling.request, status);
    else if (handling.exchange.head.method == METHOD_OPTIONS)
        router_answer_options(&handling.request);
    else
        handling.request.handler->answer(&handling.request);
    return handling.exchange.response.status;
}

/* The head of the response. */
static inline const char *handling_head(void)
{
    struct response_frame frame = {.date = SLICE("now")};
    struct text text = text_over(handling.answer, sizeof(handling.answer) - 1);
    response_write_head(&handling.exchange.response, &frame, &text);
    assert_false(text.truncated);
    handling.answer[text.len] = '\0';
    return handling.answer;
}

/* The content of the response, which is in memory. */
static inline const char *handling_content(void)
{
    const struct response *response = &handling.exchange.response;
    assert_int_equal(response->content, RESPONSE_BYTES);
    assert_in_range(response->bytes.len, 0, sizeof(handling.answer) - 1);
    if (response->bytes.len > 0)
        memcpy(handling.answer, response->bytes.data, response->bytes.len);
    handling.answer[response->bytes.len] = '\0';
    return handling.answer;
}

/* Whether the head of the response has this line. */
static inline bool handling_has_line(const char *line)
{
    char whole[1024];
    (void)snprintf(whole, sizeof(whole), "\r\n%s\r\n", line);
    return strstr(handling_head(), whole) != NULL;
}

static inline void assert_line(const char *line)
{
    if (!handling_has_line(line))
        fail_msg("no line %s in\n%s", line, handling_head());
}

#endif
