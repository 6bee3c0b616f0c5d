/* A whole connection over memory: what a client hears is the same, whether it sends its requests at
 * once or in pieces, and reads the answers at once or slowly.
 */
#include "tests/fuzz/harness.h"
#include "tests/support/conversation.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_BYTES 3000

/* What a conversation came to. */
struct answer {
    char *heard;
    size_t heard_len;
    struct conversation_calls calls;
};

static struct conversation talk;

/* Once: workers and the file that /file sends. */
static void begin_talking(void)
{
    static char text[FILE_BYTES];
    if (talk.limits.max_requests > 0)
        return;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('A' + i * 7 % 58);
    conversation_init(&talk);
    talk.file = memfd_create("fuzz", MFD_CLOEXEC);
    talk.file_bytes = FILE_BYTES;
    HARNESS_EXPECT(write(talk.file, text, FILE_BYTES) == FILE_BYTES);
}

/* Copies what was heard, but for the interim responses: a client that sends its content along is
 * spared them (RFC 9110 section 10.1.1), so they depend on the pieces.
 */
static struct answer take_down(void)
{
    static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct slice heard = memory_transport_output(&talk.peer);
    struct answer answer = {.heard = harness_copy(heard.data, heard.len), .calls = talk.calls};
    while (heard.len > 0) {
        const char *found = memmem(heard.data, heard.len, interim, sizeof(interim) - 1);
        size_t len = found ? (size_t)(found - heard.data) : heard.len;
        size_t taken = found ? len + sizeof(interim) - 1 : len;
        memcpy(answer.heard + answer.heard_len, heard.data, len);
        answer.heard_len += len;
        heard.data += taken;
        heard.len -= taken;
    }
    return answer;
}

/* Lets the peer send the piece. The conversation sees by a '#' that memory has been used after its
 * time, so there is none in what the peer sends.
 */
static void say(const uint8_t *data, size_t len)
{
    char *copy = harness_copy(data, len);
    for (size_t i = 0; i < len; i++)
        copy[i] = copy[i] == '#' ? '~' : copy[i];
    memory_transport_feed(&talk.peer, (struct slice){copy, len});
    free(copy);
    conversation_go(&talk);
}

static struct answer converse(const uint8_t *data, size_t size, enum harness_split split)
{
    struct harness_pieces pieces = harness_pieces_begin(split, data, size);
    conversation_restart(&talk);
    talk.window = 0;
    if (split != HARNESS_WHOLE) {
        talk.window = talk.peer.room = 1 + harness_chance(&pieces, 400);
        talk.peer.take = 1 + harness_chance(&pieces, 100);
        talk.peer.piece = 1 + harness_chance(&pieces, 100);
    }
    talk.transport = memory_transport(&talk.peer, harness_chance(&pieces, 1) == 1);
    for (size_t at = 0; at < size && !talk.over;) {
        size_t len = harness_pieces_next(&pieces, size - at);
        say(data + at, len);
        at += len;
    }
    talk.peer.ended = true;
    if (!talk.over)
        conversation_go(&talk);
    HARNESS_EXPECT(talk.over);
    return take_down();
}

static void expect_same(const struct answer *a, const struct answer *b)
{
    HARNESS_EXPECT(a->calls.begin == b->calls.begin && a->calls.complete == b->calls.complete);
    HARNESS_EXPECT(a->calls.refuse == b->calls.refuse && a->calls.refused == b->calls.refused);
    HARNESS_EXPECT(a->calls.end == b->calls.end && a->calls.status == b->calls.status);
    HARNESS_EXPECT(a->calls.refuse > 0 || a->calls.content_bytes == b->calls.content_bytes);
    HARNESS_EXPECT(a->calls.broken == b->calls.broken);
    HARNESS_EXPECT(a->heard_len == b->heard_len);
    HARNESS_EXPECT(memcmp(a->heard, b->heard, a->heard_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    begin_talking();
    struct answer whole = converse(data, size, HARNESS_WHOLE);
    struct answer pieces = converse(data, size, HARNESS_PIECES);
    expect_same(&whole, &pieces);
    free(pieces.heard);
    if (size <= 1024) { /* each byte is a round of its own */
        struct answer bytes = converse(data, size, HARNESS_BYTES);
        expect_same(&whole, &bytes);
        free(bytes.heard);
    }
    free(whole.heard);
    return 0;
}
