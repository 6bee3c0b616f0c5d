/* What a handler gets and what it is: a request comes in, a response goes out.
 *
 * A handler never touches the socket. It runs on a worker's thread and keeps nothing beyond the
 * call but exchange->data.
 */
#ifndef TARN_SERVER_HANDLERS_REQUEST_H
#define TARN_SERVER_HANDLERS_REQUEST_H

#include "http/exchange.h"
#include "http/target.h"
#include "server/site.h"

#include <time.h>

struct handler;

struct request {
    struct exchange *exchange; /* its response is what the handler makes */
    const struct site *site;
    const struct handler *handler; /* NULL as long as no route has been found */
    const char *client;            /* the peer's address as text */
    time_t now;                    /* of the response's Date */
    int64_t waiting_since_us;      /* CLOCK_MONOTONIC; INT64_MAX: nobody knows */
    struct target target;
    struct slice path;   /* canonical, with a NUL behind it, once it has been found to be right */
    struct slice rest;   /* of the path, behind the route's prefix */
    struct text content; /* a worker's memory, for a short response */
};

struct handler {
    unsigned methods;     /* OPTIONS is answered for all */
    bool errors_are_json; /* whatever the client accepts */
    bool has_validators;  /* it checks preconditions itself, against them */

    /* For methods without content of their own: makes the response. */
    void (*answer)(struct request *request);

    /* Optional: whether it will block in the disk for longer than it takes to open a file. */
    bool (*waits_for_disk)(const struct request *request);

    /* For those with content, all NULL otherwise. open() either answers, or sets exchange->data
     * and has the content; then close() is called exactly once, whatever happens. (So it is when
     * answer() sets exchange->data, and exchange->kind to the handler.)
     */
    void (*open)(struct request *request);
    void (*take)(struct exchange *exchange, struct slice piece);
    /* Optional, asked after take(): the error to answer at once, without the rest of the content;
     * HTTP_GO_ON to go on.
     */
    enum http_status (*give_up)(const struct exchange *exchange);
    void (*complete)(struct request *request);
    void (*close)(struct exchange *exchange);
};

#endif
