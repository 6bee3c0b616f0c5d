/* Each conversation with the transport runs with and without send_file(), and with a peer that
 * takes one byte at a time up to all at once.
 */
#include "http/output.h"
#include "http/text.h"
#include "tests/support/failing_memory.h"
#include "tests/support/memory_transport.h"
#include "tests/unit/assert_slice.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define CHUNK_SIZE  16
#define FILE_BYTES  100

static char chunk_buffer[CHUNK_SIZE];
static const struct output_chunk chunk = {chunk_buffer, sizeof(chunk_buffer)};
static char file_bytes[FILE_BYTES + 1];
static int file;
static struct memory_transport peer;
static struct transport transport;

static int make_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILE_BYTES; i++)
        file_bytes[i] = (char)('!' + i % 90);
    file = memfd_create("file", MFD_CLOEXEC);
    return file < 0 || write(file, file_bytes, FILE_BYTES) != FILE_BYTES;
}

static int close_file(void **state)
{
    (void)state;
    return close(file);
}

static int begin(void **state)
{
    (void)state;
    memory_transport_init(&peer);
    transport = memory_transport(&peer, true);
    return 0;
}

static int end(void **state)
{
    (void)state;
    memory_transport_deinit(&peer);
    return 0;
}

static struct output output_of(const char *first, const char *second, off_t offset, uint64_t len)
{
    struct output output;
    output_init(&output);
    output_add(&output, slice_from_string(first), 0, 0);
    output_add(&output, slice_from_string(second), offset, len);
    if (len > 0)
        output.file = fcntl(file, F_DUPFD_CLOEXEC, 0);
    return output;
}

/* Sends all, so much at a time, and keeps what is borrowed whenever it has to wait. */
static void send_all(struct output *output, size_t window, bool copies)
{
    enum output_outcome outcome = OUTPUT_BLOCKED;
    transport = memory_transport(&peer, !copies);
    while (outcome == OUTPUT_BLOCKED) {
        peer.room = window;
        outcome = output_send(output, &transport, chunk, 1000000);
        assert_int_equal(output_keep(output), 0);
    }
    assert_int_equal(outcome, OUTPUT_DONE);
}

static const struct {
    const char *first;
    const char *second;
    off_t offset;
    uint64_t len;
    const char *label;
} messages[] = {
    {"", "", 0, 0, "nothing"},
    {"head", "", 0, 0, "one part"},
    {"", "content", 0, 0, "the second part"},
    {"head", "content", 0, 0, "two parts"},
    {"head", "", 0, FILE_BYTES, "a whole file"},
    {"head", "", 7, 1, "one byte of a file"},
    {"head", "", 3, CHUNK_SIZE - 1, "less than a chunk"},
    {"head", "", 3, CHUNK_SIZE, "a chunk"},
    {"head", "", 3, CHUNK_SIZE + 1, "more than a chunk"},
    {"", "", FILE_BYTES - 40, 40, "the end of a file, and no part"},
    {"head", "between", 20, 50, "all three"},
};

static void output_is_sent_whole_and_in_order(void **state)
{
    static const size_t windows[] = {1, 2, 3, 5, 11, 16, 17, 1000};
    (void)state;
    for (size_t i = 0; i < ROWS(messages); i++)
        for (size_t j = 0; j < ROWS(windows) * 2; j++) {
            char expected[FILE_BYTES + 64] = "";
            struct text text = text_over(expected, sizeof(expected) - 1);
            text_append(&text, slice_from_string(messages[i].first));
            text_append(&text, slice_from_string(messages[i].second));
            text_append(&text, (struct slice){file_bytes + messages[i].offset, messages[i].len});

            memory_transport_clear(&peer);
            struct output output = output_of(messages[i].first, messages[i].second,
                                             messages[i].offset, messages[i].len);
            send_all(&output, windows[j / 2], j % 2);
            if (!slice_equal(memory_transport_output(&peer), text_slice(&text)))
                fail_msg("%s, %zu at a time: %s", messages[i].label, windows[j / 2],
                         memory_transport_output(&peer).data);
            assert_int_equal(output.sent_bytes, text.len);
            output_deinit(&output);
        }
}

/* As multipart/byteranges: lines of memory, each before a part of the file, and a last one. */
static void output_of_all_pieces_is_sent_in_order(void **state)
{
    static const struct {
        const char *memory;
        off_t offset;
        uint64_t len;
    } pieces[OUTPUT_PIECES_MAX] = {
        {"head", 0, 0},
        {"first", 0, CHUNK_SIZE + 5},
        {"second", 30, 3},
        {"", 40, CHUNK_SIZE},
        {"fourth", 60, CHUNK_SIZE * 2},
        {"end", 0, 0},
    };
    static const size_t windows[] = {1, 2, 3, 7, 1000};
    (void)state;
    for (size_t i = 0; i < ROWS(windows) * 2; i++) {
        char expected[FILE_BYTES + 64] = "";
        struct text text = text_over(expected, sizeof(expected) - 1);
        struct output output;
        output_init(&output);
        output.file = fcntl(file, F_DUPFD_CLOEXEC, 0);
        for (size_t j = 0; j < ROWS(pieces); j++) {
            text_append(&text, slice_from_string(pieces[j].memory));
            text_append(&text, (struct slice){file_bytes + pieces[j].offset, pieces[j].len});
            output_add(&output, slice_from_string(pieces[j].memory), pieces[j].offset,
                       pieces[j].len);
        }
        memory_transport_clear(&peer);
        send_all(&output, windows[i / 2], i % 2);
        assert_false(text.truncated);
        assert_true(slice_equal(memory_transport_output(&peer), text_slice(&text)));
        output_deinit(&output);
    }
}

static void output_nothing_is_done_without_a_call(void **state)
{
    (void)state;
    struct output output;
    output_init(&output);
    assert_int_equal(output_send(&output, &transport, chunk, 100), OUTPUT_DONE);
    assert_int_equal(peer.sends + peer.file_sends, 0);
    output_deinit(&output);
}

/* The kernel may put the head and the beginning of the file into one segment. */
static void output_small_file_goes_with_its_head(void **state)
{
    (void)state;
    struct output output = output_of("head", "", 0, CHUNK_SIZE);
    assert_int_equal(output_send(&output, &transport, chunk, 1000), OUTPUT_DONE);
    assert_int_equal(peer.sends, 1);
    assert_int_equal(peer.file_sends, 0);
    assert_false(peer.more);
    output_deinit(&output);
}

static void output_large_file_announces_that_more_follows_its_head(void **state)
{
    (void)state;
    struct output output = output_of("head", "", 0, CHUNK_SIZE + 1);
    peer.room = 5;
    assert_int_equal(output_send(&output, &transport, chunk, 1000), OUTPUT_BLOCKED);
    assert_slice_is(memory_transport_output(&peer), "head!");
    assert_int_equal(peer.sends, 1);
    assert_true(peer.more);
    assert_int_equal(peer.file_sends, 2); /* the second was not taken */
    output_deinit(&output);
}

static void output_copied_file_is_announced_chunk_by_chunk(void **state)
{
    (void)state;
    transport = memory_transport(&peer, false);
    struct output output = output_of("", "", 0, 2 * CHUNK_SIZE);
    peer.room = CHUNK_SIZE;
    assert_int_equal(output_send(&output, &transport, chunk, 1000), OUTPUT_BLOCKED);
    assert_int_equal(peer.output.len, CHUNK_SIZE);
    peer.room = CHUNK_SIZE;
    assert_int_equal(output_send(&output, &transport, chunk, 1000), OUTPUT_DONE);
    assert_int_equal(peer.sends, 3); /* one of them was not taken */
    assert_false(peer.more);
    output_deinit(&output);
}

static void output_stops_when_its_share_is_used_up(void **state)
{
    (void)state;
    for (int copies = 0; copies < 2; copies++) {
        memory_transport_clear(&peer);
        transport = memory_transport(&peer, !copies);
        struct output output = output_of("head", "", 0, FILE_BYTES);
        assert_int_equal(output_send(&output, &transport, chunk, 40), OUTPUT_SHARE);
        assert_in_range(output.sent_bytes, 40, 40 + CHUNK_SIZE);
        assert_int_equal(output_send(&output, &transport, chunk, 40), OUTPUT_SHARE);
        assert_in_range(output.sent_bytes, 80, 80 + 2 * CHUNK_SIZE);
        assert_int_equal(output_send(&output, &transport, chunk, 40), OUTPUT_DONE);
        assert_int_equal(peer.output.len, 4 + FILE_BYTES);
        output_deinit(&output);
    }
}

/* --- trouble ------------------------------------------------------------------------------- */

static void output_to_a_peer_that_has_gone_is_broken(void **state)
{
    (void)state;
    for (int copies = 0; copies < 2; copies++)
        for (size_t room = 0; room < 40; room++) {
            memory_transport_reset(&peer);
            transport = memory_transport(&peer, !copies);
            peer.room = room;
            peer.send_error = EPIPE;
            struct output output = output_of("head", "", 0, 40);
            assert_int_equal(output_send(&output, &transport, chunk, 1000), OUTPUT_BROKEN);
            assert_int_equal(output.sent_bytes, room);
            output_deinit(&output);
        }
}

static void output_of_a_file_that_has_shrunk_is_short(void **state)
{
    (void)state;
    for (int copies = 0; copies < 2; copies++) {
        memory_transport_clear(&peer);
        transport = memory_transport(&peer, !copies);
        struct output output = output_of("head", "", 60, FILE_BYTES);
        assert_int_equal(output_send(&output, &transport, chunk, 1000), OUTPUT_SHORT);
        assert_int_equal(output.sent_bytes, 4 + 40);
        output_deinit(&output);
    }
}

/* A directory opens, but cannot be read: EISDIR, or EINVAL from sendfile(2). */
static void output_of_a_file_that_cannot_be_read_is_short(void **state)
{
    static const uint64_t lengths[] = {CHUNK_SIZE, CHUNK_SIZE + 1};
    (void)state;
    for (int copies = 0; copies < 2; copies++)
        for (size_t i = 0; i < ROWS(lengths); i++) {
            transport = memory_transport(&peer, !copies);
            struct output output = output_of("head", "", 0, 0);
            output.file = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            output_add(&output, (struct slice){0}, 0, lengths[i]);
            enum output_outcome outcome = output_send(&output, &transport, chunk, 1000);
            assert_true(outcome == OUTPUT_SHORT || outcome == OUTPUT_BROKEN);
            output_deinit(&output);
        }
}

static ssize_t fail_to_send_file(void *context, int descriptor, off_t offset, size_t len)
{
    (void)descriptor;
    (void)offset;
    (void)len;
    errno = *(const int *)context;
    return -1;
}

static void output_tells_the_file_s_errors_from_the_peer_s(void **state)
{
    static const struct {
        int error;
        enum output_outcome outcome;
    } rows[] = {
        {EIO, OUTPUT_SHORT},      {EINVAL, OUTPUT_SHORT}, {ENOMEM, OUTPUT_SHORT},
        {EAGAIN, OUTPUT_BLOCKED}, {EPIPE, OUTPUT_BROKEN}, {ECONNRESET, OUTPUT_BROKEN},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        int error = rows[i].error;
        transport.send_file = fail_to_send_file;
        transport.context = &error;
        struct output output = output_of("", "", 0, FILE_BYTES);
        assert_int_equal(output_send(&output, &transport, chunk, 1000), rows[i].outcome);
        output_deinit(&output);
    }
}

/* --- keeping ------------------------------------------------------------------------------- */

static void output_kept_parts_need_not_live_on(void **state)
{
    char head[] = "the head";
    char content[] = "the content";
    (void)state;
    struct output output = output_of(head, content, 0, 30);
    peer.room = 3;
    assert_int_equal(output_send(&output, &transport, chunk, 1000), OUTPUT_BLOCKED);
    assert_int_equal(output_keep(&output), 0);
    memset(head, '#', sizeof(head));
    memset(content, '#', sizeof(content));
    peer.room = 4;
    assert_int_equal(output_send(&output, &transport, chunk, 1000), OUTPUT_BLOCKED);
    assert_int_equal(output_keep(&output), 0);
    peer.room = MEMORY_TRANSPORT_UNLIMITED;
    assert_int_equal(output_send(&output, &transport, chunk, 1000), OUTPUT_DONE);
    assert_memory_equal(memory_transport_output(&peer).data, "the headthe content!\"#$%&", 25);
    assert_int_equal(peer.output.len, 8 + 11 + 30);
    output_deinit(&output);
}

static void output_without_parts_keeps_nothing(void **state)
{
    (void)state;
    struct output output = output_of("", "", 0, 30);
    assert_int_equal(output_keep(&output), 0);
    assert_null(output.kept);
    output_deinit(&output);
}

static void output_that_cannot_be_kept_is_an_error(void **state)
{
    (void)state;
    struct output output = output_of("head", "", 0, 0);
    failing_memory_after(0);
    int result = output_keep(&output);
    assert_true(failing_memory_end());
    assert_int_equal(result, -1);
    assert_slice_is(output.pieces[0].memory, "head");
    output_deinit(&output);
}

static void output_deinit_closes_the_file_and_leaves_nothing(void **state)
{
    (void)state;
    struct output output = output_of("head", "", 0, 30);
    int descriptor = output.file;
    output_deinit(&output);
    assert_int_equal(fcntl(descriptor, F_GETFD), -1);
    assert_int_equal(output.file, -1);
    assert_int_equal(output_send(&output, &transport, chunk, 1000), OUTPUT_DONE);
    output_deinit(&output);
    assert_int_equal(peer.output.len, 0);
}

#define OUTPUT_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OUTPUT_TEST(output_is_sent_whole_and_in_order),
        OUTPUT_TEST(output_of_all_pieces_is_sent_in_order),
        OUTPUT_TEST(output_nothing_is_done_without_a_call),
        OUTPUT_TEST(output_small_file_goes_with_its_head),
        OUTPUT_TEST(output_large_file_announces_that_more_follows_its_head),
        OUTPUT_TEST(output_copied_file_is_announced_chunk_by_chunk),
        OUTPUT_TEST(output_stops_when_its_share_is_used_up),
        OUTPUT_TEST(output_to_a_peer_that_has_gone_is_broken),
        OUTPUT_TEST(output_of_a_file_that_has_shrunk_is_short),
        OUTPUT_TEST(output_of_a_file_that_cannot_be_read_is_short),
        OUTPUT_TEST(output_tells_the_file_s_errors_from_the_peer_s),
        OUTPUT_TEST(output_kept_parts_need_not_live_on),
        OUTPUT_TEST(output_without_parts_keeps_nothing),
        OUTPUT_TEST(output_that_cannot_be_kept_is_an_error),
        OUTPUT_TEST(output_deinit_closes_the_file_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, make_file, close_file);
}
