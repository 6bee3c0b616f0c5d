/* The content of requests: how it is read, when it is not, and `100 Continue`. */
#include "tests/unit/talk.h"

#define POST(target) "POST " target " HTTP/1.1\r\n"
#define LENGTH(n)    "Content-Length: " #n "\r\n"
#define CHUNKED      "Transfer-Encoding: chunked\r\n"
#define EXPECT       "Expect: 100-continue\r\n"
#define CONTINUE     "HTTP/1.1 100 Continue\r\n\r\n"

/* --- reading ------------------------------------------------------------------------------- */

static void connection_content_is_handed_out_as_it_comes(void **state)
{
    (void)state;
    conversation_say(&talk, POST("/a") LENGTH(7) "\r\nab");
    assert_int_equal(talk.calls.content, 1);
    conversation_say(&talk, "cde");
    assert_int_equal(talk.calls.content, 2);
    assert_int_equal(talk.calls.complete, 0);
    conversation_say(&talk, "fg");
    assert_int_equal(talk.calls.content, 3);
    assert_int_equal(talk.calls.complete, 1);
    assert_heard("\nPOST /a abcdefg");
    assert_int_equal(talk.next, CONNECTION_WAIT_READABLE);
}

static void connection_chunked_content_is_handed_out_without_its_framing(void **state)
{
    (void)state;
    conversation_say(&talk, POST("/a") CHUNKED "\r\n3\r\nabc\r\n");
    assert_int_equal(talk.calls.content_bytes, 3);
    conversation_say(&talk, "A;name=\"value\"\r\ndefghijklm\r\n0\r\nField: value\r\n\r\n");
    assert_int_equal(talk.calls.content_bytes, 13);
    assert_heard("\nPOST /a abcdefghijklm");
    assert_int_equal(talk.next, CONNECTION_WAIT_READABLE);
}

static void connection_empty_content_is_complete_at_once(void **state)
{
    static const char *const requests[] = {
        POST("/a") "\r\n",
        POST("/a") LENGTH(0) "\r\n",
        POST("/a") CHUNKED "\r\n0\r\n\r\n",
    };
    (void)state;
    for (size_t i = 0; i < ROWS(requests); i++) {
        conversation_restart(&talk);
        conversation_say(&talk, requests[i]);
        assert_int_equal(talk.calls.content, 0);
        assert_int_equal(talk.calls.status, HTTP_OK);
        assert_true(connection_is_idle(&talk.connection));
    }
}

static void connection_large_content_is_read_in_shares(void **state)
{
    size_t size = 1048576;
    char *content = test_malloc(size);
    (void)state;
    memset(content, 'x', size);
    memory_transport_feed(&talk.peer, SLICE(POST("/a") LENGTH(1048576) "\r\n"));
    memory_transport_feed(&talk.peer, (struct slice){content, size});
    test_free(content);
    conversation_run(&talk, CONNECTION_GO);
    assert_int_equal(talk.next, CONNECTION_SHARE);
    assert_in_range(talk.calls.content_bytes, 500000, 600000);
    conversation_go(&talk);
    assert_int_equal(talk.calls.content_bytes, size);
    assert_heard("HTTP/1.1 200 OK");
    assert_heard("\nPOST /a xxxx");
}

/* Writes a head that is as long as heads may be. */
static void fill_head(char head[CONVERSATION_HEAD_BYTES], const char *begin)
{
    memset(head, 'a', CONVERSATION_HEAD_BYTES);
    memcpy(head, begin, strlen(begin));
    memcpy(head + CONVERSATION_HEAD_BYTES - 4, "\r\n\r\n", 4);
}

/* The second head ends where the worker's memory ends, and its content is still to come. */
static void connection_content_behind_a_full_buffer_is_read(void **state)
{
    char requests[2 * CONVERSATION_HEAD_BYTES];
    (void)state;
    fill_head(requests, "GET /1 HTTP/1.1\r\nX: ");
    fill_head(requests + CONVERSATION_HEAD_BYTES, POST("/2") LENGTH(3) "X: ");
    memory_transport_feed(&talk.peer, (struct slice){requests, sizeof(requests)});
    conversation_say(&talk, "abc");
    assert_heard("\nGET /1 ");
    assert_heard("\nPOST /2 abc");
}

/* --- errors -------------------------------------------------------------------------------- */

/* `begun`: the service is asked before the error is found. */
static const struct {
    const char *label;
    const char *request;
    enum http_status status;
    bool begun;
} errors[] = {
    {"no HTTP", "\x16\x03\x01", HTTP_BAD_REQUEST, false},
    {"bare LF", "GET / HTTP/1.1\n\n", HTTP_BAD_REQUEST, false},
    {"version", "GET / HTTP/2.0\r\n\r\n", HTTP_VERSION_NOT_SUPPORTED, false},
    {"length and chunks", POST("/a") LENGTH(1) CHUNKED "\r\n0\r\n\r\n", HTTP_BAD_REQUEST, false},
    {"two lengths", POST("/a") LENGTH(1) LENGTH(1) "\r\nx", HTTP_BAD_REQUEST, false},
    {"coding", POST("/a") "Transfer-Encoding: gzip\r\n\r\n", HTTP_NOT_IMPLEMENTED, false},
    {"chunk size", POST("/a") CHUNKED "\r\nx\r\n", HTTP_BAD_REQUEST, true},
    {"chunk end", POST("/a") CHUNKED "\r\n1\r\nab\r\n", HTTP_BAD_REQUEST, true},
    {"the service", POST("/wrong") LENGTH(9) "\r\nab", HTTP_BAD_REQUEST, true},
    {"the limit of the connection", POST("/a") LENGTH(1048577) "\r\n", HTTP_CONTENT_TOO_LARGE,
     true},
    {"the limit of the service", POST("/limit-4") LENGTH(5) "\r\n", HTTP_CONTENT_TOO_LARGE, true},
};

static void connection_error_is_answered_and_nothing_more_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(errors); i++) {
        char line[64];
        (void)snprintf(line, sizeof(line), "HTTP/1.1 %d ", (int)errors[i].status);
        conversation_restart(&talk);
        conversation_say(&talk, errors[i].request);
        conversation_say(&talk, "GET /no HTTP/1.1\r\n\r\n");
        if (strncmp(conversation_heard(&talk), line, strlen(line)) != 0 ||
            count_heard("HTTP/") != 1)
            fail_msg("%s: %s", errors[i].label, conversation_heard(&talk));
        if (talk.calls.begin != errors[i].begun || talk.calls.refuse != 1 || talk.calls.end != 1)
            fail_msg("%s: begun %u, refused %u, ended %u", errors[i].label, talk.calls.begin,
                     talk.calls.refuse, talk.calls.end);
        assert_heard("\r\nConnection: close\r\n");
        assert_true(talk.peer.finished);
        assert_int_equal(talk.connection.state, CONNECTION_LINGER);
    }
}

/* The answer to a request whose head is so long, nearly all of it the target. */
static enum http_status ask_with_head_of(size_t len)
{
    char request[4096];
    assert_in_range(len, 20, sizeof(request) - 1);
    memset(request, 'a', len);
    request[len] = '\0';
    memcpy(request, "GET /", 5);
    memcpy(request + len - 13, " HTTP/1.1\r\n\r\n", 13);
    conversation_restart(&talk);
    conversation_say(&talk, request);
    assert_int_equal(talk.next, CONNECTION_WAIT_READABLE);
    return talk.calls.status;
}

static void connection_head_may_be_as_long_as_its_limit(void **state)
{
    (void)state;
    assert_int_equal(ask_with_head_of(CONVERSATION_HEAD_BYTES - 1), HTTP_OK);
    assert_int_equal(ask_with_head_of(CONVERSATION_HEAD_BYTES), HTTP_OK);
    assert_int_equal(ask_with_head_of(CONVERSATION_HEAD_BYTES + 1), HTTP_HEADER_FIELDS_TOO_LARGE);
    assert_int_equal(ask_with_head_of(CONVERSATION_HEAD_BYTES + 3), HTTP_URI_TOO_LONG);
    assert_int_equal(ask_with_head_of(2 * CONVERSATION_HEAD_BYTES), HTTP_URI_TOO_LONG);
    assert_int_equal(ask_with_head_of(2 * CONVERSATION_HEAD_BYTES + 100), HTTP_URI_TOO_LONG);
}

/* By length the whole is refused before anything is read, in chunks at the byte that crosses. */
static void connection_content_may_be_as_long_as_its_limit(void **state)
{
    static const struct {
        const char *request;
        uint64_t content_bytes;
        enum http_status status;
    } rows[] = {
        {POST("/limit-4") LENGTH(3) "\r\nabc", 3, HTTP_OK},
        {POST("/limit-4") LENGTH(4) "\r\nabcd", 4, HTTP_OK},
        {POST("/limit-4") LENGTH(5) "\r\nabcde", 0, HTTP_CONTENT_TOO_LARGE},
        {POST("/limit-4") CHUNKED "\r\n3\r\nabc\r\n0\r\n\r\n", 3, HTTP_OK},
        {POST("/limit-4") CHUNKED "\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", 4, HTTP_OK},
        {POST("/limit-4") CHUNKED "\r\n3\r\nabc\r\n2\r\nde", 4, HTTP_CONTENT_TOO_LARGE},
        {POST("/limit-0") LENGTH(5) "\r\nabcde", 5, HTTP_OK},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        conversation_restart(&talk);
        conversation_say(&talk, rows[i].request);
        if (talk.calls.status != rows[i].status || talk.calls.content_bytes > rows[i].content_bytes)
            fail_msg("row %zu: %d after %d bytes", i, (int)talk.calls.status,
                     (int)talk.calls.content_bytes);
        if (rows[i].status == HTTP_OK)
            assert_int_equal(talk.calls.content_bytes, rows[i].content_bytes);
    }
}

/* Early: the content is neither read nor handed out, and never taken for a request. */
static void connection_early_answer_leaves_the_content_unread(void **state)
{
    (void)state;
    conversation_say(&talk, POST("/early") LENGTH(22) "\r\nGET /no HTTP/1.1\r\n\r\n..");
    assert_heard("HTTP/1.1 404 Not Found");
    assert_heard("Connection: close");
    assert_int_equal(count_heard("HTTP/"), 1);
    assert_int_equal(talk.calls.content, 0);
    assert_int_equal(talk.calls.complete, 0);
    assert_true(talk.peer.finished);
}

/* --- 100 Continue -------------------------------------------------------------------------- */

static const struct {
    const char *label;
    const char *request;
    bool continues;
    enum http_status status; /* HTTP_GO_ON: none yet */
} expectations[] = {
    {"content will be read", POST("/a") LENGTH(3) EXPECT "\r\n", true, HTTP_GO_ON},
    {"chunks will be read", POST("/a") CHUNKED EXPECT "\r\n", true, HTTP_GO_ON},
    {"some content has come", POST("/a") LENGTH(3) EXPECT "\r\na", false, HTTP_GO_ON},
    {"all content has come", POST("/a") LENGTH(1) EXPECT "\r\na", false, HTTP_OK},
    {"no content", POST("/a") LENGTH(0) EXPECT "\r\n", false, HTTP_OK},
    {"no length", POST("/a") EXPECT "\r\n", false, HTTP_OK},
    {"early answer", POST("/early") LENGTH(3) EXPECT "\r\n", false, HTTP_NOT_FOUND},
    {"too large", POST("/limit-2") LENGTH(3) EXPECT "\r\n", false, HTTP_CONTENT_TOO_LARGE},
    {"HTTP/1.0", "POST /a HTTP/1.0\r\n" LENGTH(3) EXPECT "\r\n", false, HTTP_GO_ON},
};

static void connection_continue_is_sent_only_when_content_is_waited_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(expectations); i++) {
        conversation_restart(&talk);
        conversation_say(&talk, expectations[i].request);
        bool continues = strstr(conversation_heard(&talk), CONTINUE) != NULL;
        if (continues != expectations[i].continues || talk.calls.status != expectations[i].status)
            fail_msg("%s: continues %d, status %d", expectations[i].label, continues,
                     (int)talk.calls.status);
    }
}

static void connection_continue_is_followed_by_the_answer(void **state)
{
    (void)state;
    conversation_say(&talk, POST("/a") LENGTH(3) EXPECT "\r\n");
    assert_string_equal(conversation_heard(&talk), CONTINUE);
    conversation_say(&talk, "abc");
    assert_heard(CONTINUE "HTTP/1.1 200 OK");
    assert_heard("\nPOST /a abc");
    assert_int_equal(talk.calls.content_sent, strlen("POST /a abc"));
}

static void connection_continue_that_is_not_taken_at_once_is_waited_for(void **state)
{
    (void)state;
    talk.peer.room = 3;
    conversation_say(&talk, POST("/a") LENGTH(3) EXPECT "\r\n");
    assert_int_equal(talk.next, CONNECTION_WAIT_WRITABLE);
    assert_int_equal(talk.connection.deadline_ms, talk.now_ms + CONVERSATION_WRITE_TIMEOUT_MS);
    assert_string_equal(conversation_heard(&talk), "HTT");
    talk.peer.room = MEMORY_TRANSPORT_UNLIMITED;
    conversation_say(&talk, "abc");
    assert_heard(CONTINUE "HTTP/1.1 200 OK");
    assert_heard("\nPOST /a abc");
}

/* --- blocking in the disk ------------------------------------------------------------------- */

static void connection_asks_before_it_blocks(void **state)
{
    (void)state;
    memory_transport_feed(&talk.peer, SLICE(POST("/block") LENGTH(3) "\r\nabc"));
    conversation_run(&talk, CONNECTION_GO);
    assert_int_equal(talk.next, CONNECTION_BLOCK);
    assert_int_equal(talk.calls.complete, 0);
    conversation_run(&talk, CONNECTION_MAY_BLOCK);
    assert_int_equal(talk.calls.complete, 1);
    assert_int_equal(talk.next, CONNECTION_WAIT_READABLE);
    assert_heard("\nPOST /block abc");
}

static void connection_asks_anew_for_each_request(void **state)
{
    (void)state;
    memory_transport_feed(&talk.peer,
                          SLICE("GET /block HTTP/1.1\r\n\r\nGET /block HTTP/1.1\r\n\r\n"));
    conversation_run(&talk, CONNECTION_GO);
    assert_int_equal(talk.next, CONNECTION_BLOCK);
    conversation_run(&talk, CONNECTION_MAY_BLOCK);
    assert_int_equal(talk.next, CONNECTION_BLOCK);
    assert_int_equal(talk.calls.complete, 1);
    conversation_run(&talk, CONNECTION_MAY_BLOCK);
    assert_int_equal(talk.calls.complete, 2);
    assert_int_equal(count_heard("HTTP/1.1 200 OK"), 2);
}

static void connection_that_may_not_block_is_given_up(void **state)
{
    (void)state;
    memory_transport_feed(&talk.peer, SLICE("GET /block HTTP/1.1\r\n\r\n"));
    conversation_run(&talk, CONNECTION_GO);
    conversation_run(&talk, CONNECTION_LEAVE);
    assert_int_equal(talk.next, CONNECTION_END);
    assert_int_equal(talk.calls.complete, 0);
    assert_int_equal(talk.calls.end, 1);
    assert_true(talk.calls.broken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TALK_TEST(connection_content_is_handed_out_as_it_comes),
        TALK_TEST(connection_chunked_content_is_handed_out_without_its_framing),
        TALK_TEST(connection_empty_content_is_complete_at_once),
        TALK_TEST(connection_large_content_is_read_in_shares),
        TALK_TEST(connection_content_behind_a_full_buffer_is_read),
        TALK_TEST(connection_error_is_answered_and_nothing_more_is_read),
        TALK_TEST(connection_head_may_be_as_long_as_its_limit),
        TALK_TEST(connection_content_may_be_as_long_as_its_limit),
        TALK_TEST(connection_early_answer_leaves_the_content_unread),
        TALK_TEST(connection_continue_is_sent_only_when_content_is_waited_for),
        TALK_TEST(connection_continue_is_followed_by_the_answer),
        TALK_TEST(connection_continue_that_is_not_taken_at_once_is_waited_for),
        TALK_TEST(connection_asks_before_it_blocks),
        TALK_TEST(connection_asks_anew_for_each_request),
        TALK_TEST(connection_that_may_not_block_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
