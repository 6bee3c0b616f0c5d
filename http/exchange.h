/* One request and its response (RFC 9110 section 3.4: a message exchange).
 *
 * It exists from the first byte of a request to the last of its response, so an idle connection
 * has none. A worker keeps one to hand; a connection that has to wait in the middle takes it along.
 */
#ifndef TARN_HTTP_EXCHANGE_H
#define TARN_HTTP_EXCHANGE_H

#include "http/body.h"
#include "http/framing.h"
#include "http/head.h"
#include "http/output.h"
#include "http/pace.h"
#include "http/parser.h"
#include "http/response.h"

#include <time.h>

struct exchange {
    /* The request. Complete when the service sees it; borrowed bytes live as long as it does. */
    struct head head;
    struct framing framing;

    /* The service's. */
    struct response response;
    uint64_t content_limit; /* of the request, in bytes; 0 = none; may be set in begin() */
    bool may_block;         /* complete() blocks in the disk; may be set in begin() or content() */
    void *data;             /* whatever it needs until end() */
    const void *kind;       /* tells what `data` is */
    void *scope;            /* what it goes by from begin() to end(); NULL: not begun */
    bool holds_scope;       /* ... and has to let go of */
    time_t began;           /* when it saw the request first; 0: not yet */
    unsigned began_fraction_us; /* of that second, where the log shows it */
    int64_t began_clock_us;     /* the same by CLOCK_MONOTONIC; exact where the log shows it */
    int64_t queue_wait_us;      /* that the connection waited for a worker before */

    /* The connection's. */
    struct parser parser;
    struct body body;
    struct output output;
    struct pace pace;
    char *head_copy;        /* owned: the head's bytes, once the exchange has been parked */
    bool waited;            /* the peer had to be waited for; and then: */
    uint64_t acknowledged;  /* bytes of the connection that it had acknowledged the first time */
    uint64_t head_sent_len; /* length of the response's head */
    int64_t answered_ms;    /* when the response's head was made */
    bool answered;          /* it has been */
    bool broken;            /* the connection broke, or was given up, under way */
    bool file_failed;       /* ... since the file that was sent has shrunk or cannot be read */
};

/* Whether the request has content, or announces some. */
static inline bool exchange_has_content(const struct exchange *exchange)
{
    return exchange->framing.kind == FRAMING_CHUNKED ||
           (exchange->framing.kind == FRAMING_LENGTH && exchange->framing.length > 0);
}

/* How many bytes of the response's content have been handed to the transport. */
static inline uint64_t exchange_content_sent(const struct exchange *exchange)
{
    uint64_t sent = exchange->output.sent_bytes;
    return exchange->answered && sent > exchange->head_sent_len ? sent - exchange->head_sent_len
                                                                : 0;
}

#endif
