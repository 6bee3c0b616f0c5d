/* How requests follow each other on a connection, and how it ends. */
#include "tests/unit/talk.h"

/* --- one request --------------------------------------------------------------------------- */

static void connection_request_is_answered_whole(void **state)
{
    (void)state;
    conversation_say(&talk, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_string_equal(conversation_heard(&talk),
                        "HTTP/1.1 200 OK\r\nDate: " CONVERSATION_DATE "\r\nServer: tarn\r\n"
                        "X-Content-Type-Options: nosniff\r\n"
                        "Connection: keep-alive\r\nKeep-Alive: timeout=30, max=100\r\n"
                        "Content-Type: text/plain\r\nContent-Length: 7\r\n\r\nGET /a ");
    assert_int_equal(talk.next, CONNECTION_WAIT_READABLE);
    assert_int_equal(talk.calls.end, 1);
    assert_int_equal(talk.calls.content_sent, 7);
    assert_false(talk.calls.broken);
}

static void connection_head_request_is_answered_without_content(void **state)
{
    (void)state;
    conversation_say(&talk, "HEAD /a HTTP/1.1\r\n\r\n");
    assert_heard("Content-Length: 8\r\n\r\n");
    assert_not_heard("\r\n\r\nHEAD");
    assert_int_equal(talk.calls.content_sent, 0);
}

static void connection_answer_without_content_has_no_length(void **state)
{
    (void)state;
    conversation_say(&talk, "GET /empty HTTP/1.1\r\n\r\n");
    assert_heard("HTTP/1.1 204 No Content\r\n");
    assert_not_heard("Content-Length");
    assert_int_equal(talk.next, CONNECTION_WAIT_READABLE);
}

static void connection_field_lines_of_the_handler_are_sent(void **state)
{
    (void)state;
    conversation_say(&talk, "GET /lines HTTP/1.1\r\n\r\n");
    assert_heard("\r\nX-Line: of the handler\r\n\r\n");
}

static void connection_empty_lines_before_a_request_are_passed_over(void **state)
{
    (void)state;
    conversation_say(&talk, "\r\n\r\nGET /a HTTP/1.1\r\n\r\n");
    assert_heard("\r\n\r\nGET /a ");
}

/* --- persistence --------------------------------------------------------------------------- */

static const struct {
    const char *label;
    const char *request;
    bool persists;
    bool lingers; /* the peer may send more all the same */
} persistence[] = {
    {"1.1", "GET / HTTP/1.1\r\n\r\n", true, false},
    {"1.1 close", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", false, false},
    {"1.1 close in a list", "GET / HTTP/1.1\r\nConnection: TE,, CLOSE\r\n\r\n", false, false},
    {"1.1 close and keep-alive", "GET / HTTP/1.1\r\nConnection: keep-alive, close\r\n\r\n", false,
     false},
    {"1.2", "GET / HTTP/1.2\r\n\r\n", true, false},
    {"1.0", "GET / HTTP/1.0\r\n\r\n", false, false},
    {"1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true, false},
    {"the handler closes", "GET /close HTTP/1.1\r\n\r\n", false, true},
    {"both close", "GET /close HTTP/1.1\r\nConnection: close\r\n\r\n", false, true},
    {"early", "POST /early HTTP/1.1\r\nContent-Length: 1\r\n\r\n", false, true},
    {"early, without content", "POST /early HTTP/1.1\r\nContent-Length: 0\r\n\r\n", true, false},
    {"wrong", "GET\r\n\r\n", false, true},
};

static void connection_persists_as_the_client_and_the_answer_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(persistence); i++) {
        conversation_restart(&talk);
        conversation_say(&talk, persistence[i].request);
        bool says_so = strstr(conversation_heard(&talk), "\r\nConnection: keep-alive\r\n") != NULL;
        bool says_not = strstr(conversation_heard(&talk), "\r\nConnection: close\r\n") != NULL;
        bool idle = !talk.over && connection_is_idle(&talk.connection);
        if (says_so != persistence[i].persists || says_not == persistence[i].persists ||
            idle != persistence[i].persists)
            fail_msg("%s: keep-alive %d, close %d, idle %d", persistence[i].label, says_so,
                     says_not, idle);
        if (talk.peer.finished != persistence[i].lingers)
            fail_msg("%s: lingers %d", persistence[i].label, talk.peer.finished);
    }
}

static void connection_keep_alive_counts_down_and_closes_at_the_last(void **state)
{
    static const char *const expected[] = {"Keep-Alive: timeout=5, max=3",
                                           "Keep-Alive: timeout=5, max=2", "Connection: close"};
    (void)state;
    talk.limits.max_requests = 3;
    talk.limits.idle_timeout_ms = 5000;
    for (size_t i = 0; i < ROWS(expected); i++) {
        memory_transport_clear(&talk.peer);
        conversation_say(&talk, "GET / HTTP/1.1\r\n\r\n");
        assert_heard(expected[i]);
    }
    assert_not_heard("Keep-Alive");
    assert_true(talk.peer.finished);
}

static void connection_with_one_request_allowed_closes_at_once(void **state)
{
    (void)state;
    talk.limits.max_requests = 1;
    conversation_say(&talk, "GET / HTTP/1.1\r\n\r\n");
    assert_heard("Connection: close");
    assert_int_equal(talk.calls.status, HTTP_OK);
}

static void connection_requests_beyond_the_last_are_not_answered(void **state)
{
    (void)state;
    talk.limits.max_requests = 2;
    conversation_say(&talk,
                     "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n");
    assert_int_equal(count_heard("HTTP/1.1 200 OK"), 2);
    assert_not_heard("/3");
    assert_true(talk.peer.finished);
}

/* --- pipelining ---------------------------------------------------------------------------- */

static void connection_pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    conversation_say(&talk, "GET /1 HTTP/1.1\r\n\r\n"
                            "POST /2 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
                            "GET /block HTTP/1.1\r\n\r\n"
                            "POST /4 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "2\r\nde\r\n1;x=y\r\nf\r\n0\r\nTrailer: t\r\n\r\n"
                            "GET /5 HTTP/1.1\r\n\r\n");
    static const char *const expected[] = {"\nGET /1 ", "\nPOST /2 abc", "\nGET /block ",
                                           "\nPOST /4 def", "\nGET /5 "};
    const char *at = conversation_heard(&talk);
    for (size_t i = 0; i < ROWS(expected); i++) {
        at = strstr(at, expected[i]);
        assert_non_null(at);
    }
    assert_int_equal(count_heard("HTTP/1.1 200 OK"), 5);
    assert_int_equal(talk.calls.begin, 5);
    assert_int_equal(talk.calls.end, 5);
    assert_int_equal(talk.next, CONNECTION_WAIT_READABLE);
}

static void connection_content_of_a_get_is_not_taken_for_a_request(void **state)
{
    (void)state;
    conversation_say(&talk, "GET /1 HTTP/1.1\r\nContent-Length: 23\r\n\r\n"
                            "GET /no HTTP/1.1\r\n\r\n..\n"
                            "GET /2 HTTP/1.1\r\n\r\n");
    assert_int_equal(count_heard("HTTP/1.1 200 OK"), 2);
    assert_heard("\nGET /2 ");
}

static void connection_wrong_request_after_good_ones_is_the_last_answer(void **state)
{
    (void)state;
    conversation_say(&talk, "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nInvalid\r\n\r\n"
                            "GET /3 HTTP/1.1\r\n\r\n");
    assert_int_equal(count_heard("HTTP/1.1 200 OK"), 2);
    assert_int_equal(count_heard("HTTP/1.1 400 Bad Request"), 1);
    assert_not_heard("/3");
    assert_true(talk.peer.finished);
    conversation_say(&talk, "GET /4 HTTP/1.1\r\n\r\n");
    assert_int_equal(count_heard("HTTP/1.1 "), 3);
    assert_int_equal(talk.calls.begin, 2);
    assert_int_equal(talk.calls.end, 3);
}

static void connection_byte_behind_a_chunked_content_is_a_wrong_request(void **state)
{
    (void)state;
    memory_transport_feed(&talk.peer, SLICE("POST /1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                                            "0\r\n\r\n\0"));
    conversation_go(&talk);
    assert_heard("HTTP/1.1 200 OK");
    assert_heard("HTTP/1.1 400 Bad Request");
    assert_true(talk.peer.finished);
}

/* Others have their turn in between: the worker's share is 32 requests. */
static void connection_many_pipelined_requests_are_answered_in_shares(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        memory_transport_feed(&talk.peer, SLICE("GET /p HTTP/1.1\r\n\r\n"));
    conversation_run(&talk, CONNECTION_GO);
    assert_int_equal(talk.next, CONNECTION_SHARE);
    assert_int_equal(talk.calls.end, 32);
    conversation_go(&talk);
    assert_int_equal(talk.calls.end, 100);
    assert_int_equal(count_heard("\nGET /p "), 100);
}

/* A peer that sends ahead and does not read keeps memory busy: this much and no more. */
static void connection_takes_a_bounded_number_of_bytes_ahead(void **state)
{
    static const size_t most = CONVERSATION_HEAD_BYTES + 4096;
    static char buffers[CONVERSATION_WORKERS][65536];
    (void)state;
    for (size_t i = 0; i < CONVERSATION_WORKERS; i++) {
        talk.workers[i].input = buffers[i];
        talk.workers[i].input_size = sizeof(buffers[i]);
    }
    for (int i = 0; i < 100; i++) {
        char request[1024];
        int len = snprintf(request, sizeof(request), "GET /%d HTTP/1.1\r\nA: %0500d\r\n\r\n", i, 0);
        memory_transport_feed(&talk.peer, (struct slice){request, (size_t)len});
    }
    talk.peer.room = 0;
    conversation_go(&talk);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(talk.next, CONNECTION_WAIT_WRITABLE);
        assert_in_range(talk.peer.received, 1, most);
        conversation_run(&talk, CONNECTION_GO);
    }
    talk.peer.room = MEMORY_TRANSPORT_UNLIMITED;
    conversation_go(&talk);
    assert_int_equal(talk.calls.end, 100);
    assert_int_equal(count_heard("HTTP/1.1 200 OK"), 100);
    assert_heard("\nGET /99 ");
}

/* --- the end ------------------------------------------------------------------------------- */

static void connection_close_with_bytes_unread_lingers(void **state)
{
    (void)state;
    conversation_say(&talk, "GET / HTTP/1.1\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
    assert_int_equal(count_heard("HTTP/1.1 "), 1);
    assert_true(talk.peer.finished);
    assert_false(talk.over);
}

static void connection_close_without_bytes_unread_ends_at_once(void **state)
{
    (void)state;
    conversation_say(&talk, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert_true(talk.over);
    assert_int_equal(talk.next, CONNECTION_END);
    assert_false(talk.peer.finished);
}

static void connection_lingers_until_the_peer_ends(void **state)
{
    (void)state;
    conversation_say(&talk, "wrong\r\n\r\n");
    assert_int_equal(talk.next, CONNECTION_WAIT_READABLE);
    assert_int_equal(talk.connection.state, CONNECTION_LINGER);
    assert_int_equal(talk.connection.deadline_ms, talk.now_ms + CONNECTION_LINGER_MS);
    talk.now_ms += CONNECTION_LINGER_MS / 2;
    conversation_say(&talk, "and more of it");
    assert_int_equal(talk.next, CONNECTION_WAIT_READABLE);
    assert_int_equal(talk.connection.deadline_ms, talk.now_ms + CONNECTION_LINGER_MS / 2);
    talk.peer.ended = true;
    conversation_go(&talk);
    assert_int_equal(talk.next, CONNECTION_END);
}

static void connection_lingers_for_a_bounded_number_of_bytes(void **state)
{
    char block[8192];
    (void)state;
    memset(block, 'x', sizeof(block));
    conversation_say(&talk, "wrong\r\n\r\n");
    for (int i = 0; i < CONNECTION_LINGER_BYTES / (int)sizeof(block); i++) {
        memory_transport_clear(&talk.peer);
        memory_transport_feed(&talk.peer, (struct slice){block, sizeof(block)});
        conversation_go(&talk);
        assert_false(talk.over);
    }
    conversation_say(&talk, "x");
    assert_int_equal(talk.next, CONNECTION_END);
}

static void connection_lingering_takes_shares(void **state)
{
    (void)state;
    char *block = test_malloc(1048576);
    memset(block, 'x', 1048576);
    conversation_say(&talk, "wrong\r\n\r\n");
    memory_transport_feed(&talk.peer, (struct slice){block, 1048576});
    conversation_run(&talk, CONNECTION_GO);
    assert_int_equal(talk.next, CONNECTION_SHARE);
    conversation_go(&talk);
    assert_int_equal(talk.next, CONNECTION_WAIT_READABLE);
    test_free(block);
}

static void connection_refused_before_only_lingers(void **state)
{
    (void)state;
    connection_init_lingering(&talk.connection, talk.now_ms);
    assert_int_equal(talk.connection.deadline_ms, talk.now_ms + CONNECTION_LINGER_MS);
    conversation_say(&talk, "GET / HTTP/1.1\r\n\r\n");
    assert_string_equal(conversation_heard(&talk), "");
    assert_int_equal(talk.calls.begin, 0);
    assert_int_equal(talk.next, CONNECTION_WAIT_READABLE);
    conversation_run(&talk, CONNECTION_EXPIRED);
    assert_int_equal(talk.next, CONNECTION_END);
}

/* --- closing from outside: the server stops ------------------------------------------------- */

static void connection_closing_while_idle_ends(void **state)
{
    (void)state;
    conversation_say(&talk, "GET / HTTP/1.1\r\n\r\n");
    talk.connection.closing = true;
    conversation_run(&talk, CONNECTION_GO);
    assert_int_equal(talk.next, CONNECTION_END);
}

/* It came after the answer that said keep-alive, and nobody has told of it. */
static void connection_closing_answers_what_came_behind_an_answer(void **state)
{
    (void)state;
    talk.peer.room = 10;
    conversation_say(&talk, "GET /a HTTP/1.1\r\n\r\n");
    assert_int_equal(talk.next, CONNECTION_WAIT_WRITABLE);
    talk.connection.closing = true;
    memory_transport_feed(&talk.peer, SLICE("GET /b HTTP/1.1\r\n\r\n"));
    talk.peer.room = MEMORY_TRANSPORT_UNLIMITED;
    conversation_run(&talk, CONNECTION_GO);
    assert_heard("\nGET /a ");
    assert_heard("\nGET /b ");
    assert_int_equal(count_heard("\r\nConnection: close\r\n"), 1);
}

static void connection_closing_answers_a_request_that_has_come(void **state)
{
    (void)state;
    talk.connection.closing = true;
    conversation_say(&talk, "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
    assert_heard("\r\nConnection: close\r\n");
    assert_heard("\nGET /a ");
    assert_not_heard("/b");
    assert_true(talk.peer.finished);
}

static void connection_closing_waits_for_the_rest_of_a_request(void **state)
{
    (void)state;
    conversation_say(&talk, "GET /a HTT");
    talk.connection.closing = true;
    conversation_say(&talk, "P/1.1\r\nHost: ");
    assert_int_equal(talk.next, CONNECTION_WAIT_READABLE);
    conversation_say(&talk, "x\r\n\r\n");
    assert_heard("\r\nConnection: close\r\n");
    assert_heard("\nGET /a ");
}

static void connection_that_must_leave_ends(void **state)
{
    static const char *const begun[] = {
        "",
        "GET / HT",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab",
        "wrong\r\n\r\n",
    };
    static const unsigned ended[] = {0, 0, 1, 1};
    (void)state;
    for (size_t i = 0; i < ROWS(begun); i++) {
        conversation_restart(&talk);
        conversation_say(&talk, begun[i]);
        conversation_run(&talk, CONNECTION_LEAVE);
        assert_int_equal(talk.next, CONNECTION_END);
        assert_int_equal(talk.calls.end, ended[i]);
    }
}

static void connection_says_whether_it_is_idle_or_in_a_head(void **state)
{
    (void)state;
    assert_true(connection_is_idle(&talk.connection));
    assert_false(connection_is_in_head(&talk.connection));
    conversation_say(&talk, "P");
    assert_false(connection_is_idle(&talk.connection));
    assert_true(connection_is_in_head(&talk.connection));
    conversation_say(&talk, "OST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab");
    assert_false(connection_is_idle(&talk.connection));
    assert_false(connection_is_in_head(&talk.connection));
    conversation_say(&talk, "cde");
    assert_true(connection_is_idle(&talk.connection));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TALK_TEST(connection_request_is_answered_whole),
        TALK_TEST(connection_head_request_is_answered_without_content),
        TALK_TEST(connection_answer_without_content_has_no_length),
        TALK_TEST(connection_field_lines_of_the_handler_are_sent),
        TALK_TEST(connection_empty_lines_before_a_request_are_passed_over),
        TALK_TEST(connection_persists_as_the_client_and_the_answer_say),
        TALK_TEST(connection_keep_alive_counts_down_and_closes_at_the_last),
        TALK_TEST(connection_with_one_request_allowed_closes_at_once),
        TALK_TEST(connection_requests_beyond_the_last_are_not_answered),
        TALK_TEST(connection_pipelined_requests_are_answered_in_order),
        TALK_TEST(connection_content_of_a_get_is_not_taken_for_a_request),
        TALK_TEST(connection_wrong_request_after_good_ones_is_the_last_answer),
        TALK_TEST(connection_byte_behind_a_chunked_content_is_a_wrong_request),
        TALK_TEST(connection_many_pipelined_requests_are_answered_in_shares),
        TALK_TEST(connection_takes_a_bounded_number_of_bytes_ahead),
        TALK_TEST(connection_close_with_bytes_unread_lingers),
        TALK_TEST(connection_close_without_bytes_unread_ends_at_once),
        TALK_TEST(connection_lingers_until_the_peer_ends),
        TALK_TEST(connection_lingers_for_a_bounded_number_of_bytes),
        TALK_TEST(connection_lingering_takes_shares),
        TALK_TEST(connection_refused_before_only_lingers),
        TALK_TEST(connection_closing_while_idle_ends),
        TALK_TEST(connection_closing_answers_what_came_behind_an_answer),
        TALK_TEST(connection_closing_answers_a_request_that_has_come),
        TALK_TEST(connection_closing_waits_for_the_rest_of_a_request),
        TALK_TEST(connection_that_must_leave_ends),
        TALK_TEST(connection_says_whether_it_is_idle_or_in_a_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
