/* A persistent connection: the resumable state machine of RFC 9112 section 9.
 *
 *                 .--------------------- next request ---------------------.
 *                 v                                                        |
 *   new -----> HEAD ---> [CONTINUE ->] CONTENT ---> COMPLETE ---> RESPOND --+--> LINGER ---> end
 *                 '------------- no content to read ----------------^
 *
 * connection_run() goes on until the connection would have to wait, for the peer or for leave to
 * block in the disk, or has used its share. The caller waits as it is told and calls again. It
 * has no thread and no lock: one caller at a time.
 */
#ifndef TARN_HTTP_CONNECTION_H
#define TARN_HTTP_CONNECTION_H

#include "http/exchange.h"
#include "http/input.h"
#include "http/transport.h"

/* A lingering close ends after so much time or so many bytes. */
#define CONNECTION_LINGER_MS    2000
#define CONNECTION_LINGER_BYTES 8388608

/* Limits of all connections; constant while one uses them. Times in milliseconds, sizes in bytes.
 */
struct connection_limits {
    struct parser_limits head;
    unsigned max_requests;     /* on one connection; at least 1 */
    int64_t idle_timeout_ms;   /* no byte of a request */
    int64_t header_timeout_ms; /* from the first byte of a head to its end */
    int64_t body_timeout_ms;   /* no byte of a body */
    int64_t write_timeout_ms;  /* no byte of a response acknowledged */
    uint64_t min_rate;         /* bytes a second of a body or a response; 0 = none */
    uint64_t content_bytes;    /* of a request, unless the service says otherwise; 0 = none */
};

/* Who answers the requests. All functions run on the caller's thread. */
struct service {
    /* The head is complete, its framing is right; an expectation that nobody can meet is left to
     * the service. Either makes the response (status not 0), or leaves it and gets the content, if
     * any, and then complete(). A response that is made here though the request has content is an
     * early one: the content is not read, and the connection closes.
     */
    void (*begin)(struct exchange *exchange, void *context);

    /* A piece of the content, borrowed for the call. Returns HTTP_GO_ON, or the error to answer. */
    enum http_status (*content)(struct exchange *exchange, struct slice piece, void *context);

    /* The content has been complete. Makes the response. */
    void (*complete)(struct exchange *exchange, void *context);

    /* Makes a response of this status: the connection itself has found an error. */
    void (*refuse)(struct exchange *exchange, enum http_status status, void *context);

    /* The exchange is over, or has been given up (`broken`): frees data, writes the log. */
    void (*end)(struct exchange *exchange, void *context);
};

/* What a worker lends to the connection that it runs. */
struct connection_worker {
    const struct connection_limits *limits;
    const struct service *service;
    void *context; /* for the service */
    const struct transport *transport;
    int64_t now_ms;    /* this and the date may be set anew by the service */
    struct slice date; /* IMF-fixdate */

    char *input; /* at least twice the head limit */
    size_t input_size;
    char *head; /* for a response's head */
    size_t head_size;
    char *fields; /* for its field lines */
    size_t fields_size;
    struct output_chunk chunk;
    struct exchange *spare; /* owned; NULL at the start */
};

/* Why a connection runs. */
enum connection_event {
    CONNECTION_GO,        /* the transport is ready, or it had its share before */
    CONNECTION_MAY_BLOCK, /* it had asked for it */
    CONNECTION_EXPIRED,   /* its deadline has passed */
    CONNECTION_LEAVE,     /* its room is needed, or the server stops: it has to end now */
};

/* What a connection needs next. */
enum connection_next {
    CONNECTION_WAIT_READABLE,
    CONNECTION_WAIT_WRITABLE,
    CONNECTION_SHARE, /* nothing; it has used its share */
    CONNECTION_BLOCK, /* to block in the disk */
    CONNECTION_END,   /* to be closed */
    CONNECTION_ABORT, /* to be reset: the peer does not take what has been sent */
};

enum connection_state {
    CONNECTION_HEAD,
    CONNECTION_CONTINUE,
    CONNECTION_CONTENT,
    CONNECTION_COMPLETE,
    CONNECTION_RESPOND,
    CONNECTION_LINGER,
};

struct connection {
    enum connection_state state;
    unsigned requests;         /* answered on this connection, the one under way counted */
    bool closing;              /* soon; set by whoever runs it, at any time */
    bool parting;              /* with its next answer, for which it waits as ever; likewise */
    bool last;                 /* the answer under way says that it is the last */
    bool in_head;              /* in CONNECTION_HEAD: a request has begun, not just empty lines */
    bool linger;               /* the close must be a lingering one */
    bool fast;                 /* the peer has proven to read fast */
    int64_t deadline_ms;       /* of what it waits for; absolute */
    struct exchange *exchange; /* owned; the request under way, or NULL */
    struct input_rest rest;
    uint64_t sent_bytes; /* of exchanges that have ended */
    uint64_t lingered_bytes;
};

/* Begins a connection on which nothing has been received. */
void connection_init(struct connection *connection, int64_t now_ms, int64_t idle_timeout_ms);

/* Begins one that has been refused already, its answer sent: it only lingers. */
void connection_init_lingering(struct connection *connection, int64_t now_ms);

/* Frees what the connection owns. An exchange under way ends as broken. */
void connection_deinit(struct connection *connection, struct connection_worker *worker);

/* Frees what a worker owns. */
void connection_worker_deinit(struct connection_worker *worker);

/* Runs the connection, see above. After CONNECTION_WAIT_* `deadline_ms` says until when. */
enum connection_next connection_run(struct connection *connection, struct connection_worker *worker,
                                    enum connection_event event);

/* Whether no request is under way, not even in part. */
bool connection_is_idle(const struct connection *connection);

/* Whether it waits for the rest of a head. */
bool connection_is_in_head(const struct connection *connection);

#endif
