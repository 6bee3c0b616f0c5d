/* A handle of libcurl that sends the tester's requests, one after the other. For one thread at a
 * time; curl_global_init() comes first.
 */
#ifndef TARN_TESTER_TRANSFER_H
#define TARN_TESTER_TRANSFER_H

#include "tester/outgoing.h"

struct transfer {
    CURL *handle;
    curl_mime *form; /* the content that the handle points to, if that is in parts */
};

struct transfer_rules {
    bool allow_remote; /* else no socket is opened to another machine, whatever the URL says */
    long timeout_ms;   /* from the start of a request to the end of its answer */
};

/* Returns 0, or -1 when there is no memory. */
int transfer_init(struct transfer *transfer);
void transfer_deinit(struct transfer *transfer);

/* Prepares the handle for a request, which must outlive its use; open connections are kept. The
 * answer's content is dropped unless the caller sets libcurl's callbacks afterwards. Returns 0, or
 * -1 when there is no memory.
 */
int transfer_prepare(struct transfer *transfer, const struct outgoing *outgoing,
                     const struct transfer_rules *rules);

#endif
