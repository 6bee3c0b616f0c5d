/* A request in libcurl's terms, ready to be sent: its URL and its header fields.
 *
 * Constant once made; several threads may send it at the same time.
 */
#ifndef TARN_TESTER_OUTGOING_H
#define TARN_TESTER_OUTGOING_H

#include "tester/plan.h"
#include "tester/variables.h"

#include <curl/curl.h>

/* Where requests may go. */
struct outgoing_rules {
    const char *base;  /* what URLs that begin with '/' are relative to */
    bool allow_remote; /* hosts other than this machine */
};

struct outgoing {
    const struct plan_request *request; /* borrowed */
    CURLU *url;
    struct curl_slist *fields;
};

/* Makes it. `variables` are for the URL and the header fields; they are not kept. Returns 0, or -1
 * with a line about why not, without its end, on `errors`. *out is to be deinitialised in either
 * case.
 */
int outgoing_make(struct outgoing *out, const struct plan_request *request,
                  const struct outgoing_rules *rules, const struct variables *variables,
                  FILE *errors);
void outgoing_deinit(struct outgoing *outgoing);

/* Checks all requests of a plan, as far as no variable is in their URLs, before anything is sent.
 * Returns 0, or -1 after a line `FILE:LINE: message` for each that is wrong.
 */
int outgoing_check(const struct plan *plan, const struct outgoing_rules *rules, FILE *errors);

/* Makes all requests of a plan, without variables. Returns them in the plan's order, to be freed by
 * outgoing_free_all(); NULL after lines as of outgoing_check().
 */
struct outgoing *outgoing_make_all(const struct plan *plan, const struct outgoing_rules *rules,
                                   FILE *errors);
void outgoing_free_all(struct outgoing *all, size_t count);

/* Checks the base. Returns 0, or -1 after a line that says what is wrong with it. */
int outgoing_check_base(const struct outgoing_rules *rules, FILE *errors);

#endif
