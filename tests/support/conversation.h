/* A connection over memory, with a small service, for tests of the connection and for fuzzing.
 *
 * Each run gets a worker other than the last one's, and all that workers lend is overwritten in
 * between: what a connection still needs after it has waited, it must have copied. The service
 * ends the program when it is called out of order.
 *
 * The service answers `METHOD TARGET CONTENT`, the content being that of the request, with 200.
 * Some targets are special:
 *
 *   /early       404 at once, whatever the content
 *   /close       asks for the connection to be closed
 *   /empty       204 without content
 *   /block       asks to block before it answers
 *   /wrong       finds fault with the first piece of content: 400
 *   /limit-N     allows N bytes of content
 *   /file        sends `file_bytes` of the file, from `file_offset` on
 *   /parts       sends bytes 0, 1-200 and 300-301 of the file, each with some text before it
 *   /borrowed    answers with the request line, as it stands in the worker's memory
 *   /lines       adds a field line
 */
#ifndef TARN_TESTS_SUPPORT_CONVERSATION_H
#define TARN_TESTS_SUPPORT_CONVERSATION_H

#include "http/connection.h"
#include "tests/support/memory_transport.h"

#define CONVERSATION_DATE    "Sun, 06 Nov 1994 08:49:37 GMT"
#define CONVERSATION_WORKERS 2

/* The limits that it begins with; the buffers are the smallest that are allowed for them. */
#define CONVERSATION_HEAD_BYTES        1024
#define CONVERSATION_MAX_REQUESTS      100
#define CONVERSATION_IDLE_TIMEOUT_MS   30000
#define CONVERSATION_HEADER_TIMEOUT_MS 10000
#define CONVERSATION_BODY_TIMEOUT_MS   20000
#define CONVERSATION_WRITE_TIMEOUT_MS  25000
#define CONVERSATION_CONTENT_BYTES     1048576

/* What the service has seen. Of each kind of call, how many. */
struct conversation_calls {
    unsigned begin, content, complete, refuse, end;
    enum http_status refused; /* the status of the last refusal */
    uint64_t content_bytes;

    /* Of the last exchange that has ended. */
    enum http_status status; /* HTTP_GO_ON if it was not answered */
    uint64_t content_sent;
    bool broken;
    bool file_failed;
};

struct conversation {
    /* To be changed by the test, at any time. */
    struct memory_transport peer;
    struct transport transport;
    struct connection_limits limits;
    int64_t now_ms;
    size_t window; /* bytes the peer makes room for each time it is waited for; 0 = none */
    int file;      /* what /file sends, by a copy of the descriptor */
    off_t file_offset;
    uint64_t file_bytes;

    /* To be looked at. */
    struct connection connection;
    enum connection_next next; /* what the last run has answered */
    bool over;                 /* it has ended, and is freed */
    unsigned runs;
    struct conversation_calls calls;

    /* Its own. */
    struct connection_worker workers[CONVERSATION_WORKERS];
    char *lent[CONVERSATION_WORKERS];
    struct exchange *under_way; /* which the service has seen, and not its end */
};

/* Begins a connection. Ends the program if there is no memory. */
void conversation_init(struct conversation *talk);

/* Frees; a connection that is not over ends. */
void conversation_deinit(struct conversation *talk);

/* Begins another connection, with a peer as it was at first; limits, time and file stay. */
void conversation_restart(struct conversation *talk);

/* Runs the connection once. */
void conversation_run(struct conversation *talk, enum connection_event event);

/* Runs it as long as it has not to wait: while the peer has sent something or makes room, again
 * after each share, and with leave to block when it asks.
 */
void conversation_go(struct conversation *talk);

/* Lets the peer send that, and goes on. */
void conversation_say(struct conversation *talk, const char *bytes);

/* All that has been sent to the peer, NUL-terminated. */
const char *conversation_heard(struct conversation *talk);

#endif
