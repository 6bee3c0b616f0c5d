/* Goal: a peer that reads fast gets more at a time, and only such a peer. */
#include "tests/unit/talk.h"

#define FILE_BYTES (64 * MIB)
#define MIB        1048576

static int make_file(void **state)
{
    (void)state;
    return talk_make_file(FILE_BYTES);
}

static void ask(void)
{
    talk.file = talk_file;
    talk.file_bytes = FILE_BYTES;
    memory_transport_feed(&talk.peer, SLICE("GET /file HTTP/1.1\r\n\r\n"));
    conversation_run(&talk, CONNECTION_GO);
}

/* Runs on, at `bytes_per_ms`, until `bytes` have been sent. */
static void send_on(size_t bytes, size_t bytes_per_ms)
{
    while (talk.peer.output.len < bytes) {
        size_t before = talk.peer.output.len;
        conversation_run(&talk, CONNECTION_GO);
        talk.now_ms += (int64_t)((talk.peer.output.len - before) / bytes_per_ms);
    }
}

static void connection_fast_peer_has_more_held_for_it(void **state)
{
    (void)state;
    ask();
    send_on(4 * MIB - MIB, 20000);
    assert_false(talk.peer.holds_more);
    send_on(5 * MIB, 20000);
    assert_true(talk.peer.holds_more);
}

static void connection_slow_peer_has_no_more_held_for_it(void **state)
{
    (void)state;
    ask();
    send_on(40 * MIB, 12000);
    assert_false(talk.peer.holds_more);
}

/* The peer's room ends before the share does, twice. */
static void connection_fast_peer_that_is_waited_for_has_more_held_too(void **state)
{
    (void)state;
    ask();
    talk.peer.room = 300000;
    conversation_run(&talk, CONNECTION_GO);
    assert_int_equal(talk.next, CONNECTION_WAIT_WRITABLE);
    talk.peer.room = MEMORY_TRANSPORT_UNLIMITED;
    send_on(3800000, 20000);
    assert_false(talk.peer.holds_more);
    talk.peer.room = 4 * MIB + 1000 - talk.peer.output.len;
    conversation_run(&talk, CONNECTION_GO);
    assert_int_equal(talk.next, CONNECTION_WAIT_WRITABLE);
    assert_true(talk.peer.holds_more);
}

static void connection_peer_that_becomes_slow_has_no_more_held(void **state)
{
    (void)state;
    ask();
    send_on(8 * MIB, 20000);
    assert_true(talk.peer.holds_more);
    talk.now_ms += 1000;
    conversation_run(&talk, CONNECTION_GO);
    assert_false(talk.peer.holds_more);
}

static void connection_answer_that_ends_has_no_more_held(void **state)
{
    (void)state;
    ask();
    send_on(8 * MIB, 20000);
    assert_true(talk.peer.holds_more);
    while (talk.connection.state != CONNECTION_HEAD)
        conversation_run(&talk, CONNECTION_GO);
    assert_false(talk.peer.holds_more);
}

static void connection_share_of_a_fast_peer_is_larger(void **state)
{
    (void)state;
    ask();
    size_t usual = talk.peer.output.len;
    send_on(5 * MIB, 20000);
    size_t before = talk.peer.output.len;
    conversation_run(&talk, CONNECTION_GO);
    assert_int_equal(talk.next, CONNECTION_SHARE);
    assert_true(talk.peer.output.len - before >= 3 * usual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TALK_TEST(connection_fast_peer_has_more_held_for_it),
        TALK_TEST(connection_slow_peer_has_no_more_held_for_it),
        TALK_TEST(connection_fast_peer_that_is_waited_for_has_more_held_too),
        TALK_TEST(connection_peer_that_becomes_slow_has_no_more_held),
        TALK_TEST(connection_answer_that_ends_has_no_more_held),
        TALK_TEST(connection_share_of_a_fast_peer_is_larger),
    };
    return cmocka_run_group_tests(tests, make_file, talk_close_file);
}
