/* A transport in memory, for tests, fuzzers and counts of instructions.
 *
 * What the peer sends is fed in, and received whole or in small pieces; what is sent to the peer
 * is collected. The members say how the peer behaves; they may be changed between the calls.
 */
#ifndef TARN_TESTS_SUPPORT_MEMORY_TRANSPORT_H
#define TARN_TESTS_SUPPORT_MEMORY_TRANSPORT_H

#include "http/slice.h"
#include "http/transport.h"

#define MEMORY_TRANSPORT_UNLIMITED SIZE_MAX

/* Bytes that grow. Owned; zeroed = none. */
struct memory_bytes {
    char *data;
    size_t len;
    size_t size;
};

struct memory_transport {
    /* What the peer sends. Behind it receive() fails with `receive_error`, EAGAIN at first, or
     * reports the end, if `ended`.
     */
    struct memory_bytes input;
    size_t received; /* of its bytes so far */
    size_t piece;    /* how many bytes receive() hands out at the most */
    bool ended;
    int receive_error;

    /* What it takes. Each call takes `take` bytes at the most; when `room` has been used up sending
     * fails with `send_error`, EAGAIN at first.
     */
    struct memory_bytes output;
    size_t take;
    size_t room;
    int send_error;
    uint64_t unacknowledged;

    /* What has been seen. */
    int parts; /* as the last call of send() had them */
    bool more; /* likewise */
    bool finished;
    bool holds_more;
    unsigned receives, sends, file_sends;
};

/* A peer that has sent nothing yet and takes all. */
void memory_transport_init(struct memory_transport *memory);
void memory_transport_deinit(struct memory_transport *memory);

/* The transport over it; the memory must live as long. With `sends_files` false it has no
 * send_file(), so that files are copied.
 */
struct transport memory_transport(struct memory_transport *memory, bool sends_files);

/* Lets the peer send more; the bytes are copied. Ends the program if there is no memory. */
void memory_transport_feed(struct memory_transport *memory, struct slice bytes);

/* Whether receive() would do something else than to ask for patience. */
bool memory_transport_is_readable(const struct memory_transport *memory);

/* All that has been sent to the peer, a NUL behind it; good until more is sent. */
struct slice memory_transport_output(struct memory_transport *memory);

/* Forgets what has been fed in and collected. The memory for it is kept. */
void memory_transport_clear(struct memory_transport *memory);

/* The same, and all is as after memory_transport_init() again. */
void memory_transport_reset(struct memory_transport *memory);

#endif
