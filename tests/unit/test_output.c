/* Messages are sent with and without send_file(), and to a peer that takes one byte at a time up to
 * all at once.
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

/* A peer that has heard nothing yet, and a transport that copies files or does not. */
static void start(bool copies)
{
    memory_transport_reset(&peer);
    transport = memory_transport(&peer, !copies);
}

struct piece {
    const char *memory;
    off_t offset;
    uint64_t len;
};

static struct output output_of(const struct piece *pieces, size_t count)
{
    struct output output;
    output_init(&output);
    for (size_t i = 0; i < count; i++)
        output_add(&output, slice_from_string(pieces[i].memory), pieces[i].offset, pieces[i].len);
    output.file = fcntl(file, F_DUPFD_CLOEXEC, 0);
    return output;
}

/* A head, and then `len` bytes of the file. */
static struct output file_output(const char *head, off_t offset, uint64_t len)
{
    return output_of((const struct piece[]){{head, 0, 0}, {"", offset, len}}, 2);
}

static enum output_outcome send_some(struct output *output, uint64_t share_bytes)
{
    return output_send(output, &transport, chunk, share_bytes);
}

/* --- all there is -------------------------------------------------------------------------- */

static const struct {
    const char *label;
    struct piece pieces[OUTPUT_PIECES_MAX];
} messages[] = {
    {"nothing", {{"", 0, 0}}},
    {"a head", {{"head", 0, 0}}},
    {"head and content", {{"head", 0, 0}, {"content", 0, 0}}},
    {"more memory than one call takes", {{"a", 0, 0}, {"b", 0, 0}, {"c", 0, 0}, {"d", 0, 0}}},
    {"empty pieces between", {{"a", 0, 0}, {"", 0, 0}, {"", 0, 0}, {"d", 0, 0}, {"", 0, 0}}},
    {"a whole file", {{"head", 0, 0}, {"", 0, FILE_BYTES}}},
    {"a whole file in the head's piece", {{"head", 0, FILE_BYTES}}},
    {"one byte of a file", {{"head", 0, 0}, {"", 7, 1}}},
    {"less than a chunk", {{"head", 0, 0}, {"", 3, CHUNK_SIZE - 1}}},
    {"a chunk", {{"head", 0, 0}, {"", 3, CHUNK_SIZE}}},
    {"more than a chunk", {{"head", 0, 0}, {"", 3, CHUNK_SIZE + 1}}},
    {"only a file", {{"", FILE_BYTES - 40, 40}}},
    {"parts",
     {{"head", 0, 0},
      {"[1]", 0, 5},
      {"[2]", 90, 10},
      {"[3]", 20, 40},
      {"[4]", 7, 1},
      {"[]", 0, 0}}},
    {"parts side by side", {{"", 0, 20}, {"", 20, 3}, {"", 50, 30}}},
};

/* Sends all, so much at a time, and keeps what is borrowed whenever it has to wait. */
static void send_all(struct output *output, size_t window)
{
    enum output_outcome outcome = OUTPUT_BLOCKED;
    while (outcome == OUTPUT_BLOCKED) {
        peer.room = window;
        outcome = send_some(output, 1000000);
        assert_int_equal(output_keep(output), 0);
    }
    assert_int_equal(outcome, OUTPUT_DONE);
}

static void assert_message_is_sent(size_t row, size_t window, bool copies)
{
    char expected[4 * FILE_BYTES];
    struct text text = text_over(expected, sizeof(expected));
    for (size_t i = 0; i < OUTPUT_PIECES_MAX; i++) {
        const struct piece *piece = &messages[row].pieces[i];
        text_append(&text, slice_from_string(piece->memory));
        text_append(&text, (struct slice){file_bytes + piece->offset, piece->len});
    }
    start(copies);
    struct output output = output_of(messages[row].pieces, OUTPUT_PIECES_MAX);
    send_all(&output, window);
    if (!slice_equal(memory_transport_output(&peer), text_slice(&text)))
        fail_msg("%s, %zu at a time: %s", messages[row].label, window,
                 memory_transport_output(&peer).data);
    assert_int_equal(output.sent_bytes, text.len);
    output_deinit(&output);
}

static void output_is_sent_whole_and_in_order(void **state)
{
    static const size_t windows[] = {1, 2, 3, 5, 11, 16, 17, 1000};
    (void)state;
    for (size_t row = 0; row < ROWS(messages); row++)
        for (size_t i = 0; i < ROWS(windows); i++) {
            assert_message_is_sent(row, windows[i], false);
            assert_message_is_sent(row, windows[i], true);
        }
}

/* --- calls --------------------------------------------------------------------------------- */

static void output_nothing_is_done_without_a_call(void **state)
{
    struct output output;
    (void)state;
    output_init(&output);
    assert_int_equal(send_some(&output, 100), OUTPUT_DONE);
    output_add(&output, SLICE(""), 0, 0);
    assert_int_equal(send_some(&output, 100), OUTPUT_DONE);
    assert_int_equal(peer.sends + peer.file_sends, 0);
    output_deinit(&output);
}

/* The kernel may put the head and the beginning of the file into one segment. */
static void output_small_file_goes_with_its_head(void **state)
{
    (void)state;
    struct output output = file_output("head", 0, CHUNK_SIZE);
    assert_int_equal(send_some(&output, 1000), OUTPUT_DONE);
    assert_int_equal(peer.sends, 1);
    assert_int_equal(peer.file_sends, 0);
    assert_false(peer.more);
    output_deinit(&output);
}

static void output_large_file_announces_that_more_follows_its_head(void **state)
{
    (void)state;
    struct output output = file_output("head", 0, CHUNK_SIZE + 1);
    peer.room = 5;
    assert_int_equal(send_some(&output, 1000), OUTPUT_BLOCKED);
    assert_slice_is(memory_transport_output(&peer), "head!");
    assert_int_equal(peer.sends, 1);
    assert_true(peer.more);
    assert_int_equal(peer.file_sends, 2); /* the second was not taken */
    output_deinit(&output);
}

static void output_copied_file_is_announced_chunk_by_chunk(void **state)
{
    (void)state;
    start(true);
    struct output output = file_output("", 0, 2 * CHUNK_SIZE);
    peer.room = CHUNK_SIZE;
    assert_int_equal(send_some(&output, 1000), OUTPUT_BLOCKED);
    assert_int_equal(peer.output.len, CHUNK_SIZE);
    peer.room = CHUNK_SIZE;
    assert_int_equal(send_some(&output, 1000), OUTPUT_DONE);
    assert_int_equal(peer.sends, 3); /* one of them was not taken */
    assert_false(peer.more);
    output_deinit(&output);
}

/* Whatever one call cannot take is announced, or a segment would go out half empty. */
static void output_more_is_announced_while_more_follows(void **state)
{
    static const struct {
        struct piece pieces[OUTPUT_PIECES_MAX];
        bool copies;
        bool more;
    } rows[] = {
        {{{"a", 0, 0}, {"b", 0, 0}}, false, false},
        {{{"a", 0, 0}, {"b", 0, 0}, {"c", 0, 0}}, false, true},
        {{{"a", 0, 3}}, false, false},
        {{{"a", 0, 3}, {"b", 0, 0}}, false, true},
        {{{"a", 0, CHUNK_SIZE}}, true, false},
        {{{"a", 0, CHUNK_SIZE + 1}}, true, true},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        start(rows[i].copies);
        size_t count = 0;
        while (rows[i].pieces[count].memory)
            count++;
        struct output output = output_of(rows[i].pieces, count);
        peer.take = 1;
        assert_int_equal(send_some(&output, 1), OUTPUT_SHARE);
        if (peer.more != rows[i].more)
            fail_msg("row %zu", i);
        output_deinit(&output);
    }
}

static void output_stops_when_its_share_is_used_up(void **state)
{
    (void)state;
    for (int copies = 0; copies < 2; copies++) {
        start(copies);
        struct output output = file_output("head", 0, FILE_BYTES);
        assert_int_equal(send_some(&output, 40), OUTPUT_SHARE);
        assert_in_range(output.sent_bytes, 40, 40 + CHUNK_SIZE);
        assert_int_equal(send_some(&output, 40), OUTPUT_SHARE);
        assert_in_range(output.sent_bytes, 80, 80 + 2 * CHUNK_SIZE);
        assert_int_equal(send_some(&output, 40), OUTPUT_DONE);
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
            start(copies);
            peer.room = room;
            peer.send_error = EPIPE;
            struct output output = file_output("head", 0, 40);
            assert_int_equal(send_some(&output, 1000), OUTPUT_BROKEN);
            assert_int_equal(output.sent_bytes, room);
            output_deinit(&output);
        }
}

static void output_of_a_file_that_has_shrunk_is_short(void **state)
{
    static const uint64_t lengths[] = {CHUNK_SIZE, FILE_BYTES};
    (void)state;
    for (int copies = 0; copies < 2; copies++)
        for (size_t i = 0; i < ROWS(lengths); i++) {
            start(copies);
            off_t offset = FILE_BYTES - (off_t)lengths[i] / 2;
            struct output output = file_output("head", offset, lengths[i]);
            assert_int_equal(send_some(&output, 1000), OUTPUT_SHORT);
            assert_int_equal(output.sent_bytes, 4 + lengths[i] / 2);
            output_deinit(&output);
        }
}

/* Bytes of a later part must not take the place of what is missing. */
static void output_of_a_part_that_is_gone_stops_there(void **state)
{
    (void)state;
    for (int copies = 0; copies < 2; copies++) {
        start(copies);
        struct output output =
            output_of((const struct piece[]){{"a", FILE_BYTES, 20}, {"b", 0, 20}}, 2);
        assert_int_equal(send_some(&output, 1000), OUTPUT_SHORT);
        assert_in_range(output.sent_bytes, 0, 1);
        output_deinit(&output);
    }
}

/* A directory opens, but cannot be read. */
static void output_of_a_file_that_cannot_be_read_is_short(void **state)
{
    (void)state;
    for (uint64_t len = CHUNK_SIZE; len < CHUNK_SIZE + 2; len++) {
        start(true);
        struct output output = file_output("head", 0, len);
        assert_int_equal(close(output.file), 0);
        output.file = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(send_some(&output, 1000), OUTPUT_SHORT);
        assert_int_equal(output.sent_bytes, 0);
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
        {EIO, OUTPUT_SHORT},    {ENOMEM, OUTPUT_SHORT},      {EAGAIN, OUTPUT_BLOCKED},
        {EPIPE, OUTPUT_BROKEN}, {ECONNRESET, OUTPUT_BROKEN},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        int error = rows[i].error;
        transport.send_file = fail_to_send_file;
        transport.context = &error;
        struct output output = file_output("", 0, FILE_BYTES);
        assert_int_equal(send_some(&output, 1000), rows[i].outcome);
        output_deinit(&output);
    }
}

static ssize_t refuse_to_send_file(void *context, int descriptor, off_t offset, size_t len)
{
    (void)context;
    (void)descriptor;
    (void)offset;
    (void)len;
    errno = EINVAL;
    return -1;
}

static void output_without_sendfile_in_the_file_system_goes_through_memory(void **state)
{
    (void)state;
    struct output output = file_output("head", 0, FILE_BYTES);
    transport.send_file = refuse_to_send_file;
    assert_int_equal(send_some(&output, 1000), OUTPUT_DONE);
    assert_int_equal(peer.output.len, 4 + FILE_BYTES);
    assert_memory_equal(memory_transport_output(&peer).data + 4, file_bytes, FILE_BYTES);
    output_deinit(&output);
}

/* --- keeping ------------------------------------------------------------------------------- */

static void output_kept_memory_need_not_live_on(void **state)
{
    char head[] = "the head";
    char before[] = "before";
    char after[] = "after";
    (void)state;
    struct output output =
        output_of((const struct piece[]){{head, 0, 0}, {before, 0, 30}, {after, 0, 0}}, 3);
    peer.room = 3;
    assert_int_equal(send_some(&output, 1000), OUTPUT_BLOCKED);
    assert_int_equal(output_keep(&output), 0);
    memset(head, '#', sizeof(head));
    memset(before, '#', sizeof(before));
    memset(after, '#', sizeof(after));
    peer.room = 4;
    assert_int_equal(send_some(&output, 1000), OUTPUT_BLOCKED);
    assert_int_equal(output_keep(&output), 0);
    peer.room = MEMORY_TRANSPORT_UNLIMITED;
    assert_int_equal(send_some(&output, 1000), OUTPUT_DONE);
    assert_slice_is(memory_transport_output(&peer),
                    "the headbefore!\"#$%&'()*+,-./0123456789:;<=>after");
    assert_int_equal(output.sent_bytes, 8 + 6 + 30 + 5);
    output_deinit(&output);
}

static void output_without_memory_keeps_nothing(void **state)
{
    (void)state;
    struct output output = file_output("", 0, 30);
    assert_int_equal(output_keep(&output), 0);
    assert_null(output.kept);
    output_deinit(&output);
}

static void output_that_cannot_be_kept_is_an_error(void **state)
{
    (void)state;
    struct output output = file_output("head", 0, 0);
    failing_memory_after(0);
    int result = output_keep(&output);
    assert_true(failing_memory_end());
    assert_int_equal(result, -1);
    assert_int_equal(send_some(&output, 1000), OUTPUT_DONE);
    assert_slice_is(memory_transport_output(&peer), "head");
    output_deinit(&output);
}

static void output_deinit_closes_the_file_and_leaves_nothing(void **state)
{
    (void)state;
    struct output output = file_output("head", 0, 30);
    assert_int_equal(output_keep(&output), 0);
    int descriptor = output.file;
    output_deinit(&output);
    assert_int_equal(fcntl(descriptor, F_GETFD), -1);
    assert_int_equal(output.file, -1);
    assert_int_equal(send_some(&output, 1000), OUTPUT_DONE);
    output_deinit(&output);
    assert_int_equal(peer.output.len, 0);
}

#define OUTPUT_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OUTPUT_TEST(output_is_sent_whole_and_in_order),
        OUTPUT_TEST(output_nothing_is_done_without_a_call),
        OUTPUT_TEST(output_small_file_goes_with_its_head),
        OUTPUT_TEST(output_large_file_announces_that_more_follows_its_head),
        OUTPUT_TEST(output_copied_file_is_announced_chunk_by_chunk),
        OUTPUT_TEST(output_more_is_announced_while_more_follows),
        OUTPUT_TEST(output_stops_when_its_share_is_used_up),
        OUTPUT_TEST(output_to_a_peer_that_has_gone_is_broken),
        OUTPUT_TEST(output_of_a_file_that_has_shrunk_is_short),
        OUTPUT_TEST(output_of_a_part_that_is_gone_stops_there),
        OUTPUT_TEST(output_of_a_file_that_cannot_be_read_is_short),
        OUTPUT_TEST(output_tells_the_file_s_errors_from_the_peer_s),
        OUTPUT_TEST(output_without_sendfile_in_the_file_system_goes_through_memory),
        OUTPUT_TEST(output_kept_memory_need_not_live_on),
        OUTPUT_TEST(output_without_memory_keeps_nothing),
        OUTPUT_TEST(output_that_cannot_be_kept_is_an_error),
        OUTPUT_TEST(output_deinit_closes_the_file_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, make_file, close_file);
}
