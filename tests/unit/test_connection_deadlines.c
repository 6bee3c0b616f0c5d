/* How long a connection waits for its peer, in each of its states, and what happens then. */
#include "tests/unit/talk.h"

#define FILE_BYTES 4000000

static int make_file(void **state)
{
    (void)state;
    return talk_make_file(FILE_BYTES);
}

static int64_t wait_left_ms(void)
{
    return talk.connection.deadline_ms - talk.now_ms;
}

/* Time passes until the deadline, and the connection is told. */
static void expire(void)
{
    talk.now_ms = talk.connection.deadline_ms;
    conversation_run(&talk, CONNECTION_EXPIRED);
}

/* --- requests ------------------------------------------------------------------------------ */

static void connection_that_sends_nothing_is_closed_silently(void **state)
{
    (void)state;
    conversation_go(&talk);
    assert_int_equal(talk.next, CONNECTION_WAIT_READABLE);
    assert_int_equal(wait_left_ms(), CONVERSATION_IDLE_TIMEOUT_MS);
    expire();
    assert_int_equal(talk.next, CONNECTION_END);
    assert_string_equal(conversation_heard(&talk), "");
    assert_int_equal(talk.calls.end, 0);
}

static void connection_idle_time_begins_with_the_answer(void **state)
{
    (void)state;
    talk.now_ms += 5000;
    conversation_say(&talk, "GET / HTTP/1.1\r\n\r\n");
    assert_int_equal(wait_left_ms(), CONVERSATION_IDLE_TIMEOUT_MS);
    memory_transport_clear(&talk.peer);
    expire();
    assert_int_equal(talk.next, CONNECTION_END);
    assert_string_equal(conversation_heard(&talk), "");
}

static void connection_head_must_be_whole_in_time_from_its_first_byte(void **state)
{
    (void)state;
    talk.now_ms += 5000;
    conversation_say(&talk, "G");
    assert_int_equal(wait_left_ms(), CONVERSATION_HEADER_TIMEOUT_MS);
    talk.now_ms += 4000;
    conversation_say(&talk, "ET /a HTTP/1.1\r\nHos");
    assert_int_equal(wait_left_ms(), CONVERSATION_HEADER_TIMEOUT_MS - 4000);
    expire();
    assert_heard("HTTP/1.1 408 Request Timeout\r\n");
    assert_heard("Connection: close");
    assert_int_equal(talk.connection.state, CONNECTION_LINGER);
    assert_int_equal(talk.calls.begin, 0);
    assert_int_equal(talk.calls.end, 1);
}

static void connection_next_head_has_its_own_time(void **state)
{
    (void)state;
    conversation_say(&talk, "GET /a HTTP/1.1\r\n\r\n");
    talk.now_ms += 20000;
    conversation_say(&talk, "GET");
    assert_int_equal(wait_left_ms(), CONVERSATION_HEADER_TIMEOUT_MS);
    expire();
    assert_heard("HTTP/1.1 408 ");
}

/* Old clients send an empty line after a POST: it is no request, so that nothing is late. */
static void connection_empty_lines_leave_it_idle(void **state)
{
    (void)state;
    conversation_say(&talk, "GET /a HTTP/1.1\r\n\r\n");
    int64_t deadline_ms = talk.connection.deadline_ms;
    for (int i = 0; i < 4; i++) {
        talk.now_ms += 1000;
        conversation_say(&talk, "\r\n");
        assert_int_equal(talk.next, CONNECTION_WAIT_READABLE);
        assert_int_equal(talk.connection.deadline_ms, deadline_ms);
    }
    memory_transport_clear(&talk.peer);
    expire();
    assert_int_equal(talk.next, CONNECTION_END);
    assert_string_equal(conversation_heard(&talk), "");
}

/* Half an empty line is no request either. */
static void connection_cr_alone_leaves_it_idle(void **state)
{
    static const char *const lines[] = {"\r", "\n\r", "\n"};
    (void)state;
    conversation_say(&talk, "GET /a HTTP/1.1\r\n\r\n");
    int64_t deadline_ms = talk.connection.deadline_ms;
    for (size_t i = 0; i < ROWS(lines); i++) {
        talk.now_ms += 1000;
        conversation_say(&talk, lines[i]);
        assert_true(connection_is_idle(&talk.connection));
        assert_int_equal(talk.connection.deadline_ms, deadline_ms);
    }
    conversation_say(&talk, "\rG");
    assert_heard("HTTP/1.1 400 ");
}

static void connection_head_behind_empty_lines_has_its_time_from_its_first_byte(void **state)
{
    (void)state;
    conversation_say(&talk, "GET /a HTTP/1.1\r\n\r\n\r\n\r\n");
    talk.now_ms += 5000;
    conversation_say(&talk, "G");
    assert_int_equal(wait_left_ms(), CONVERSATION_HEADER_TIMEOUT_MS);
    expire();
    assert_heard("HTTP/1.1 408 ");
}

/* What comes after the time was up is not parsed: it may be the middle of anything. */
static void connection_late_head_is_never_answered(void **state)
{
    (void)state;
    conversation_say(&talk, "GET /a");
    expire();
    conversation_say(&talk, " HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
    assert_int_equal(count_heard("HTTP/1.1 "), 1);
}

static void connection_content_may_not_pause(void **state)
{
    (void)state;
    conversation_say(&talk, "POST /a HTTP/1.1\r\nContent-Length: 9\r\n\r\n");
    assert_int_equal(wait_left_ms(), CONVERSATION_BODY_TIMEOUT_MS);
    talk.now_ms += 15000;
    conversation_say(&talk, "x");
    assert_int_equal(wait_left_ms(), CONVERSATION_BODY_TIMEOUT_MS);
    talk.now_ms += 15000;
    conversation_go(&talk);
    assert_int_equal(wait_left_ms(), CONVERSATION_BODY_TIMEOUT_MS - 15000);
    expire();
    assert_heard("HTTP/1.1 408 ");
    assert_int_equal(talk.calls.complete, 0);
    assert_int_equal(talk.connection.state, CONNECTION_LINGER);
}

static void connection_content_may_not_crawl(void **state)
{
    (void)state;
    talk.limits.min_rate = 5;
    int64_t begin_ms = talk.now_ms;
    conversation_say(&talk, "POST /a HTTP/1.1\r\nContent-Length: 1000\r\n\r\n");
    assert_int_equal(talk.connection.deadline_ms, begin_ms + PACE_GRACE_MS);
    talk.now_ms += 9000;
    conversation_say(&talk, "50 bytes are paid for in the ten seconds of grace,");
    assert_int_equal(talk.connection.deadline_ms, begin_ms + PACE_GRACE_MS);
    conversation_say(&talk, "and 10 more");
    assert_int_equal(talk.connection.deadline_ms, begin_ms + PACE_GRACE_MS + 2200);
    expire();
    assert_heard("HTTP/1.1 408 ");
}

/* Framing is no content, but it is a sign of life. */
static void connection_framing_counts_as_progress(void **state)
{
    (void)state;
    conversation_say(&talk, "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    talk.now_ms += 15000;
    conversation_say(&talk, "00");
    assert_int_equal(wait_left_ms(), CONVERSATION_BODY_TIMEOUT_MS);
}

/* --- answers ------------------------------------------------------------------------------- */

static void connection_continue_that_nobody_takes_is_given_up(void **state)
{
    (void)state;
    talk.peer.room = 3;
    conversation_say(&talk, "POST / HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    expire();
    assert_int_equal(talk.next, CONNECTION_ABORT);
    assert_int_equal(talk.calls.end, 1);
    assert_int_equal(talk.calls.status, HTTP_GO_ON);
    assert_true(talk.calls.broken);
}

/* Asks for the file; the peer takes so many bytes of the answer. */
static void begin_download_unseen(size_t room)
{
    talk.file = talk_file;
    talk.file_bytes = FILE_BYTES;
    talk.peer.room = room;
    conversation_say(&talk, "GET /file HTTP/1.1\r\n\r\n");
    assert_int_equal(talk.next, CONNECTION_WAIT_WRITABLE);
}

/* The same, and it acknowledges none. */
static void begin_download(size_t room)
{
    talk.peer.unacknowledged += room;
    begin_download_unseen(room);
}

static void connection_answer_that_nobody_takes_is_given_up(void **state)
{
    (void)state;
    begin_download(0);
    assert_int_equal(wait_left_ms(), CONVERSATION_WRITE_TIMEOUT_MS);
    expire();
    assert_int_equal(talk.next, CONNECTION_ABORT);
    assert_int_equal(talk.calls.status, HTTP_OK);
    assert_int_equal(talk.calls.content_sent, 0);
    assert_true(talk.calls.broken);
}

/* The kernel may have taken megabytes: what the peer has acknowledged is what counts. */
static void connection_bytes_in_the_kernel_are_no_progress(void **state)
{
    (void)state;
    begin_download(100000);
    int64_t deadline_ms = talk.now_ms + CONVERSATION_WRITE_TIMEOUT_MS;
    talk.now_ms += 10000;
    talk.peer.room = 50000;
    talk.peer.unacknowledged += 50000;
    conversation_run(&talk, CONNECTION_GO);
    assert_int_equal(talk.next, CONNECTION_WAIT_WRITABLE);
    assert_int_equal(talk.connection.deadline_ms, deadline_ms);
    expire();
    assert_int_equal(talk.next, CONNECTION_ABORT);
}

/* A slow reader opens the socket for writing rarely; the deadline is when it is looked at. */
static void connection_acknowledged_bytes_are_progress(void **state)
{
    (void)state;
    begin_download(100000);
    talk.peer.unacknowledged = 99000;
    expire();
    assert_int_equal(talk.next, CONNECTION_WAIT_WRITABLE);
    assert_int_equal(wait_left_ms(), CONVERSATION_WRITE_TIMEOUT_MS);
    talk.peer.unacknowledged = 98999;
    expire();
    assert_int_equal(talk.next, CONNECTION_WAIT_WRITABLE);
    expire();
    assert_int_equal(talk.next, CONNECTION_ABORT);
}

/* What took long before was not the peer's doing: it has taken all, as fast as it was sent. */
static void connection_first_stall_of_a_long_answer_is_waited_for(void **state)
{
    (void)state;
    talk.file = talk_file;
    talk.file_bytes = FILE_BYTES;
    memory_transport_feed(&talk.peer, SLICE("GET /file HTTP/1.1\r\n\r\n"));
    conversation_run(&talk, CONNECTION_GO);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(talk.next, CONNECTION_SHARE);
        talk.now_ms += CONVERSATION_WRITE_TIMEOUT_MS;
        conversation_run(&talk, CONNECTION_GO);
    }
    assert_int_equal(talk.next, CONNECTION_SHARE);

    talk.now_ms += CONVERSATION_WRITE_TIMEOUT_MS;
    talk.peer.room = 0;
    talk.peer.unacknowledged = 100000;
    conversation_run(&talk, CONNECTION_GO);
    assert_int_equal(talk.next, CONNECTION_WAIT_WRITABLE);
    assert_int_equal(wait_left_ms(), CONVERSATION_WRITE_TIMEOUT_MS);
    talk.now_ms = talk.connection.deadline_ms - 1;
    conversation_run(&talk, CONNECTION_GO);
    assert_int_equal(talk.next, CONNECTION_WAIT_WRITABLE);
    expire();
    assert_int_equal(talk.next, CONNECTION_ABORT);
}

/* The rate too is reckoned from where the peer was first waited for. */
static void connection_first_stall_of_a_long_answer_has_its_grace(void **state)
{
    (void)state;
    talk.limits.min_rate = 1000000;
    talk.file = talk_file;
    talk.file_bytes = FILE_BYTES;
    memory_transport_feed(&talk.peer, SLICE("GET /file HTTP/1.1\r\n\r\n"));
    conversation_run(&talk, CONNECTION_GO);
    assert_int_equal(talk.next, CONNECTION_SHARE);
    talk.now_ms += 60000;
    talk.peer.room = 0;
    talk.peer.unacknowledged = 100000;
    conversation_run(&talk, CONNECTION_GO);
    assert_int_equal(talk.next, CONNECTION_WAIT_WRITABLE);
    assert_int_equal(wait_left_ms(), PACE_GRACE_MS);
    expire();
    assert_int_equal(talk.next, CONNECTION_ABORT);
}

/* A transport that cannot tell says 0 once: then nothing seems to be on its way, and later more
 * than ever. That must not be taken for progress, nor for any number of bytes below zero.
 */
static void connection_acknowledgements_that_go_back_are_no_progress(void **state)
{
    (void)state;
    talk.peer.unacknowledged = 0;
    begin_download_unseen(100000);
    int64_t deadline_ms = talk.now_ms + CONVERSATION_WRITE_TIMEOUT_MS;
    assert_int_equal(talk.connection.deadline_ms, deadline_ms);
    static const uint64_t values[] = {100000, 99000, UINT64_MAX, 1};
    for (size_t i = 0; i < ROWS(values); i++) {
        talk.now_ms += 1000;
        talk.peer.unacknowledged = values[i];
        conversation_run(&talk, CONNECTION_GO);
        assert_int_equal(talk.next, CONNECTION_WAIT_WRITABLE);
        assert_int_equal(talk.connection.deadline_ms, deadline_ms);
    }
    expire();
    assert_int_equal(talk.next, CONNECTION_ABORT);
}

/* A peer that still takes the answer before gets on; this one must wait behind that. */
static void connection_acknowledged_bytes_of_answers_before_are_progress(void **state)
{
    (void)state;
    talk.file = talk_file;
    talk.file_bytes = 500000;
    talk.peer.unacknowledged = 500000;
    conversation_say(&talk, "GET /file HTTP/1.1\r\n\r\n");
    assert_int_equal(talk.next, CONNECTION_WAIT_READABLE);
    begin_download_unseen(0);
    for (int i = 0; i < 3; i++) {
        talk.peer.unacknowledged -= 1000;
        expire();
        assert_int_equal(talk.next, CONNECTION_WAIT_WRITABLE);
        assert_int_equal(wait_left_ms(), CONVERSATION_WRITE_TIMEOUT_MS);
    }
    expire();
    assert_int_equal(talk.next, CONNECTION_ABORT);
}

/* 60000 bytes acknowledged, at 1000 a second, are paid for until the sixtieth second. */
static void connection_answer_may_not_crawl(void **state)
{
    (void)state;
    talk.limits.min_rate = 1000;
    talk.limits.write_timeout_ms = 1000000;
    int64_t begin_ms = talk.now_ms;
    begin_download(100000);
    talk.now_ms += PACE_GRACE_MS - 1;
    talk.peer.unacknowledged = 40000;
    conversation_run(&talk, CONNECTION_GO);
    assert_int_equal(talk.connection.deadline_ms, begin_ms + 60000);
    talk.now_ms = begin_ms + 59999;
    conversation_run(&talk, CONNECTION_GO);
    assert_int_equal(talk.next, CONNECTION_WAIT_WRITABLE);
    talk.now_ms = begin_ms + 60000;
    conversation_run(&talk, CONNECTION_GO);
    assert_int_equal(talk.next, CONNECTION_ABORT);
}

static void connection_answer_that_can_be_sent_at_the_deadline_is_sent(void **state)
{
    (void)state;
    talk.peer.room = 10;
    conversation_say(&talk, "GET /a HTTP/1.1\r\n\r\n");
    assert_int_equal(talk.next, CONNECTION_WAIT_WRITABLE);
    talk.peer.room = MEMORY_TRANSPORT_UNLIMITED;
    expire();
    assert_heard("\nGET /a ");
    assert_int_equal(talk.next, CONNECTION_WAIT_READABLE);
    assert_int_equal(wait_left_ms(), CONVERSATION_IDLE_TIMEOUT_MS);
}

/* The time and the bytes of the content are none of the answer's. */
static void connection_answer_has_its_own_time(void **state)
{
    (void)state;
    talk.limits.min_rate = 1;
    conversation_say(&talk, "POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nab");
    talk.now_ms += 9000;
    talk.peer.room = 0;
    conversation_say(&talk, "c");
    assert_int_equal(talk.next, CONNECTION_WAIT_WRITABLE);
    assert_int_equal(wait_left_ms(), PACE_GRACE_MS);
    expire();
    assert_int_equal(talk.next, CONNECTION_ABORT);
}

/* Earlier answers may be on their way still: these bytes are none of this one's. */
static void connection_answers_before_are_no_progress(void **state)
{
    (void)state;
    talk.limits.min_rate = 1000;
    talk.peer.unacknowledged = 1000000;
    begin_download(1000);
    assert_int_equal(wait_left_ms(), PACE_GRACE_MS);
    expire();
    assert_int_equal(talk.next, CONNECTION_ABORT);
}

static void connection_lingering_ends_in_time(void **state)
{
    (void)state;
    conversation_say(&talk, "wrong\r\n\r\n");
    expire();
    assert_int_equal(talk.next, CONNECTION_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TALK_TEST(connection_that_sends_nothing_is_closed_silently),
        TALK_TEST(connection_idle_time_begins_with_the_answer),
        TALK_TEST(connection_head_must_be_whole_in_time_from_its_first_byte),
        TALK_TEST(connection_next_head_has_its_own_time),
        TALK_TEST(connection_empty_lines_leave_it_idle),
        TALK_TEST(connection_cr_alone_leaves_it_idle),
        TALK_TEST(connection_head_behind_empty_lines_has_its_time_from_its_first_byte),
        TALK_TEST(connection_late_head_is_never_answered),
        TALK_TEST(connection_content_may_not_pause),
        TALK_TEST(connection_content_may_not_crawl),
        TALK_TEST(connection_framing_counts_as_progress),
        TALK_TEST(connection_continue_that_nobody_takes_is_given_up),
        TALK_TEST(connection_answer_that_nobody_takes_is_given_up),
        TALK_TEST(connection_bytes_in_the_kernel_are_no_progress),
        TALK_TEST(connection_acknowledged_bytes_are_progress),
        TALK_TEST(connection_first_stall_of_a_long_answer_is_waited_for),
        TALK_TEST(connection_first_stall_of_a_long_answer_has_its_grace),
        TALK_TEST(connection_acknowledgements_that_go_back_are_no_progress),
        TALK_TEST(connection_acknowledged_bytes_of_answers_before_are_progress),
        TALK_TEST(connection_answer_may_not_crawl),
        TALK_TEST(connection_answer_that_can_be_sent_at_the_deadline_is_sent),
        TALK_TEST(connection_answer_has_its_own_time),
        TALK_TEST(connection_answers_before_are_no_progress),
        TALK_TEST(connection_lingering_ends_in_time),
    };
    return cmocka_run_group_tests(tests, make_file, talk_close_file);
}
