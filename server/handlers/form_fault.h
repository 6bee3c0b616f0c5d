/* Why a form is not stored. */
#ifndef TARN_SERVER_HANDLERS_FORM_FAULT_H
#define TARN_SERVER_HANDLERS_FORM_FAULT_H

#include "http/status.h"

struct form_fault {
    enum http_status status; /* HTTP_GO_ON: nothing is wrong */
    const char *detail; /* a sentence for the client, a literal; NULL: the status's usual one */
    int error;          /* errno, for the log; 0: the client's own fault */
};

#define FORM_FINE               ((struct form_fault){0})
#define FORM_REFUSED(code, why) ((struct form_fault){.status = (code), .detail = (why)})

/* For a call of the store, or for memory, that has failed with `error`. */
struct form_fault form_fault_of_errno(int error);

#endif
