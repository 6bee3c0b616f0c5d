#include "http/status.h"

struct slice http_status_reason(enum http_status status)
{
    switch (status) {
#define HTTP_STATUS_REASON(code, name, reason)                                                     \
    case HTTP_##name:                                                                              \
        return SLICE(reason);
        HTTP_STATUS_TABLE(HTTP_STATUS_REASON)
#undef HTTP_STATUS_REASON
    case HTTP_GO_ON:
        break;
    }
    return SLICE("Unknown");
}
