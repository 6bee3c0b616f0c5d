/* The same conversation must come out however it is cut up, and wherever it breaks off. */
#include "tests/unit/talk.h"

#include "tests/support/failing_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_BYTES 1000
#define LONG_BYTES 5000

static int file;

static int make_file(void **state)
{
    char bytes[FILE_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)('a' + i % 26);
    file = memfd_create("file", MFD_CLOEXEC);
    return file < 0 || write(file, bytes, sizeof(bytes)) != sizeof(bytes);
}

static int close_file(void **state)
{
    (void)state;
    return close(file);
}

/* One of each kind of request; the last ends the connection. */
static const char all_kinds[] = "\r\nGET /first HTTP/1.1\r\nHost: x\r\n\r\n"
                                "POST /length HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
                                "HEAD /file HTTP/1.1\r\n\r\n"
                                "POST /chunks HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "3\r\nabc\r\nb;a=b\r\ndefghijklmn\r\n0\r\nA: b\r\n\r\n"
                                "GET /borrowed HTTP/1.1\r\nX: y\r\n\r\n"
                                "GET /file HTTP/1.1\r\n\r\n"
                                "GET /parts HTTP/1.1\r\n\r\n"
                                "POST /block HTTP/1.1\r\nContent-Length: 2\r\n\r\nxy"
                                "GET /empty HTTP/1.1\r\n\r\n"
                                "GET /lines HTTP/1.1\r\n\r\n"
                                "POST /wrong HTTP/1.1\r\nContent-Length: 9\r\n\r\noh";
#define ALL_KINDS_COUNT 11

/* How a conversation is cut up. */
struct cuts {
    size_t piece;  /* bytes that come at a time */
    size_t window; /* bytes that are taken before it has to wait */
    bool copies;   /* no send_file() */
};

static const struct cuts whole = {MEMORY_TRANSPORT_UNLIMITED, MEMORY_TRANSPORT_UNLIMITED, false};

static void start(struct cuts cuts)
{
    talk.transport = memory_transport(&talk.peer, !cuts.copies);
    conversation_restart(&talk);
    talk.file = file;
    talk.file_offset = 0;
    talk.file_bytes = FILE_BYTES;
    talk.peer.piece = cuts.piece;
    talk.peer.room = talk.window = cuts.window;
}

/* What is heard when the whole conversation runs with these cuts; owned by the caller. */
static char *hear(struct cuts cuts)
{
    start(cuts);
    conversation_say(&talk, all_kinds);
    assert_int_equal(talk.calls.end, ALL_KINDS_COUNT);
    assert_int_equal(talk.connection.state, CONNECTION_LINGER);
    char *heard = strdup(conversation_heard(&talk));
    assert_non_null(heard);
    return heard;
}

static void connection_kinds_of_requests_are_all_answered(void **state)
{
    (void)state;
    char *heard = hear(whole);
    assert_int_equal(count_heard("HTTP/1.1 200 OK\r\n"), 8);
    assert_int_equal(count_heard("HTTP/1.1 204 No Content\r\n"), 1);
    assert_int_equal(count_heard("HTTP/1.1 400 Bad Request\r\n"), 1);
    assert_heard("\r\n\r\nPOST /chunks abcdefghijklmn");
    assert_heard("\r\n\r\nGET /borrowed HTTP/1.1HTTP/1.1 200 OK\r\n");
    assert_heard("\r\n\r\nabcdefghijklmnopqrstuvwxyz");
    assert_heard("\r\nContent-Length: 228\r\n\r\n[first:a][second:bcdef");
    assert_heard("opqrs][third:op]HTTP/1.1 200 OK\r\n");
    free(heard);
}

static void connection_output_is_the_same_however_it_is_taken(void **state)
{
    static const size_t windows[] = {1, 2, 7, 63, 64, 65, 300, 1000};
    (void)state;
    char *expected = hear(whole);
    for (size_t i = 0; i < ROWS(windows); i++)
        for (int copies = 0; copies < 2; copies++) {
            char *heard = hear((struct cuts){whole.piece, windows[i], copies});
            assert_string_equal(heard, expected);
            free(heard);
        }
    free(expected);
}

/* Copying them costs less than what the kernel does with a list of parts, as long as they are
 * short.
 */
static void connection_short_head_and_content_are_sent_as_one_part(void **state)
{
    (void)state;
    start(whole);
    conversation_say(&talk, "GET /short HTTP/1.1\r\n\r\n");
    assert_int_equal(talk.peer.parts, 1);
    assert_heard("\r\n\r\nGET /short ");
}

static void connection_long_content_is_sent_from_where_it_is(void **state)
{
    char request[LONG_BYTES + 100];
    (void)state;
    start(whole);
    int head = snprintf(request, sizeof(request),
                        "POST /long HTTP/1.1\r\nContent-Length: %d\r\n\r\n", LONG_BYTES);
    memset(request + head, 'x', LONG_BYTES);
    request[head + LONG_BYTES] = '\0';
    conversation_say(&talk, request);
    assert_int_equal(talk.peer.parts, 2);
}

static void connection_output_is_the_same_however_the_input_comes(void **state)
{
    (void)state;
    char *expected = hear(whole);
    for (size_t piece = 1; piece < 60; piece++) {
        char *heard = hear((struct cuts){piece, whole.window, false});
        assert_string_equal(heard, expected);
        free(heard);
    }
    free(expected);
}

static void connection_output_is_the_same_byte_by_byte_both_ways(void **state)
{
    (void)state;
    char *expected = hear(whole);
    char *heard = hear((struct cuts){1, 1, true});
    assert_string_equal(heard, expected);
    free(heard);
    free(expected);
}

static void connection_output_is_the_same_wherever_the_input_is_split(void **state)
{
    (void)state;
    char *expected = hear(whole);
    for (size_t len = 1; len < strlen(all_kinds); len++) {
        start(whole);
        memory_transport_feed(&talk.peer, (struct slice){all_kinds, len});
        conversation_go(&talk);
        conversation_say(&talk, all_kinds + len);
        if (strcmp(conversation_heard(&talk), expected) != 0)
            fail_msg("another answer, split at %zu", len);
    }
    free(expected);
}

/* --- breaking off -------------------------------------------------------------------------- */

/* The service must hear the end of each exchange that it has heard of: conversation.c sees to
 * that, and AddressSanitizer to what is left over.
 */
static void break_off_after(size_t len, int error)
{
    start(whole);
    memory_transport_feed(&talk.peer, (struct slice){all_kinds, len});
    conversation_go(&talk);
    talk.peer.ended = error == 0;
    talk.peer.receive_error = error;
    conversation_go(&talk);
    assert_int_equal(talk.next, CONNECTION_END);
    assert_int_equal(talk.calls.begin, talk.calls.end);
}

static void connection_peer_may_end_anywhere(void **state)
{
    (void)state;
    for (size_t len = 0; len <= strlen(all_kinds); len++)
        break_off_after(len, 0);
}

static void connection_peer_may_reset_anywhere(void **state)
{
    (void)state;
    for (size_t len = 0; len <= strlen(all_kinds); len++)
        break_off_after(len, ECONNRESET);
}

static void connection_sending_may_break_anywhere(void **state)
{
    (void)state;
    char *expected = hear(whole);
    for (size_t room = 0; room < strlen(expected); room++) {
        start(whole);
        talk.peer.room = room;
        talk.peer.send_error = EPIPE;
        conversation_say(&talk, all_kinds);
        assert_int_equal(talk.next, CONNECTION_END);
        assert_true(talk.calls.broken);
        assert_memory_equal(conversation_heard(&talk), expected, room);
    }
    free(expected);
}

static void connection_may_have_to_leave_anywhere(void **state)
{
    (void)state;
    for (size_t len = 0; len <= strlen(all_kinds); len++) {
        start(whole);
        memory_transport_feed(&talk.peer, (struct slice){all_kinds, len});
        conversation_go(&talk);
        conversation_run(&talk, CONNECTION_LEAVE);
        assert_int_equal(talk.next, CONNECTION_END);
        assert_int_equal(talk.calls.begin, talk.calls.end);
    }
}

/* A client that has said all it wants may shut its side down: it still gets its answer. */
static void connection_half_closed_peer_is_answered(void **state)
{
    (void)state;
    talk.peer.ended = true;
    talk.window = talk.peer.room = 10;
    conversation_say(&talk, "GET /a HTTP/1.1\r\n\r\n");
    assert_heard("\nGET /a ");
    assert_false(talk.calls.broken);
    assert_int_equal(talk.next, CONNECTION_END);
}

static void connection_part_of_a_file_is_sent(void **state)
{
    (void)state;
    for (int copies = 0; copies < 2; copies++) {
        start((struct cuts){whole.piece, whole.window, copies});
        talk.file_offset = 30;
        talk.file_bytes = 3;
        conversation_say(&talk, "GET /file HTTP/1.1\r\n\r\nGET /empty HTTP/1.1\r\n\r\n");
        assert_heard("Content-Length: 3\r\n\r\nefgHTTP/1.1 204 ");
        assert_int_equal(talk.calls.end, 2);
    }
}

/* --- trouble with files and memory ----------------------------------------------------------- */

static void connection_file_that_is_too_short_ends_the_connection(void **state)
{
    (void)state;
    for (int copies = 0; copies < 2; copies++) {
        start((struct cuts){whole.piece, whole.window, copies});
        talk.file_bytes = FILE_BYTES + 1;
        conversation_say(&talk, "GET /file HTTP/1.1\r\n\r\nGET /no HTTP/1.1\r\n\r\n");
        assert_heard("Content-Length: 1001\r\n");
        assert_int_equal(talk.next, CONNECTION_END);
        assert_int_equal(talk.calls.content_sent, FILE_BYTES);
        assert_true(talk.calls.file_failed);
        assert_true(talk.calls.broken);
        assert_int_equal(talk.calls.begin, 1);
    }
}

/* Byte by byte, so that all that can be copied is copied. */
static void connection_without_memory_is_closed_and_nothing_leaks(void **state)
{
    static const struct cuts cuts = {3, 40, false};
    (void)state;
    free(hear(cuts)); /* now the transport has the memory that it needs */
    bool failed = true;
    unsigned count = 0;
    for (; failed; count++) {
        start(cuts);
        failing_memory_after(count);
        conversation_say(&talk, all_kinds);
        failed = failing_memory_end();
        assert_true(talk.over || talk.connection.state == CONNECTION_LINGER);
        assert_not_heard("#"); /* memory that has been lent before */
    }
    assert_in_range(count, 50, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TALK_TEST(connection_kinds_of_requests_are_all_answered),
        TALK_TEST(connection_short_head_and_content_are_sent_as_one_part),
        TALK_TEST(connection_long_content_is_sent_from_where_it_is),
        TALK_TEST(connection_output_is_the_same_however_it_is_taken),
        TALK_TEST(connection_output_is_the_same_however_the_input_comes),
        TALK_TEST(connection_output_is_the_same_byte_by_byte_both_ways),
        TALK_TEST(connection_output_is_the_same_wherever_the_input_is_split),
        TALK_TEST(connection_peer_may_end_anywhere),
        TALK_TEST(connection_peer_may_reset_anywhere),
        TALK_TEST(connection_sending_may_break_anywhere),
        TALK_TEST(connection_may_have_to_leave_anywhere),
        TALK_TEST(connection_half_closed_peer_is_answered),
        TALK_TEST(connection_part_of_a_file_is_sent),
        TALK_TEST(connection_file_that_is_too_short_ends_the_connection),
        TALK_TEST(connection_without_memory_is_closed_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, make_file, close_file);
}
